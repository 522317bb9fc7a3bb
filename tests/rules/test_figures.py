"""The figures of a day: counted from leads and tries, kept, and counted anew while they change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from rules import figures
from rules.models import Answer, Attempt, DayFigures, Delivery, Outcome
from tests.admin.conftest import deliver, open_shop, rule, rule_of, shop, woken

__all__ = ["deliver", "rule", "shop", "woken"]
Deliver = Callable[..., Delivery]
NOON = timezone.make_aware(datetime(2026, 11, 20, 12, 30))


def made(deliver: Deliver, at: datetime, seconds: float = 2, **values: Any) -> Outcome:
    """A lead that was made then; its one try succeeded."""
    rule, utm = values.pop("rule", None), values.pop("utm", {})
    row = deliver("delivered", **({"rule": rule} if rule else {}), created_at=at - timedelta(seconds=seconds))
    row.attempts.update(outcome="delivered", started_at=at)
    row.answer.payload["utm"], row.answer.created_at = utm, at - timedelta(seconds=seconds)
    row.answer.save()
    Outcome.objects.filter(delivery=row).update(created_at=at, **values)
    return Outcome.objects.get(delivery=row)


def numbers_of(day: datetime, account: Any = None) -> dict[str, Any]:
    return DayFigures.objects.get(day=day.date(), account=account).numbers


def test_a_day_tells_hours_and_seconds(deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.figures.PORTION", 2)  # so that the walk goes on several times
    other = rule_of(open_shop("other", "Other"), 202)
    for seconds in (1, 2, 30):
        made(deliver, NOON, seconds)
    made(deliver, NOON + timedelta(hours=1), rule=other)
    made(deliver, NOON - timedelta(days=1))
    failed = deliver("waiting")
    Attempt.objects.filter(delivery=failed).update(started_at=NOON, outcome="wait")
    figures.count(NOON.date())
    whole = numbers_of(NOON)
    assert whole["hours"] == {"12": {"amocrm": [3, 1]}, "13": {"amocrm": [1, 0]}}
    assert whole["seconds"] == {"": [2.0, 30.0], "amocrm": [2.0, 30.0]}
    assert numbers_of(NOON, other.account_id)["hours"] == {"13": {"amocrm": [1, 0]}}


def test_a_day_that_is_over_keeps_its_failed_tries(deliver: Deliver) -> None:
    row = deliver("waiting")
    Attempt.objects.update(started_at=NOON, outcome="wait")
    figures.count(NOON.date())
    Attempt.objects.all().delete()
    made(deliver, NOON)
    figures.count(NOON.date())
    assert numbers_of(NOON)["hours"] == {"12": {"amocrm": [1, 1]}}
    assert numbers_of(NOON, row.account_id)["hours"] == {"12": {"amocrm": [1, 1]}}


@pytest.mark.django_db
def test_days_are_counted_anew_the_rarer_the_older_they_are_and_the_longer_it_took(settings: Any) -> None:
    came = timezone.now() - timedelta(days=2)
    Answer.objects.create(account_id="x", quiz_id=1, answer_id="a", payload={}, digest="x", created_at=came)
    assert figures.count_due() == 3  # and no day before
    today, now = timezone.localdate(), timezone.now()
    assert figures.due_days(today) == []
    DayFigures.objects.update(counted_at=now - timedelta(minutes=10))
    assert figures.due_days(today) == [today]
    DayFigures.objects.update(counted_at=now - timedelta(minutes=30))
    assert figures.due_days(today) == [today, today - timedelta(days=1)]
    DayFigures.objects.update(seconds=60)
    assert figures.due_days(today) == []


def test_what_is_followed_no_more_is_counted_once(settings: Any, deliver: Deliver) -> None:
    settings.FOLLOW_DAYS = 90
    made(deliver, timezone.now() - timedelta(days=100))
    assert figures.count_due() == 101
    DayFigures.objects.update(counted_at=timezone.now() - timedelta(days=30))
    assert len(figures.due_days(timezone.localdate())) == 90


THEN = timezone.make_aware(datetime(2025, 3, 3, 12, 30))  # when the day was counted
LATER = THEN + timedelta(minutes=1)
CHANGES: dict[str, Callable[[Outcome], Any]] = {
    "a lead was won": lambda lead: Outcome.objects.filter(pk=lead.pk).update(status="won"),
    "a delivery was moved": lambda lead: Delivery.objects.filter(pk=lead.delivery_id).update(error="?"),
    "a lead of another day's answer was made": lambda lead: (
        Answer.objects.update(created_at=THEN - timedelta(days=3)),
        Outcome.objects.filter(pk=lead.pk).update(updated_at=LATER),
    ),
    "a try failed": lambda lead: Attempt.objects.update(started_at=LATER, outcome="wait"),
    "an answer came": lambda lead: Answer.objects.update(created_at=LATER),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_day_is_counted_anew_only_where_something_of_it_has_changed(
    deliver: Deliver, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Else ninety days of fifty thousand answers each would be read again and again."""
    lead = made(deliver, THEN - timedelta(hours=1))
    Outcome.objects.update(updated_at=THEN - timedelta(minutes=30))
    Delivery.objects.update(updated_at=THEN - timedelta(minutes=30))
    figures.count(THEN.date())
    DayFigures.objects.update(counted_at=THEN)
    monkeypatch.setattr(figures, "due_days", lambda today: [THEN.date()])
    assert figures.count_due() == 0
    assert DayFigures.objects.get(account=None).counted_at > LATER  # so that it is not asked at once again
    DayFigures.objects.update(counted_at=THEN)
    CHANGES[change](lead)
    assert figures.count_due() == 1
