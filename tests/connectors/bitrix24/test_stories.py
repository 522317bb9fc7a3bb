"""Batches of one account that are under way at a time share requests, and the account's troubles."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from typing import Any

import pytest

from connectors.bitrix24.connector import BitrixConnector
from connectors.draft import LeadDraft, Receipt
from connectors.errors import ConnectorError, Stopped, TryLater, Unclear
from connectors.limiter import RateLimiter
from tests.connectors.bitrix24.harness import methods_of
from tests.connectors.cast import Notebook

FIND, CONTACT, DEAL = "crm.duplicate.findbycomm", "crm.contact.add", "crm.deal.add"
PATIENCE = 20.0  # seconds; nothing here lasts one


class Gate(RateLimiter):
    """No request goes before all batches have begun; ``stopped`` none at all."""

    def __init__(self, connector: BitrixConnector, drafts: int) -> None:
        self.connector, self.drafts = connector, drafts
        self.open = self.stopped = False

    def wait(self) -> None:
        for _ in range(int(PATIENCE / 0.01)):
            if self.open or len(self.connector.pool._wants) == self.drafts:
                self.open = True
                break
            threading.Event().wait(0.01)
        if self.stopped:
            raise Stopped("blocked", code="blocked")


class Told(RateLimiter):
    """A batch's own: what it is told, and what it says to writes."""

    def __init__(self, gate: Gate, refuses: bool = False) -> None:
        self.gate, self.refuses = gate, refuses
        self.writes = 0

    def wait(self) -> None:
        self.gate.wait()

    def about_to_write(self) -> None:
        self.writes += 1
        if self.refuses:
            raise TryLater("the lane is somebody else's", code="lane_lost")


class Batches:
    """Several at a time, each in a thread of its own, with its journal and its limiter."""

    def __init__(self, connector: BitrixConnector, drafts: Sequence[Sequence[LeadDraft]]) -> None:
        self.gate = Gate(connector, sum(map(len, drafts)))
        self.drafts = drafts
        self.journals = [Notebook() for _ in drafts]
        self.limiters = [Told(self.gate) for _ in drafts]
        self.connector = connector

    def run(self) -> list[list[Any]]:
        """What became of each batch."""
        with ThreadPoolExecutor(len(self.drafts)) as threads:
            tasks = [threads.submit(self._deliver, number) for number in range(len(self.drafts))]
            return [task.result(PATIENCE) for task in tasks]

    def kept(self, step: str) -> int:
        """For how many a step was recorded."""
        return len(
            {uid for one in self.journals for entry in one.entries for uid in entry if one.of(uid).get(step)}
        )

    def _deliver(self, number: int) -> list[Any]:
        own = copy(self.connector)
        own.limiter = self.limiters[number]
        return own.deliver(self.drafts[number], self.journals[number])


@pytest.fixture
def batches(dentist, draft) -> Callable[..., Batches]:
    return lambda *sizes: Batches(dentist.connector, [[draft() for _ in range(size)] for size in sizes])


def test_one_request_has_what_several_batches_want(dentist, batches):
    together = batches(10, 10, 10)
    outcomes = together.run()
    assert [[one.uid for one in batch] for batch in outcomes] == [
        [one.uid for one in drafts] for drafts in together.drafts
    ]
    assert all(isinstance(one, Receipt) for batch in outcomes for one in batch)
    assert len(dentist.leads) == len(dentist.contacts) == 30
    looking = [entry for entry in dentist.box.journal if FIND in " ".join(methods_of(entry))]
    assert len(looking) == 1
    for drafts, journal in zip(together.drafts, together.journals, strict=True):
        assert {uid for entry in journal.entries for uid in entry} == {one.uid for one in drafts}
        assert all(journal.of(one.uid)["lead"] for one in drafts)


def test_whoever_is_in_the_request_alone_sees_nobody_elses_part(batches):
    first, second = batches(1, 1).run()
    for (one,), (other,) in ((first, second), (second, first)):
        told = " ".join(f"{exchange.request} {exchange.response}" for exchange in one.trace)
        assert one.uid in told
        assert other.uid not in told


def test_each_batch_is_told_before_its_first_write(batches):
    together = batches(3, 3)
    together.run()
    assert all(limiter.writes for limiter in together.limiters)


def test_nothing_is_written_of_a_request_that_one_of_its_batches_forbids(dentist, batches):
    together = batches(5, 5)
    together.limiters[1].refuses = True
    outcomes = together.run()
    refused = [one for batch in outcomes for one in batch if isinstance(one, ConnectorError)]
    assert {type(one) for one in refused} == {TryLater}
    assert {one.code for one in outcomes[1]} == {"lane_lost"}
    assert len(dentist.contacts) == sum(isinstance(one, Receipt) for one in outcomes[0])


def test_what_stops_the_account_ends_all_batches(dentist, batches):
    together = batches(100, 100, 100)
    together.gate.stopped = True
    outcomes = together.run()
    assert {(type(one), one.account_wide) for batch in outcomes for one in batch} == {(Stopped, True)}
    assert len(dentist.box.journal) == 0


def test_an_answer_that_is_lost_leaves_only_its_own_request_unclear(dentist, batches):
    """The portal has done the work; whoever was in no request is known to be unsent."""
    dentist.box.faults.add("", "reset_after", nth=3)  # two look everybody up
    together = batches(60, 60)
    outcomes = [one for batch in together.run() for one in batch]
    unclear = [one for one in outcomes if isinstance(one, Unclear)]
    assert 0 < len(unclear) == len(dentist.contacts) - together.kept("contact")
    assert {type(one) for one in outcomes if one not in unclear} == {TryLater}


def test_ids_that_are_not_recorded_end_all_batches(dentist, batches, monkeypatch):
    """What comes next might not be recorded either: but for requests under way, nothing is written."""
    together = batches(120, 120)
    lost, requests = together.journals[1], []

    def record(done: Any) -> None:
        requests.append(done)
        raise OSError("the database is away")

    monkeypatch.setattr(lost, "record", record)
    outcomes = together.run()
    assert all(isinstance(one, ConnectorError) for one in outcomes[1])
    unclear = [one for batch in outcomes for one in batch if isinstance(one, Unclear)]
    kept = {
        uid for entry in together.journals[0].entries for uid, steps in entry.items() if "contact" in steps
    }
    assert len(dentist.contacts) <= len(unclear) + len(kept)
    assert 1 <= len(requests) <= 2  # each thread has one under way
    assert len(dentist.leads) < 240
