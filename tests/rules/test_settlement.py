"""The five errors and what each of them makes of a delivery."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from connectors.draft import Receipt
from connectors.errors import NeedsReconnect, OurMistake, Refused, RuleNeedsFixing, Stopped, TryLater, Unclear
from rules.delivery.settlement import StillPreparing, died, settlement_of
from rules.models import Delivery


def settle(outcome, can_look=True, send_again=False, **values):
    return settlement_of(Delivery(pk=1, **values), outcome, can_look, send_again)


def seconds_until(settlement):
    return (settlement.due_at - timezone.now()).total_seconds()


@pytest.mark.parametrize(
    ("error", "state", "because", "strikes"),
    [
        (TryLater("busy"), "waiting", "", 1),
        (TryLater("busy", account_wide=True), "waiting", "", 0),
        (StillPreparing("a moment", after=5), "waiting", "", 0),
        (OurMistake("wrong secret"), "waiting", "", 0),
        (Unclear("lost"), "waiting", "", 1),
        (NeedsReconnect("revoked"), "held", "reconnect", 0),
        (Stopped("blocked"), "held", "paused", 0),
        (RuleNeedsFixing("no step"), "held", "fix_rule", 0),
        (Refused("no"), "held", "refused", 1),
    ],
)
def test_each_error_says_what_is_next(error, state, because, strikes):
    settled = settle(error)
    assert (settled.state, settled.held_because, settled.strikes) == (state, because, strikes)
    assert (settled.error, bool(settled.remedy)) == (error.message, state == "held")


def test_an_unclear_lead_is_looked_up_a_minute_later():
    settled = settle(Unclear("lost"))
    assert settled.look_first
    assert seconds_until(settled) > 55


@pytest.mark.parametrize(
    ("can_look", "send_again", "state", "look_first"),
    [(True, False, "waiting", True), (False, True, "waiting", False), (False, False, "held", True)],
)
def test_where_the_crm_cannot_be_asked_a_person_decides_or_the_account_has(
    can_look, send_again, state, look_first
):
    for settled in (
        settle(Unclear("lost"), can_look, send_again),
        died(Delivery(pk=1, write_begun_at=timezone.now()), can_look, send_again),
    ):
        assert (settled.state, settled.look_first) == (state, look_first)
        assert bool(settled.remedy) == (state == "held")


def test_a_lead_once_unclear_stays_so_until_it_arrives():
    assert settle(TryLater("busy"), look_first=True).look_first
    assert not settle(Receipt("qz", {"lead": "7"}), look_first=True).look_first


def test_a_busy_account_costs_its_deliveries_no_pause_of_their_own():
    assert seconds_until(settle(TryLater("busy", account_wide=True, after=3600), strikes=5)) < 1


@pytest.mark.parametrize("wide", [True, False])
def test_after_ten_days_a_person_decides(wide):
    settled = settle(TryLater("busy", account_wide=wide), first_failed_at=timezone.now() - timedelta(days=11))
    assert (settled.state, settled.held_because, bool(settled.remedy)) == ("held", "gave_up", True)


def test_a_receipt_settles_with_its_journal():
    settled = settle(Receipt("qz", {"lead": "7", "contact": "8"}, link="https://crm.example/7"))
    assert (settled.state, settled.remote_id, settled.remote_link) == (
        "delivered",
        "7",
        "https://crm.example/7",
    )
    assert settled.steps == {"lead": "7", "contact": "8"}
