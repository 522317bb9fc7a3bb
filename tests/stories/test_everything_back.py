"""An account leaves with deliveries in every state and comes back: what can go on does, the rest stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts import db_clock, states
from accounts.models import Lane
from rules.delivery import sweep
from rules.models import Delivery
from tests.stories.conftest import passing
from tests.stories.owners import Owner

GOES_ON = {"due", "later", "sending", "paused", "reconnect", "disconnected"}
STAYS = {
    "refused",
    "gave_up",
    "look_first",
    "stale",
    "cancelled",
    "left_out",
    "erased",
    "rule_paused",
    "fix_rule",
}


def as_it_may_be(name: str) -> dict[str, Any]:
    """Columns of a delivery."""
    now = db_clock.now()
    if name == "due":
        return {}
    if name == "later":
        return {
            "due_at": now + timedelta(minutes=10),
            "strikes": 3,
            "attempts_made": 3,
            "first_failed_at": now,
        }
    if name == "sending":
        return {"state": "sending", "claimed_at": now}
    return {"state": "held", "held_because": name}


@pytest.fixture
def later(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> Any:
    return passing(monkeypatch, owner.shop.amo)


def held() -> dict[int, str]:
    return dict(Delivery.objects.filter(state="held").values_list("pk", "held_because"))


@pytest.mark.parametrize("way", ["disconnected", "signed out", "paused"])
def test_an_account_that_comes_back(owner: Owner, later: Any, way: str) -> None:
    ids: dict[str, int] = {}
    for name in sorted(GOES_ON | STAYS):
        owner.shop.post()
        ids[name] = Delivery.objects.latest("pk").pk
        Delivery.objects.filter(pk=ids[name]).update(**as_it_may_be(name))
    Lane.objects.update(holder="dead", lease_until=db_clock.now() + timedelta(seconds=30))

    if way == "disconnected":
        owner.disconnect()
    elif way == "signed out":
        states.needs_reconnect(owner.shop.account, "")
    else:
        states.pause(owner.shop.account, "")
    sweep.review()
    later(minutes=1)
    for _ in range(2):  # what a dead worker left is freed, and then held
        sweep.review()
    assert {pk: because for pk, because in held().items() if pk in {ids[name] for name in STAYS}} == {
        ids[name]: name for name in STAYS
    }
    assert len(held()) == len(ids)
    assert owner.shop.leads == []

    if way == "paused":
        states.resume(owner.shop.account)
    else:
        assert owner.again().status_code in (200, 302)
    for _ in range(4):
        later(minutes=4)
        owner.shop.work()
    mended = set() if way == "paused" else {"fix_rule"}  # the lists are read anew, and nothing is wrong there
    assert held() == {ids[name]: name for name in STAYS - mended}
    assert len(owner.shop.leads) == len(GOES_ON | mended)
