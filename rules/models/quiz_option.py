from __future__ import annotations

from django.db import models
from django.utils import timezone

from rules.models.answer import Answer
from rules.models.rule import Rule


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
