from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.message_fields import MessageField, MessagesField
from accounts.models import Account
from accounts.texts import say
from rules.models.answer import Answer
from rules.models.rule import Rule

OPEN_STATES = ["waiting", "sending", "held"]  # of deliveries whose lead is not there yet


class Delivery(models.Model):
    """One answer on its way through one rule. States are moved by ``rules.delivery`` alone: ``outbox``,
    ``revisions`` and ``replay_moves``.

    ``uid`` is our external id in the CRM; ``steps`` the journal of what was made there, each once;
    ``contact_keys`` who answered, so that one person's leads go one after another; ``look_first`` says that
    an earlier try ended unclear. ``write_begun_at``: since the claim, a request that can't be repeated may
    have been sent; before that, a worker that dies leaves nothing unclear. ``look_again_at``: when a lead
    that ever was unclear is looked for once more; ``also_made``: leads that a worker made after it had lost
    its claim. ``revision`` repeats the answer's, so that a new body and a settlement meet on one row's lock;
    ``revision_sent`` is the last one whose sending was begun. ``updated_at`` is moved by the database
    whenever the state, its reason or the lead changes. ``owner`` and ``quiz_id`` repeat the answer's,
    for the lists. ``version`` is the rule's version by which it was tried last, ``route`` the rule's route by
    which its lead is or was made, empty for the rule itself; ``wanted``: a person wants it sent whatever the
    rule's condition says. ``performer`` was drawn for it (``rules.delivery.assignment``), ``draw`` says how.
    ``replay`` is the one under way, by whose version it goes.
    ``test`` repeats the answer's; ``removed_at`` is when a person had the CRM delete a test's lead.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("sending")
        DELIVERED = "delivered", _("delivered")
        HELD = "held", _("held")

    class Held(models.TextChoices):
        DISCONNECTED = "disconnected", _("account disconnected")
        RECONNECT = "reconnect", _("account needs reconnecting")
        FIX_RULE = "fix_rule", _("rule needs fixing")
        LOOK_FIRST = "look_first", _("may have arrived: a person must look")
        REFUSED = "refused", _("refused by the CRM")
        GAVE_UP = "gave_up", _("out of tries")
        PAUSED = "paused", _("account paused")
        ERASED = "erased", _("erased on the person's request")
        STALE = "stale", _("waited too long for its account: a person decides")
        RULE_PAUSED = "rule_paused", _("rule paused")
        RULE_DELETED = "rule_deleted", _("rule deleted: a new one or a person decides")
        CANCELLED = "cancelled", _("cancelled: nobody wants it sent")
        LEFT_OUT = "left_out", _("left out by the rule's condition")

    answer = models.ForeignKey(
        Answer,
        on_delete=models.PROTECT,
        verbose_name=_("answer"),
        related_name="deliveries",
        db_index=False,  # one_delivery_per_answer_and_account
    )
    rule = models.ForeignKey(
        Rule,
        on_delete=models.PROTECT,
        verbose_name=_("rule"),
        related_name="deliveries",
        db_index=False,  # delivery_open_by_rule: nobody asks for a rule's delivered ones
    )
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        verbose_name=_("account"),
        related_name="deliveries",
        db_index=False,  # delivery_of_account
    )
    owner = models.CharField(_("quiz account"), max_length=200)
    quiz_id = models.BigIntegerField(_("quiz"))
    uid = models.CharField(max_length=40, unique=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    held_because = models.CharField(_("held because"), max_length=20, choices=Held.choices, blank=True)
    due_at = models.DateTimeField(_("due at"), default=timezone.now)
    attempts_made = models.PositiveIntegerField(default=0)
    strikes = models.PositiveIntegerField(
        default=0, help_text=_("Failures of its own, by which the next pause is chosen.")
    )
    look_first = models.BooleanField(default=False)
    contact_keys = ArrayField(models.CharField(max_length=330), default=list, blank=True)
    route = models.CharField(_("route"), max_length=100, blank=True, db_default="")
    wanted = models.BooleanField(default=False, db_default=False)
    performer = models.CharField(_("responsible"), max_length=100, blank=True, db_default="")
    draw = MessageField(blank=True, db_default="")
    steps = models.JSONField(default=dict, blank=True)
    losses = MessagesField(default=list, blank=True)
    remote_id = models.CharField(_("lead"), max_length=100, blank=True)
    remote_link = models.CharField(max_length=500, blank=True)
    error_code = models.CharField(max_length=100, blank=True)
    error = MessageField(_("error"), blank=True)
    remedy = MessageField(_("remedy"), blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    write_begun_at = models.DateTimeField(null=True, blank=True)
    look_again_at = models.DateTimeField(null=True, blank=True)
    also_made = ArrayField(models.CharField(max_length=100), default=list, db_default=[], blank=True)
    first_failed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed at"), default=timezone.now, db_default=Now())
    delivered_at = models.DateTimeField(_("lead made at"), null=True, blank=True)
    revision = models.PositiveIntegerField(default=1, db_default=1)
    revision_sent = models.PositiveIntegerField(default=1, db_default=1)
    version = models.ForeignKey(
        "rules.RuleVersion",
        on_delete=models.PROTECT,
        verbose_name=_("version of the rule"),
        related_name="deliveries",
        null=True,
        blank=True,
        db_index=False,  # delivery_by_version
    )

    replay = models.ForeignKey(
        "rules.Replay",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,  # checking it would read all of a large table once
    )
    test = models.BooleanField(_("test"), default=False, db_default=False)
    removed_at = models.DateTimeField(_("deleted in the CRM"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["answer", "account"], name="one_delivery_per_answer_and_account"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "sending", "delivered", "held"]),
                name="delivery_state_is_known",
            ),
            models.CheckConstraint(
                condition=(Q(state="held") & ~Q(held_because="")) | (~Q(state="held") & Q(held_because="")),
                name="held_deliveries_say_why",
            ),
        ]
        indexes = [
            models.Index(
                fields=["account", "due_at", "id"], condition=Q(state="waiting"), name="delivery_due"
            ),
            models.Index(fields=["account"], condition=Q(state="sending"), name="delivery_sending"),
            models.Index(
                fields=["account", "held_because", "id"],
                include=["rule"],
                condition=Q(state="held"),
                name="delivery_held",
            ),
            models.Index(
                fields=["account", "first_failed_at"],
                condition=Q(state="waiting", first_failed_at__isnull=False),
                name="delivery_failing",
            ),
            models.Index(
                fields=["rule", "held_because", "id"],
                condition=Q(state__in=OPEN_STATES),
                name="delivery_open_by_rule",
            ),
            models.Index(
                fields=["account", "look_again_at"],
                condition=Q(look_again_at__isnull=False),
                name="delivery_to_look_again",
            ),
            models.Index(fields=["owner", "-id"], include=["created_at"], name="delivery_of_owner"),
            models.Index(
                fields=["quiz_id", "owner", "-id"], include=["account", "created_at"], name="delivery_of_quiz"
            ),
            models.Index(
                fields=["owner", "-id"],
                include=[
                    "account",
                    "rule",
                    "quiz_id",
                    "state",
                    "held_because",
                    "created_at",
                    "updated_at",
                    "test",
                ],
                condition=Q(state__in=OPEN_STATES),
                name="delivery_undelivered",
            ),
            models.Index(fields=["account", "-id"], include=["created_at"], name="delivery_of_account"),
            models.Index(fields=["created_at"], name="delivery_by_age"),
            models.Index(fields=["remote_id"], condition=~Q(remote_id=""), name="delivery_by_lead"),
            models.Index(fields=["owner", "updated_at"], include=["id", "test"], name="delivery_updated"),
            BrinIndex(fields=["updated_at"], autosummarize=True, name="delivery_changed"),
            models.Index(fields=["-id"], condition=Q(test=True), name="delivery_test"),
            models.Index(fields=["version"], condition=Q(version__isnull=False), name="delivery_by_version"),
        ]

    def __str__(self) -> str:
        return say("delivery {number}", number=self.pk)

    @property
    def begun(self) -> bool:
        """May something of it be in the CRM already?"""
        return bool(self.delivered_at or self.look_first or self.steps)


class Attempt(models.Model):
    """One try of one delivery, with what was said both ways (redacted), for the timeline."""

    delivery = models.ForeignKey(
        Delivery,
        on_delete=models.PROTECT,
        related_name="attempts",
        db_index=False,  # attempt_timeline
    )
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    seconds = models.FloatField(default=0)
    outcome = models.CharField(max_length=20)
    code = models.CharField(max_length=100, blank=True)
    message = MessageField(blank=True)
    exchanges = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["delivery", "id"], name="attempt_timeline"),
            models.Index(fields=["started_at"], name="attempt_by_age"),
        ]

    def __str__(self) -> str:
        return f"try {self.number} of delivery {self.delivery_id}"
