from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q, Value
from django.utils import timezone

from accounts.message_fields import MessageField
from accounts.models import Account
from rules.models.delivery import Delivery


def text(word: str, longest: int, **more: Any) -> models.CharField:
    """A column that is empty until a look finds something; settling a delivery need not name it."""
    return models.CharField(word, max_length=longest, blank=True, db_default="", **more)


class Outcome(models.Model):
    """What became of a delivered lead in its CRM, as the last look found it (``connectors.lead_status``).

    Made with the delivery's settlement, written by ``rules.outcomes.following`` alone. ``next_look_at`` is
    when the CRM is asked again; whoever asks pushes it ahead first, so that one worker asks. Null: followed
    no more. ``asked``: a notice or a person wants that look, so it comes before those of the plan. ``owner``
    and ``quiz_id`` repeat the delivery's, for the lists. ``payments`` is a list of
    ``{"id", "amount", "paidAt"}``, null where the CRM says nothing of money received.
    """

    class Status(models.TextChoices):
        OPEN = "open", "open"
        WON = "won", "won"
        LOST = "lost", "lost"

    delivery = models.OneToOneField(Delivery, on_delete=models.PROTECT, related_name="outcome")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="outcomes")
    owner = models.CharField("quiz account", max_length=200)
    quiz_id = models.BigIntegerField("quiz")
    status = models.CharField(max_length=10, choices=Status.choices, db_default=Status.OPEN)
    gone = text("gone", 200, help_text="Why the CRM shows it no longer.")
    record = text("is now a", 50)
    record_id = text("CRM's id", 100)
    matched = text("found by", 100)
    link = text("link", 500)
    pipeline = text("pipeline's id", 100)
    pipeline_name = text("pipeline", 500)
    step = text("step's id", 100)
    step_name = text("step", 500)
    performer = text("responsible's id", 100)
    performer_name = text("responsible", 500)
    amount = models.DecimalField("sum", max_digits=18, decimal_places=2, null=True, blank=True)
    currency = text("currency", 20)
    paid = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    payments = models.JSONField(null=True, blank=True)
    contact = models.JSONField(blank=True, db_default=Value({}, models.JSONField()))
    details = models.JSONField(blank=True, db_default=Value({}, models.JSONField()))
    created_at = models.DateTimeField("delivered at", default=timezone.now)
    changed_at = models.DateTimeField("changed in the CRM", null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField("last looked at", null=True, blank=True)
    next_look_at = models.DateTimeField(null=True, blank=True)
    asked = models.BooleanField(default=False, db_default=False)
    failures = models.PositiveIntegerField(db_default=0)
    error = MessageField(blank=True, db_default="")

    class Meta:
        ordering = ["-delivery_id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["open", "won", "lost"]), name="outcome_status_is_known"
            )
        ]
        indexes = [
            models.Index(
                fields=["account", "next_look_at"],
                condition=Q(next_look_at__isnull=False),
                name="outcome_look_due",
            ),
            models.Index(
                fields=["account", "-asked", "-id"],
                condition=Q(next_look_at__isnull=False),
                name="outcome_newest_first",
            ),
            models.Index(fields=["account", "record_id"], name="outcome_by_record"),
            models.Index(fields=["owner", "-delivery"], name="outcome_of_owner"),
            models.Index(fields=["owner", "quiz_id", "-delivery"], name="outcome_of_quiz"),
        ]

    def __str__(self) -> str:
        return f"outcome of delivery {self.delivery_id}"
