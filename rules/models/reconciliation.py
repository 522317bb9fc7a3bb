from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.message_fields import MessageField
from accounts.models import Account
from accounts.texts import say
from rules.models.delivery import Delivery


class Reconciliation(models.Model):
    """One comparison of an account's deliveries with what its CRM has (``rules.outcomes.reconciling``).

    Deliveries whose leads were made at ``since`` or later and before ``until`` are compared. A run walks the
    CRM (``listing``), then our deliveries (``comparing``), then asks about each suspect by itself
    (``confirming``). ``place`` is where the phase goes on, ``reached`` the last key of ours that is done with
    (in the last phase how many suspects are): written in the transaction of what they stand for. ``wake_at``
    is when the next step is due; whoever takes it pushes that ahead first, so that one worker is at it and a
    dead one is followed by another.
    ``counts`` has how many findings of each kind there are. ``complete``: the walk saw all leads of the time.
    ``who`` asked for it; empty for the nightly one.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("under way")
        DONE = "done", _("done")
        FAILED = "failed", _("not finished")

    class Phase(models.TextChoices):
        LISTING = "listing", _("reads the CRM's leads")
        COMPARING = "comparing", _("compares them with the deliveries")
        CONFIRMING = "confirming", _("asks about each suspect")

    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        related_name="reconciliations",
        verbose_name=_("account"),
        db_index=False,  # reconciliation_of_account
    )
    owner = models.CharField(_("quiz account"), max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.RUNNING)
    phase = models.CharField(_("phase"), max_length=10, choices=Phase.choices, default=Phase.LISTING)
    since = models.DateTimeField(_("leads from"))
    until = models.DateTimeField(_("leads until"))
    place = models.JSONField(default=dict, blank=True)
    reached = models.BigIntegerField(default=0)
    complete = models.BooleanField(default=False)
    listed = models.PositiveIntegerField(_("leads seen in the CRM"), default=0)
    compared = models.PositiveIntegerField(_("deliveries compared"), default=0)
    unchecked = models.PositiveIntegerField(_("not checked"), default=0)
    counts = models.JSONField(_("findings"), default=dict, blank=True)
    requests = models.PositiveIntegerField(_("requests to the CRM"), default=0)
    failures = models.PositiveIntegerField(default=0)
    error = MessageField(_("error"), blank=True, db_default="")
    who = models.CharField(_("asked for by"), max_length=150, blank=True, db_default="")
    created_at = models.DateTimeField(_("began"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(state="running"), name="one_reconciliation_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["running", "done", "failed"]), name="reconciliation_state_is_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["wake_at"], condition=Q(wake_at__isnull=False), name="reconciliation_to_go_on"
            ),
            models.Index(fields=["account", "-id"], name="reconciliation_of_account"),
            models.Index(fields=["owner", "-id"], name="reconciliation_of_owner"),
            models.Index(fields=["created_at"], name="reconciliation_by_age"),
        ]

    def __str__(self) -> str:
        return say("reconciliation {number}", number=self.pk)

    @property
    def found(self) -> int:
        """How many findings of all kinds."""
        return sum(self.counts.values())

    @property
    def faults(self) -> int:
        """How many findings that are not what people do in their CRM."""
        return sum(self.counts.get(kind, 0) for kind in FAULTS)


class Finding(models.Model):
    """Where our books and a CRM differ: one delivery, one kind. Ids and states, nothing of a person.

    ``confirmed`` is false while the CRM is still to be asked about it. ``leads`` are the CRM's ids;
    ``expected`` and ``actual`` what differs, where that is one thing (a pipeline). ``deed`` is what a person
    did about it.
    """

    class Kind(models.TextChoices):
        MISSING = "missing", _("missing in the CRM")
        DELETED = "deleted", _("deleted in the CRM")
        DOUBLED = "doubled", _("doubled")
        FOUND = "found", _("is there, though we say it is not")
        MOVED = "moved", _("in another pipeline")

    reconciliation = models.ForeignKey(
        Reconciliation,
        on_delete=models.CASCADE,
        related_name="findings",
        verbose_name=_("reconciliation"),
        db_index=False,  # finding_of_run
    )
    delivery = models.ForeignKey(
        Delivery, on_delete=models.PROTECT, related_name="findings", verbose_name=_("delivery")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    confirmed = models.BooleanField(default=False)
    record = models.CharField(max_length=50, blank=True)
    leads = ArrayField(models.CharField(max_length=100), verbose_name=_("leads"), default=list, blank=True)
    expected = models.CharField(_("expected"), max_length=500, blank=True)
    actual = models.CharField(_("actual"), max_length=500, blank=True)
    deed = MessageField(_("what was done"), blank=True, db_default="")
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["reconciliation", "delivery", "kind"], name="one_finding_of_a_kind_per_delivery"
            )
        ]
        indexes = [models.Index(fields=["reconciliation", "confirmed", "id"], name="finding_of_run")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.delivery_id}"


class SurveyedLead(models.Model):
    """A record of the CRM that a run's walk showed and that is one of our deliveries': kept while the run is
    under way. ``made_of`` is the lead that it was made of."""

    reconciliation = models.ForeignKey(
        Reconciliation,
        on_delete=models.CASCADE,
        related_name="surveyed",
        db_index=False,  # surveyed_lead_once
    )
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="+", db_index=False)
    record = models.CharField(max_length=50)
    remote_id = models.CharField(max_length=100)
    pipeline = models.CharField(max_length=100, blank=True)
    made_of = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reconciliation", "delivery", "record", "remote_id"], name="surveyed_lead_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.record} {self.remote_id}"


FAULTS = [kind.value for kind in Finding.Kind if kind != Finding.Kind.MOVED]
