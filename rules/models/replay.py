from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.message_fields import MessageField, MessagesField
from accounts.texts import say
from rules.models.answer import Answer
from rules.models.bulk import BulkRun
from rules.models.delivery import Delivery
from rules.models.rule_version import Asked, RuleVersion


class Replay(Asked):
    """A delivery that is sent once more by the rule as it was or as it is; asked for by ``rules.replaying``,
    carried out by the delivery's lane (``rules.delivery.replays``). One of a delivery at a time.

    ``version`` is the rule's by which it goes. How the delivery stood when it was asked for is kept:
    ``before`` (the version), ``before_revision``, ``before_route``, ``before_performer``; by them the next
    replay knows what may be ours in the lead. ``changes`` is what it changes of a lead that is there, a list
    of ``{"what", "before", "after", "kept", "why", ...}``, written down before anything is sent, and erased
    with the answer. ``anew``: a lead that was deleted in the CRM is made once more; then ``former_lead`` and
    ``former_uid`` name the deleted one. ``run`` is the bulk run that it is a part of.
    """

    class State(models.TextChoices):
        OPEN = "open", _("under way")
        CHANGED = "changed", _("the lead was changed")
        UNCHANGED = "unchanged", _("there was nothing to change")
        MADE = "made", _("a lead was made")
        FAILED = "failed", _("it could not be carried out")
        LEFT_OUT = "left_out", _("left out by the rule's condition")

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="replays", db_index=False)
    version = models.ForeignKey(RuleVersion, on_delete=models.PROTECT, related_name="+")
    anew = models.BooleanField(default=False)
    run = models.ForeignKey(
        BulkRun, on_delete=models.PROTECT, null=True, blank=True, related_name="replays", db_index=False
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    before = models.ForeignKey(RuleVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    before_revision = models.PositiveIntegerField(default=1)
    before_route = models.CharField(max_length=100, blank=True)
    before_performer = models.CharField(max_length=100, blank=True)
    former_lead = models.CharField(max_length=100, blank=True)
    former_uid = models.CharField(max_length=40, blank=True)
    changes = MessagesField(default=list, blank=True)
    error = MessageField(_("error"), blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("replay")
        verbose_name_plural = _("replays")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["delivery"], condition=Q(state="open"), name="one_open_replay_of_a_delivery"
            )
        ]
        indexes = [
            models.Index(fields=["delivery", "-id"], name="replay_of_delivery"),
            models.Index(fields=["run", "state"], condition=Q(run__isnull=False), name="replay_of_run"),
        ]

    def __str__(self) -> str:
        return say("replay {number}", number=self.pk)


class Mend(Asked):
    """One value of a stored answer that a person set right (``rules.mending``): ``what`` is
    ``answer.<questionID>`` or ``contact.<part>``, ``revision`` the answer's body since. The values are erased
    with the answer."""

    answer = models.ForeignKey(Answer, on_delete=models.PROTECT, related_name="mends")
    revision = models.PositiveIntegerField()
    what = models.CharField(max_length=250)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)

    class Meta:
        verbose_name = _("correction of an answer")
        verbose_name_plural = _("corrections of answers")
        ordering = ["id"]

    def __str__(self) -> str:
        return say("correction {number}", number=self.pk)
