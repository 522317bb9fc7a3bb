"""The portal's time budget: a method rests before it is blocked, for everybody who shares the pace."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis
from django.conf import settings

from connectors.bitrix24.client import OperatingBudget
from connectors.draft import Person, Receipt
from connectors.errors import TryLater
from connectors.limiter import NoRateLimiter, RedisRateLimiter


class Memory(NoRateLimiter):
    """A pace that remembers what rests."""

    def __init__(self) -> None:
        self.rests: dict[str, float] = {}

    def hold(self, what: str, seconds: float) -> None:
        self.rests[what] = max(seconds, self.rests.get(what, 0.0))

    def held(self, what: str) -> float:
        return self.rests.get(what, 0.0)


def took(operating: float, reset_in: float = 300.0) -> dict[str, float]:
    return {
        "finish": 1_790_000_000.5,
        "operating": operating,
        "operating_reset_at": 1_790_000_000.5 + reset_in,
    }


@pytest.mark.parametrize(
    ("time", "rest"),
    [
        (took(100), 0),
        (took(319), 0),
        (took(320), 300),
        (took(400), 300),
        (took(400, 9999), 600),
        (took(400, -5), 0),
        ({"operating": 400}, 0),
        ({}, 0),
        ([], 0),
        (None, 0),
        ({"operating": "much", "operating_reset_at": None, "finish": {}}, 0),
    ],
)
def test_a_method_rests_once_most_of_its_time_is_used(time, rest):
    limiter = Memory()
    OperatingBudget(limiter, 400).note("crm.deal.add", time)
    assert limiter.rests.get("crm.deal.add", 0) == pytest.approx(rest)


def test_a_portal_that_keeps_no_count_needs_no_rest():
    limiter = Memory()
    budget = OperatingBudget(limiter, 0)
    budget.note("crm.deal.add", took(10_000))
    assert (limiter.rests, budget.wait_for("crm.deal.add")) == ({}, 0)


def test_deliveries_wait_before_the_portal_blocks_them(dentist, deliver, draft, journal):
    dentist.limiter = Memory()
    dentist.box.switches["limits"] = True
    dentist.box.switches["costs"] = {"crm.deal.add": 100.0}
    outcomes = []
    for _ in range(6):
        (outcome,) = dentist.connector.deliver([draft()], journal)
        outcomes.append(outcome)
    assert [type(outcome) for outcome in outcomes] == [Receipt] * 4 + [TryLater] * 2
    assert (outcomes[-1].code, outcomes[-1].account_wide) == ("operating_limit", True)
    assert 0 < outcomes[-1].after <= 600
    assert not [entry for entry in dentist.box.journal if entry.status == 429]


def test_after_one_must_wait_the_others_make_nothing_either(dentist, draft, journal):
    """The nameless draft is at its deal while the other's person is still looked for."""
    dentist.limiter = Memory()
    dentist.limiter.hold("crm.deal.add", 60)
    outcomes = dentist.connector.deliver([draft(person=Person()), draft()], journal)
    assert [outcome.code for outcome in outcomes] == ["operating_limit"] * 2
    assert dentist.methods() == ["crm.duplicate.findbycomm"]


def test_a_batchs_commands_are_counted_each(dentist, draft, journal):
    dentist.limiter = Memory()
    dentist.box.switches["limits"] = True
    dentist.box.switches["costs"] = {"crm.contact.add": 180.0}
    dentist.connector.deliver([draft(), draft()], journal)
    assert "crm.contact.add" in dentist.limiter.rests


@pytest.fixture
def limiter() -> Iterator[RedisRateLimiter]:
    server = redis.Redis.from_url(settings.REDIS_URL)
    found = RedisRateLimiter(server, f"test-{uuid4().hex}", 2.0, burst=50)
    yield found
    server.delete(*server.keys(f"{found.slot}*"))
    server.close()


def test_a_rest_is_shared_and_the_longest_counts(limiter):
    limiter.hold("crm.deal.add", 60)
    limiter.hold("crm.deal.add", 5)
    other = RedisRateLimiter(limiter.server, limiter.slot.removeprefix("pace:"), 2.0)
    assert 55 < other.held("crm.deal.add") <= 60
    assert other.held("crm.lead.add") == 0


def test_fifty_requests_may_come_at_once_and_then_two_a_second(limiter):
    waits: list[float] = []
    limiter.sleep = waits.append
    for _ in range(50):
        limiter.wait()
    assert waits == []
    assert 0 < limiter._ask() <= 500_000  # microseconds; the fifty took some of them
