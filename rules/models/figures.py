from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import Account


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
