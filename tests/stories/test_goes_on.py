"""What waits goes on by itself soon after its reason is gone, whatever that was and whenever it came.

A CRM answers everything badly for hours, from the reading of its lists on; then it is well again, and a
person does what they were told. Nobody waits for a regular reading of lists, which comes every six hours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts import maintenance, states
from accounts.models import Account
from crm_cache.refresh import sync_due
from rules.delivery import drift, sweep
from rules.models import Delivery
from tests.stories.conftest import passing
from tests.stories.owners import Owner

PAGE = {"body": "<html>no</html>", "content_type": "text/html"}
JSON = {"status": 200, "content_type": "application/json"}
READS = {
    "path": "^(?!.*(/api/post/|/lead/set/|/lead/workset/))"
}  # nonsense for a lead may be taken for its id
TROUBLES: dict[str, dict[str, Any]] = {
    "refuses the sign-in": {"status": 401},
    "is not paid for": {"status": 402},
    "blocks": {"status": 403, **PAGE},
    "is busy": {"status": 429},
    "is broken": {"status": 500},
    "is silent": {"action": "timeout"},
    "says half of it": {**JSON, "body": '{"result": [{"ID"'},
    "says nonsense": {
        **READS,
        **JSON,
        "body": '{"result": [1, null], "_embedded": {"users": [1]}, "payload": 7}',
    },
}


@pytest.fixture
def later(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Time passes, and beat and workers do what is due."""
    passes = passing(monkeypatch, owner.shop.amo)

    def later(**time: float) -> None:
        passes(**time)
        maintenance.refresh_due()
        sync_due()
        drift.check_due()
        owner.shop.work()
        sweep.check_lanes(0)

    return later


def mend(owner: Owner) -> None:
    """The CRM is well again, and a person does what the account's page says."""
    owner.shop.amo.faults.clear()
    account = owner.shop.account
    if account.state == Account.State.PAUSED:
        states.resume(account)
    elif account.state == Account.State.NEEDS_RECONNECT:
        assert owner.again().status_code in (200, 302)
    for unclear in Delivery.objects.filter(held_because="look_first"):  # in a CRM that can't be asked
        assert owner.shop.api.post(f"/deliveries/{unclear.pk}/retry").status_code == 202


def everything_arrives(owner: Owner, later: Callable[..., None]) -> None:
    for _ in range(4):
        later(minutes=5)
    waiting = list(Delivery.objects.exclude(state="delivered").values_list("state", "held_because", "error"))
    assert waiting == []
    assert len(owner.shop.leads) == Delivery.objects.count()


@pytest.mark.parametrize("trouble", TROUBLES)
def test_after_a_sign_in(owner, later, trouble):
    owner.disconnect()
    owner.shop.post()
    assert owner.again().status_code in (200, 302)
    owner.shop.amo.faults.add(times=None, **TROUBLES[trouble])
    for _ in range(6):
        later(hours=1)
    owner.shop.post()
    later(minutes=1)

    mend(owner)
    everything_arrives(owner, later)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_in_a_regular_reading(owner, later, trouble):
    owner.shop.amo.faults.add(times=None, **TROUBLES[trouble])
    later(hours=8)
    owner.shop.post()
    for _ in range(6):
        later(hours=1)

    mend(owner)
    everything_arrives(owner, later)
