"""Where a delivery stands, screens say what its lane will really do: one row for each state there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.crm_settings import rate_limiter_for
from accounts.models import Account, Lane
from accounts.redis_client import redis_client
from rules.delivery.next_try import next_try
from rules.models import Delivery
from tests.admin.test_pages import page_of

SOON, LATER = timedelta(minutes=5), timedelta(minutes=20)


@pytest.fixture(autouse=True)
def paced(settings: Any) -> None:
    """A pace of its own, which the whole account shares through Redis."""
    options = replace(settings.CRM_OPTIONS["amocrm"], requests_per_second=7)
    settings.CRM_OPTIONS = {**settings.CRM_OPTIONS, "amocrm": options}
    for key in redis_client().scan_iter(f"pace:{settings.REDIS_PREFIX}*"):
        redis_client().delete(key)


def seen(delivery: Delivery) -> tuple[Any, str]:
    told = next_try(Delivery.objects.select_related("account").get(pk=delivery.pk))
    return told.at, told.waits_for


@pytest.mark.parametrize(
    ("state", "more", "words"),
    [
        ("waiting", {"due_at": timezone.now() - LATER}, "It is due"),
        ("sending", {"claimed_at": timezone.now()}, "It is being sent."),
        ("delivered", {}, ""),
        ("held", {}, "A person: Ask them."),
        ("held", {"held_because": "look_first", "remedy": ""}, "A person: may have arrived"),
        ("held", {"held_because": "stale", "remedy": ""}, "A person: waited too long"),
        ("held", {"held_because": "reconnect"}, "Its account is back"),
    ],
)
def test_no_moment_is_named_that_has_passed_or_that_nobody_knows(
    deliver: Callable[..., Delivery], state: str, more: dict[str, Any], words: str
) -> None:
    at, told = seen(deliver(state, **more))
    assert at is None
    assert told.startswith(words)
    assert bool(told) == bool(words)


@pytest.mark.parametrize(
    ("look_first", "words"),
    [(False, "The pause before its next try."), (True, "An earlier try ended unclear")],
)
def test_a_pause_of_its_own_ends_at_a_moment(
    deliver: Callable[..., Delivery], look_first: bool, words: str
) -> None:
    due = timezone.now() + SOON
    at, told = seen(deliver(due_at=due, look_first=look_first))
    assert at == due
    assert told.startswith(words)


def test_a_lane_that_rests_tries_nothing_before(shop: Account, deliver: Callable[..., Delivery]) -> None:
    rests = timezone.now() + SOON
    Lane.objects.update(rests_until=rests, failures=2)
    later = timezone.now() + LATER
    at, told = seen(deliver())
    assert at == rests
    assert "rests" in told
    assert seen(deliver(due_at=later))[0] == later


def test_a_rest_that_is_over_holds_nothing_up(shop: Account, deliver: Callable[..., Delivery]) -> None:
    Lane.objects.update(rests_until=timezone.now() - SOON, failures=2)
    assert seen(deliver()) == (None, "It is due and goes with the lane's next turn.")


def test_what_the_crm_allows_no_more_for_a_while_holds_the_lane_up(
    shop: Account, deliver: Callable[..., Delivery]
) -> None:
    rate_limiter_for(shop.crm, shop.remote_id).hold("crm.deal.add", 300)
    at, told = seen(deliver())
    assert at is not None
    assert timedelta(minutes=4) < at - timezone.now() <= timedelta(minutes=5, seconds=1)
    assert "crm.deal.add" in told


def test_behind_a_stop_sign_nothing_has_a_moment(shop: Account, deliver: Callable[..., Delivery]) -> None:
    limiter = rate_limiter_for(shop.crm, shop.remote_id)
    limiter.stop("blocked")
    assert seen(deliver(due_at=timezone.now() + SOON)) == (
        None,
        "Requests to this account are stopped: resume the account.",
    )
    limiter.resume()
    assert seen(deliver())[1].startswith("It is due")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("needs_reconnect", "Connect the account again."),
        ("paused", "Resume the account."),
        ("connecting", "Finish connecting it."),
        ("disconnected", "Connect it again"),
    ],
)
@pytest.mark.parametrize("of", ["waiting", "held"])
def test_an_account_that_is_away_is_named_with_its_remedy(
    shop: Account, deliver: Callable[..., Delivery], state: str, words: str, of: str
) -> None:
    Account.objects.update(state=state, deleted=state == "disconnected")
    because = {"held_because": "reconnect"} if of == "held" else {"due_at": timezone.now() + SOON}
    at, told = seen(deliver(of, **because))
    assert at is None
    assert words in told


def test_pages_show_it(viewer: Client, shop: Account, deliver: Callable[..., Delivery]) -> None:
    row = deliver(due_at=timezone.now() - LATER)
    html = viewer.get(page_of(row)).content.decode()
    assert "It is due and goes with the lane" in html
    assert "First try" not in html
    assert "due now" in viewer.get("/admin/rules/delivery/").content.decode()
    assert "It is due and goes with the lane" in viewer.get("/admin/").content.decode()

    Lane.objects.update(rests_until=timezone.now() + SOON)
    shown = timezone.localtime(timezone.now() + SOON)
    assert f"First try {shown:%d.%m.%Y}" in viewer.get(page_of(row)).content.decode()


def test_a_held_delivery_of_an_account_that_is_back_no_longer_asks_for_connecting(
    viewer: Client, deliver: Callable[..., Delivery]
) -> None:
    row = deliver("held", held_because="reconnect", remedy="Connect the account again.")
    html = viewer.get(page_of(row)).content.decode()
    assert "Its account is back" in html
    assert "Connect the account again." not in html


def test_the_database_alone_is_asked_where_nobody_may_wait(
    shop: Account, deliver: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rules.delivery import next_try as module

    row = Delivery.objects.select_related("account").get(pk=deliver().pk)
    monkeypatch.setattr(module, "rate_limiter_for", lambda *_: pytest.fail("Redis was asked"))
    assert module.next_tries([row], ask_pace=False)[row.pk].waits_for.startswith("It is due")
