"""What beat reads by index is noted by whoever makes it due, at whatever moment: looks, rules to recheck."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.utils import timezone

from accounts.models import Account, Lane
from rules import provisioning
from rules.delivery import sweep
from rules.delivery.lane import reckon_looks
from rules.models import Outcome, Rule
from rules.outcomes import following

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


@pytest.fixture
def outcomes(deliveries):
    """Makes outcomes with their next looks."""

    def make(*next_looks):
        rows = deliveries(len(next_looks), state="delivered")
        return Outcome.objects.bulk_create(
            Outcome(delivery=row, account=row.account, owner=row.owner, quiz_id=row.quiz_id, next_look_at=at)
            for row, at in zip(rows, next_looks, strict=True)
        )

    return make


def elsewhere(act):
    """In another thread with its own connection, that goes on by itself."""

    def run():
        try:
            act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def look_at():
    return Lane.objects.get().look_at


def test_a_lane_is_looked_at_when_its_first_lead_is(account, outcomes):
    now = timezone.now()
    assert following._due() == []
    outcomes(now + HOUR, None)
    assert (look_at(), following._due()) == (now + HOUR, [])
    [row] = outcomes(now + 2 * HOUR)
    assert look_at() == now + HOUR

    following.look_now(Outcome.objects.filter(pk=row.pk))
    assert following._due() == [account.pk]

    Outcome.objects.update(next_look_at=now + 3 * HOUR)
    assert following._due() == [
        account.pk
    ]  # too early costs a look at the table, too late would cost the lead's
    reckon_looks(account.pk)
    assert (look_at(), following._due()) == (now + 3 * HOUR, [])
    Outcome.objects.update(next_look_at=None)
    reckon_looks(account.pk)
    assert look_at() is None


def test_a_look_that_is_planned_while_its_lane_is_reckoned_is_not_forgotten(account, outcomes):
    now = timezone.now()
    with transaction.atomic():
        outcomes(now)
        elsewhere(lambda: reckon_looks(account.pk)).join(20)
    assert following._due() == [account.pk]


def test_looks_that_were_missed_heal(account, outcomes):
    outcomes(timezone.now())
    Lane.objects.update(look_at=None)
    assert sweep.check_lanes(account.pk) == 1
    assert following._due() == [account.pk]


def test_a_list_that_is_read_while_a_rule_is_looked_at_is_not_overlooked(account, monkeypatch):
    """Whoever ends the reading waits until the old problems are written, and has it looked at again."""
    rule = Rule.objects.create(account=account, quiz_id=42, prepared_at=timezone.now())
    readers, read = [], provisioning.read_snapshot

    def and_then_the_list_is_read(*asked):
        snapshot = read(*asked)
        if not readers:
            ended = Account.objects.filter(pk=account.pk)
            readers.append(elsewhere(lambda: ended.update(synced_at=timezone.now())))
            readers[0].join(0.3)
        return snapshot

    monkeypatch.setattr(provisioning, "read_snapshot", and_then_the_list_is_read)
    provisioning.recheck(rule.pk)
    readers[0].join(20)
    rule.refresh_from_db()
    assert rule.recheck_at is not None

    provisioning.prepare_due()
    rule.refresh_from_db()
    assert rule.recheck_at is None
