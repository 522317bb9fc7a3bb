from __future__ import annotations

from django.db import models
from django.utils import timezone


class Answer(models.Model):
    """One finished quiz as the quiz service sent it; ``(account_id, quiz_id, answer_id)`` is for ever.

    ``digest`` is the payload's fingerprint: a repeat with another body is told from a repeat. ``payload``
    is emptied when its retention is over; the row and its digest stay.
    """

    account_id = models.CharField("quiz account", max_length=200)
    quiz_id = models.BigIntegerField("quiz")
    answer_id = models.CharField(max_length=200)
    payload = models.JSONField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    purged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "quiz_id", "answer_id"], name="one_answer_per_quiz_and_id"
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="answer_by_age")]

    def __str__(self) -> str:
        return f"answer {self.answer_id} of quiz {self.quiz_id}"
