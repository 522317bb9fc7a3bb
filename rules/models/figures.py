from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import Account
from rules.models.answer import Answer


class DayFigures(models.Model):
    """What a day of the installation's zone brought, for charts: of one account, or of all where it is null.

    ``numbers`` is written by ``rules.figures`` alone, which says what is in it, and counts the day anew while
    its leads change. ``counted_at`` and ``seconds`` (that counting took) are those of the whole day.
    """

    day = models.DateField()
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    numbers = models.JSONField(default=dict)
    counted_at = models.DateTimeField(default=timezone.now)
    seconds = models.FloatField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "day"], nulls_distinct=False, name="one_row_of_figures_per_day"
            )
        ]
        indexes = [models.Index(fields=["day"], name="figures_of_day")]

    def __str__(self) -> str:
        return f"figures of {self.day}, account {self.account_id or 'all'}"


class AnswerTraits(models.Model):
    """What an answer is counted by once its body is gone: where its visitor came from, and what was chosen of
    what the quiz offered. Nothing of it says who it was (``rules.conversion.traits``).

    ``options`` is ``{question id: [title, option, ...]}``; ``revision`` the answer's that it was read of.
    """

    answer = models.OneToOneField(Answer, on_delete=models.PROTECT, primary_key=True, related_name="traits")
    revision = models.PositiveIntegerField(default=1)
    source = models.CharField(max_length=200, blank=True)
    medium = models.CharField(max_length=200, blank=True)
    campaign = models.CharField(max_length=200, blank=True)
    page = models.CharField(max_length=200, blank=True)
    options = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"traits of answer {self.answer_id}"


class DayConversion(models.Model):
    """What became of the answers of a day: of a quiz in one account, of all that an account (``whole``) or a
    CRM had, of all (``owner`` and ``crm`` empty). Without an ``account`` but with an ``owner``: of answers
    that met no rule. Written by ``rules.conversion.counting`` alone.

    ``whole``: nothing else of its account was answered on that day, so that a row that says the same is
    spared. ``sums`` and ``parts`` are as ``rules.conversion.numbers`` says.
    """

    day = models.DateField()
    crm = models.CharField(max_length=20, blank=True)
    owner = models.CharField(max_length=200, blank=True)
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    quiz_id = models.BigIntegerField(null=True)
    whole = models.BooleanField(default=False)
    answers = models.PositiveIntegerField(default=0)
    leads = models.PositiveIntegerField(default=0)
    open = models.PositiveIntegerField(default=0)
    won = models.PositiveIntegerField(default=0)
    lost = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0)
    sums = models.JSONField(default=dict)
    parts = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "owner", "crm", "account", "quiz_id"],
                nulls_distinct=False,
                name="one_row_of_conversion",
            )
        ]
        indexes = [
            models.Index(
                fields=["owner", "day"],
                include=["account", "crm", "quiz_id", "whole"],
                name="conversion_of_owner",
            ),
            models.Index(fields=["account", "day"], name="conversion_of_account"),
            models.Index(fields=["quiz_id", "day"], name="conversion_of_quiz"),
            models.Index(
                fields=["day"],
                include=[
                    "owner", "crm", "quiz_id", "answers", "leads", "open", "won", "lost", "gone",
                ],
                condition=models.Q(quiz_id__isnull=False),
                name="conversion_of_quizzes",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"conversion of {self.day}, {self.owner or self.crm or 'all'}, quiz {self.quiz_id or 'all'}"
