"""Which rights we have in a CRM is asked once an account is connected, then daily, and kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import checkups, states
from accounts.models import Account, Checkup
from connectors.errors import NeedsReconnect, TryLater
from connectors.messages import message


def test_a_new_account_is_asked_once_and_again_the_next_day(connected: Account) -> None:
    assert checkups.ask_due() == 1
    row = Checkup.objects.get(account=connected)
    assert [problem["code"] for problem in row.problems] == ["no_mark_field"]
    assert checkups.ask_due() == 0
    Checkup.objects.update(ask_at=timezone.now() - timedelta(seconds=1))
    assert checkups.ask_due() == 1


def test_it_is_asked_anew_once_it_was_connected_again(connected: Account) -> None:
    checkups.ask_due()
    Account.objects.update(connected_at=timezone.now())
    assert checkups.ask_due() == 1
    Account.objects.update(state="paused", connected_at=timezone.now())
    assert checkups.ask_due() == 0


def test_who_was_connected_is_found_among_many_without_looking_at_each(
    connected: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkups.ask_due()
    monkeypatch.setattr(checkups, "first_in_turn", lambda count: connected.pk + 1)  # it is the others' turn
    Account.objects.update(connected_at=timezone.now())
    assert checkups.ask_due() == 0
    states.activate(connected)
    assert checkups.ask_due() == 1
    assert checkups.ask_due() == 0


@pytest.mark.parametrize(
    ("error", "state", "pause"),
    [
        (TryLater(message("silent"), code="silent"), "active", timedelta(minutes=31)),
        (NeedsReconnect(message("gone"), code="gone"), "needs_reconnect", timedelta(days=2)),
        (ValueError(), "active", timedelta(days=2)),
    ],
)
def test_a_crm_that_can_not_be_asked_is_told_and_asked_later(
    connected: Account, monkeypatch: Any, error: Exception, state: str, pause: timedelta
) -> None:
    class Broken:
        def check(self) -> None:
            raise error

    monkeypatch.setattr("accounts.checkups.connector_for", lambda account: Broken())
    assert checkups.ask_due() == 0
    row = Checkup.objects.get()
    assert row.error
    assert timezone.now() < row.ask_at < timezone.now() + pause
    connected.refresh_from_db()
    assert connected.state == state
