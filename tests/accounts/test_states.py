from __future__ import annotations

import copy

import pytest
from django.utils import timezone

from accounts import maintenance, states
from accounts.models import Account, ConnectAttempt, Token
from accounts.oauth import begin
from config.logs import formatter
from connectors.errors import Stopped

pytestmark = pytest.mark.django_db


def test_pausing_and_resuming_say_why_and_since(connected):
    assert states.pause(connected, "the CRM blocked us")
    stored = Account.objects.get()
    assert (stored.state, stored.state_reason) == ("paused", "the CRM blocked us")
    assert stored.state_since == connected.state_since
    assert not states.pause(connected, "again")

    assert states.resume(connected)
    assert Account.objects.get().state_reason == ""
    assert not states.resume(connected)


def test_the_log_tells_every_move_though_states_of_consent_are_hidden_in_it(connected, caplog):
    caplog.set_level("INFO", "accounts.states")
    states.pause(connected, "the CRM blocked us")
    (line,) = [formatter("plain").format(record) for record in caplog.records]
    assert 'became=paused before=active why="the CRM blocked us"' in line


def test_resuming_takes_the_stop_sign_down(connected, settings):
    from dataclasses import replace

    from accounts.crm_settings import rate_limiter_for

    paced = replace(settings.CRM_OPTIONS["amocrm"], requests_per_second=1000)
    settings.CRM_OPTIONS = {**settings.CRM_OPTIONS, "amocrm": paced}
    limiter = rate_limiter_for("amocrm", connected.remote_id)
    limiter.stop("403")
    states.pause(connected, "403")
    with pytest.raises(Stopped):
        limiter.wait()
    states.resume(connected)
    limiter.wait()


def test_a_worker_with_old_tokens_does_not_park_a_reconnected_account(connected):
    old_view = copy.copy(connected)
    states.needs_reconnect(connected, "refused")
    states.activate(connected)
    assert not states.needs_reconnect(old_view, "refused")
    assert Account.objects.get().state == "active"


def test_a_worker_that_met_the_stop_sign_does_not_pause_an_account_that_was_resumed_since(connected):
    """It tells so a few seconds late; a person would have to resume the account once more."""
    worker = copy.copy(connected)
    states.pause(connected, "blocked")
    states.resume(connected)
    assert not states.park(worker, Stopped("Requests are stopped"))
    assert Account.objects.get().state == "active"
    assert states.park(Account.objects.get(), Stopped("amoCRM has blocked this account again"))


def test_only_the_living_are_moved(connected):
    assert states.disconnect(connected)
    assert not states.disconnect(connected)
    assert not states.activate(connected)
    assert not states.pause(connected, "x")
    assert Account.objects.get().state == "disconnected"
    assert not Token.objects.exists()


def test_one_line_tells_of_every_move(connected, caplog):
    caplog.set_level("INFO", logger="accounts.states")
    states.needs_reconnect(connected, "token revoked")
    (move,) = caplog.records
    assert (move.account, move.crm) == (connected.pk, "amocrm")
    assert (move.became, move.before) == ("needs_reconnect", "active")


def test_connections_that_nobody_finished_are_tidied(amo, connected):
    yesterday = timezone.now() - 2 * maintenance.UNFINISHED
    stale, _ = begin("nobody", "amocrm")
    fresh, _ = begin("somebody", "amocrm")
    Account.objects.filter(pk__in=[stale.pk, fresh.pk]).update(created_at=yesterday)
    ConnectAttempt.objects.filter(account=stale).update(expires_at=yesterday)

    assert maintenance.expire_attempts() == 1

    stale.refresh_from_db()
    assert (stale.deleted, stale.attempts.get().outcome) == (True, "expired")
    assert Account.objects.filter(deleted=False).count() == 2
