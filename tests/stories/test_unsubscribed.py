"""A disconnected account's CRM is asked to post no more changes, if it still listens to us."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts import db_clock, hooks, states
from accounts.models import Hook, Token, Unsubscription


def subscribed(owner: Any) -> list[str]:
    """The addresses that the CRM posts changes to."""
    crm = owner.shop.crm
    bound = crm.hooks if owner.prefix == "" else {row.handler for row in crm.bindings}
    return sorted(url for url in bound if "/hooks/" in url)


@pytest.fixture(params=["amocrm", "bitrix24"])
def listener(request: Any, owner_of: Any, queued: list[Any]) -> Any:
    """An account whose CRM posts changes to us."""
    owner = owner_of(request.param)
    assert hooks.subscribe_due() == 1
    assert len(subscribed(owner)) == 1
    queued.clear()
    return owner


def test_a_disconnected_account_is_posted_no_more(listener, queued):
    listener.disconnect()
    assert ("accounts.tasks.unsubscribe_due", []) in queued
    assert (Token.objects.count(), Hook.objects.count()) == (0, 0)
    assert hooks.unsubscribe_due() == 1
    assert subscribed(listener) == []
    assert not Unsubscription.objects.exists()
    assert hooks.unsubscribe_due() == 0


def test_connected_again_in_between_it_is_posted_to_its_new_address_alone(listener):
    old = subscribed(listener)
    listener.disconnect()
    listener.again()
    assert hooks.subscribe_due() == 1
    assert hooks.unsubscribe_due() == 1
    assert len(subscribed(listener)) == 1
    assert subscribed(listener) != old


def test_a_silent_crm_delays_nothing_is_asked_again_and_then_forgotten(listener, monkeypatch):
    listener.disconnect()
    listener.shop.amo.faults.add("", "timeout", times=None)
    assert hooks.unsubscribe_due() == 0
    assert Unsubscription.objects.count() == 1
    assert hooks.unsubscribe_due() == 0  # not at once

    now = db_clock.now()
    monkeypatch.setattr(db_clock, "now", lambda: now + hooks.FORGET_AFTER + timedelta(seconds=1))
    hooks.unsubscribe_due()
    assert not Unsubscription.objects.exists()


def test_a_crm_that_refuses_us_is_not_asked_again(listener):
    listener.disconnect()
    listener.shop.amo.faults.add("", "answer", status=403, times=None)
    assert hooks.unsubscribe_due() == 0
    assert not Unsubscription.objects.exists()


def test_nothing_is_kept_where_nothing_was_subscribed(owner):
    owner.disconnect()
    assert not Unsubscription.objects.exists()


def test_nothing_is_kept_where_the_crm_refuses_our_tokens(listener):
    account = listener.shop.account
    account.state = "needs_reconnect"
    account.save(update_fields=["state"])
    listener.disconnect()
    assert not Unsubscription.objects.exists()


def test_what_is_kept_for_it_is_sealed(listener):
    token = Token.objects.get().access
    listener.disconnect()
    row = Unsubscription.objects.extra(select={"stored": "access || url"}).get()
    assert token not in row.stored
    assert "/hooks/" not in row.stored
    assert token not in repr(row)


def test_a_crm_that_has_forgotten_the_address_while_it_refused_us_is_told_it_again(listener):
    """An application that is removed takes its subscriptions along; nobody waits a week for the next one."""
    states.needs_reconnect(listener.shop.account, "")
    crm = listener.shop.crm
    (crm.hooks if listener.prefix == "" else crm.bindings).clear()
    assert listener.again().status_code in (200, 302)
    assert hooks.subscribe_due() == 1
    assert len(subscribed(listener)) == 1
