from __future__ import annotations

from django.db import models
from django.db.models import Q, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.message_fields import MessagesField
from accounts.models import Account
from accounts.texts import say
from rules.models.answer import Answer


class Rule(models.Model):
    """How the answers of one quiz become leads in one account.

    ``fields_rule`` and ``tags_to_add`` are stored as the HTTP contract has them; ``choices`` holds what only
    some CRMs ask for, ``extra`` what goes beyond any contract (``rules.serializers.extra``); ``quiz`` is the
    quiz's configuration, if it was sent; ``contact_map`` is derived (contact field name -> remote field id);
    ``problems`` is what is wrong with the rule today, a list of ``{"code", "message", "field"}``. While
    ``paused_at`` is set its answers wait, and those of a ``deleted`` rule for the next one of the quiz.
    ``prepare_at`` set means: its preparation waits; ``prepare_tries``: how often the CRM was asked for its
    fields since the rule was saved; ``release_at`` set: what it held is being let go, in portions.
    ``current`` is its newest version (``rules.versions``).
    """

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, verbose_name=_("account"), related_name="rules"
    )
    quiz_id = models.BigIntegerField(_("quiz"))
    performer = models.CharField(_("performer"), max_length=100, blank=True)
    pipeline = models.CharField(_("pipeline"), max_length=100, blank=True)
    step = models.CharField(_("step"), max_length=100, blank=True)
    choices = models.JSONField(_("choices"), default=dict, blank=True)
    extra = models.JSONField(
        _("conditions and routes"), default=dict, db_default=Value({}, models.JSONField()), blank=True
    )
    fields_rule = models.JSONField(default=dict, blank=True)
    tags_to_add = models.JSONField(default=dict, blank=True)
    quiz = models.JSONField(default=dict, blank=True)
    contact_map = models.JSONField(default=dict, blank=True)
    problems = MessagesField(_("problems"), default=list, blank=True)
    prepare_at = models.DateTimeField(null=True, blank=True)
    prepare_tries = models.PositiveIntegerField(default=0)
    release_at = models.DateTimeField(null=True, blank=True)
    recheck_at = models.DateTimeField(null=True, blank=True)
    prepared_at = models.DateTimeField(null=True, blank=True)
    deleted = models.BooleanField(_("deleted"), default=False)
    paused_at = models.DateTimeField(_("paused at"), null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    current = models.ForeignKey(
        "rules.RuleVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "quiz_id"], condition=Q(deleted=False), name="one_live_rule_per_quiz"
            )
        ]
        indexes = [
            models.Index(fields=["quiz_id"], condition=Q(deleted=False), name="rule_by_quiz"),
            models.Index(
                fields=["prepare_at"], condition=Q(prepare_at__isnull=False), name="rule_to_prepare"
            ),
            models.Index(
                fields=["release_at"], condition=Q(release_at__isnull=False), name="rule_to_release"
            ),
            models.Index(
                fields=["recheck_at"], condition=Q(recheck_at__isnull=False), name="rule_to_recheck"
            ),
        ]

    def __str__(self) -> str:
        return say("quiz {quiz} → {account}", quiz=self.quiz_id, account=self.account)

    def successor(self) -> Rule | None:
        """The quiz's live rule, once this one was deleted."""
        return Rule.objects.filter(account=self.account_id, quiz_id=self.quiz_id, deleted=False).first()


class Turns(models.Model):
    """Whose turn it is to be responsible for leads of a rule: ``owed`` is how far everybody is behind their
    share, in weights (``rules.mapping.responsible``). The row is locked while turns are taken."""

    rule = models.OneToOneField(Rule, on_delete=models.PROTECT, primary_key=True, related_name="turns")
    owed = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"turns of rule {self.rule_id}"


class QuizOption(models.Model):
    """What was answered to a question of a rule that goes into a field with options
    (``rules.observed_options``): its options, as far as nobody tells them. ``answer`` is one that brought it,
    with which it is erased."""

    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="quiz_options", db_index=False)
    question = models.CharField(max_length=200)
    text = models.CharField(max_length=200)
    answer = models.ForeignKey(Answer, on_delete=models.PROTECT, related_name="+")
    first_seen = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "question", "text"], name="one_quiz_option_per_text")
        ]

    def __str__(self) -> str:
        return f"option {self.text} of question {self.question}"
