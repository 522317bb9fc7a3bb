from __future__ import annotations

from typing import Any

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.message_fields import MessageField
from accounts.models import Account
from accounts.texts import say
from connectors import tasks
from connectors.lead_status import BY_HAND
from rules.models.delivery import Delivery

TRAILS = {  # leads that the CRM doesn't show us as it should
    "gone": ~Q(gone=""),
    "unfound": Q(record="", seen_at__isnull=False),
    "failing": Q(failures__gt=0),
    "hand": Q(matched=str(BY_HAND)),
}


def text(word: Any, longest: int, **more: Any) -> models.CharField:
    """A column that is empty until a look finds something; settling a delivery need not name it."""
    return models.CharField(word, max_length=longest, blank=True, db_default="", **more)


class Outcome(models.Model):
    """What became of a delivered lead in its CRM, as the last look found it (``connectors.lead_status``).

    Made with the delivery's settlement, written by ``rules.outcomes.following`` alone. ``next_look_at`` is
    when the CRM is asked again; whoever asks pushes it ahead first, so that one worker asks. Null: followed
    no more. ``joined``: the delivery joined a lead that was open, which is followed, but counted with
    whatever made it. ``asked``: a notice or a person wants that look, so it comes before those of the plan.
    ``task`` is how the task that came with it stands, empty before a look saw it (``task_state``).
    ``stepped_at`` is when the lead left the step in which it was seen first. ``updated_at`` is moved by the
    database whenever what is shown of the lead changes. ``owner``,
    ``quiz_id`` and ``test`` repeat the delivery's, for the lists. ``payments`` is a list of
    ``{"id", "amount", "paidAt"}``, null where the CRM says nothing of money received.
    """

    class Status(models.TextChoices):
        OPEN = "open", pgettext_lazy("lead", "open")
        WON = "won", _("won")
        LOST = "lost", _("lost")

    class Task(models.TextChoices):
        OPEN = "open", pgettext_lazy("task", "open")
        DONE = "done", pgettext_lazy("task", "done")
        GONE = "gone", pgettext_lazy("task", "gone")
        REFUSED = "refused", pgettext_lazy("task", "not made")

    delivery = models.OneToOneField(
        Delivery, on_delete=models.PROTECT, verbose_name=_("delivery"), related_name="outcome"
    )
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        verbose_name=_("account"),
        related_name="outcomes",
        db_index=False,  # outcome_of_account
    )
    owner = models.CharField(_("quiz account"), max_length=200)
    quiz_id = models.BigIntegerField(_("quiz"))
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, db_default=Status.OPEN)
    task = text(_("task"), 10, choices=Task.choices)
    task_due = models.DateTimeField(_("task is due"), null=True, blank=True)
    task_ended_at = models.DateTimeField(_("task was done"), null=True, blank=True)
    gone = text(_("gone"), 200, help_text=_("Why the CRM shows it no longer."))
    record = text(_("is now a"), 50)
    record_id = text(_("CRM's id"), 100)
    matched = text(_("found by"), 100)
    link = text(_("link"), 500)
    pipeline = text(_("pipeline's id"), 100)
    pipeline_name = text(_("pipeline"), 500)
    step = text(_("step's id"), 100)
    step_name = text(_("step"), 500)
    performer = text(_("responsible's id"), 100)
    performer_name = text(_("responsible"), 500)
    amount = models.DecimalField(_("sum"), max_digits=18, decimal_places=2, null=True, blank=True)
    currency = text(_("currency"), 20)
    paid = models.DecimalField(_("paid"), max_digits=18, decimal_places=2, null=True, blank=True)
    payments = models.JSONField(null=True, blank=True)
    contact = models.JSONField(blank=True, db_default=Value({}, models.JSONField()))
    details = models.JSONField(blank=True, db_default=Value({}, models.JSONField()))
    created_at = models.DateTimeField(_("delivered at"), default=timezone.now)
    changed_at = models.DateTimeField(_("changed in the CRM"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    stepped_at = models.DateTimeField(_("left its first step"), null=True, blank=True)
    updated_at = models.DateTimeField(_("changed at"), default=timezone.now, db_default=Now())
    seen_at = models.DateTimeField(_("last looked at"), null=True, blank=True)
    next_look_at = models.DateTimeField(null=True, blank=True)
    asked = models.BooleanField(default=False, db_default=False)
    failures = models.PositiveIntegerField(db_default=0)
    error = MessageField(_("error"), blank=True, db_default="")
    test = models.BooleanField(default=False, db_default=False)
    joined = models.BooleanField(default=False, db_default=False)

    class Meta:
        verbose_name = _("outcome")
        verbose_name_plural = _("outcomes")
        ordering = ["-id"]
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
            models.Index(fields=["record_id", "account"], name="outcome_of_record"),
            models.Index(
                fields=["account", "-id"], include=["status", "created_at"], name="outcome_of_account"
            ),
            models.Index(fields=["owner", "-id"], include=["status", "created_at"], name="outcome_of_owner"),
            models.Index(
                fields=["quiz_id", "owner", "-id"],
                include=["account", "status", "created_at"],
                name="outcome_of_quiz",
            ),
            models.Index(fields=["created_at"], name="outcome_by_age"),
            models.Index(
                fields=["owner", "-id"],
                include=["status", "created_at"],
                condition=Q(joined=True),
                name="outcome_joined",
            ),
            *(
                models.Index(fields=["-id"], condition=TRAILS[name], name=f"outcome_{name}")
                for name in TRAILS
            ),
            models.Index(
                fields=["owner", "updated_at"], include=["id", "status", "test"], name="outcome_updated"
            ),
            BrinIndex(fields=["updated_at"], autosummarize=True, name="outcome_changed"),
        ]

    def __str__(self) -> str:
        return say("outcome of delivery {number}", number=self.delivery_id)

    def task_state(self) -> str:
        """One of ``Task``, by the delivery's journal before a look; empty where the rule wanted none."""
        steps = self.delivery.steps
        if steps.get(tasks.GIVEN_UP):
            return self.Task.REFUSED
        return self.task or (self.Task.OPEN if steps.get(tasks.STEP) else "")
