from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Func, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.texts import say


class ContactWords(Func):
    """The words of an answer's contact form, searched by their beginnings: ``ContactWords("payload")``."""

    template = "to_tsvector('simple', %(expressions)s -> 'contact')"
    output_field = SearchVectorField()


class Answer(models.Model):
    """One finished quiz as the quiz service sent it; ``(account_id, quiz_id, answer_id)`` is for ever.

    ``digest`` is the payload's fingerprint: a repeat with another body is told from a repeat. ``payload``
    is emptied when its retention is over, and ``contact_keys``, by which a person's answers are found; the
    row and its digest stay. While ``complete`` is false a later body under the same id takes its place as the
    next ``revision``; replaced ones are ``FormerBody`` rows. ``test``: staff made it to try a rule
    (``rules.test_leads``); it is counted nowhere and shown to staff alone.
    """

    account_id = models.CharField(_("quiz account"), max_length=200)
    quiz_id = models.BigIntegerField(_("quiz"))
    answer_id = models.CharField(_("answer id"), max_length=200)
    payload = models.JSONField(_("payload"))
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    purged_at = models.DateTimeField(null=True, blank=True)
    contact_keys = ArrayField(models.CharField(max_length=330), default=list, blank=True, db_default=[])
    complete = models.BooleanField(
        _("complete"), default=True, db_default=True, help_text=_("Nothing more is to come under this id.")
    )
    revision = models.PositiveIntegerField(
        default=1, db_default=1, help_text=_("How many bodies came under this id.")
    )
    test = models.BooleanField(_("test"), default=False, db_default=False)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        ordering = ["-id"]
        permissions = [("view_payload", _("Can read whole answers and what was said to CRMs"))]
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "quiz_id", "answer_id"], name="one_answer_per_quiz_and_id"
            )
        ]
        indexes = [
            models.Index(fields=["created_at"], name="answer_by_age"),
            models.Index(
                fields=["created_at", "id"], condition=Q(purged_at__isnull=True), name="answer_to_purge"
            ),
            models.Index(fields=["answer_id"], name="answer_by_its_id"),
            models.Index(fields=["account_id", "-id"], include=["created_at"], name="answer_of_owner"),
            models.Index(
                fields=["quiz_id", "account_id", "-id"], include=["created_at"], name="answer_of_quiz"
            ),
            GinIndex(fields=["contact_keys"], name="answer_of_person"),
            GinIndex(ContactWords("payload"), name="answer_by_contact_words"),
        ]

    def __str__(self) -> str:
        return say("answer {answer} of quiz {quiz}", answer=self.answer_id, quiz=self.quiz_id)


class FormerBody(models.Model):
    """A body that a later one replaced: what it wrote into a CRM may be overwritten, and a repeat of it is
    known by its digest."""

    answer = models.ForeignKey(
        Answer,
        on_delete=models.PROTECT,
        related_name="former_bodies",
        db_index=False,  # the constraint's
    )
    revision = models.PositiveIntegerField()
    payload = models.JSONField(_("payload"))
    digest = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = _("former bodies")
        ordering = ["answer", "revision"]
        constraints = [
            models.UniqueConstraint(fields=["answer", "revision"], name="one_former_body_per_revision")
        ]

    def __str__(self) -> str:
        return f"body {self.revision} of {self.answer}"
