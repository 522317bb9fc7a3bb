"""What every sandbox shares: clock, switches, faults, journal, and waiting outside the lock."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from connectors.sandbox import SANDBOXES, sandbox_class
from connectors.sandbox.amocrm import AmoSandbox
from connectors.sandbox.clock import Clock
from connectors.sandbox.faults import Faults
from connectors.sandbox.journal import Entry, Journal
from connectors.sandbox.wire import Request

ACCOUNT = Request.make("GET", "https://demo7.amocrm.ru/api/v4/account")


def test_every_listed_sandbox_can_be_made():
    assert {sandbox_class(kind)().kind for kind in SANDBOXES} == SANDBOXES.keys()


def test_the_sandboxes_have_ports_of_their_own():
    ports = sorted(sandbox_class(kind).base_port for kind in SANDBOXES)
    assert all(second - first >= 20 for first, second in itertools.pairwise(ports))


# -- clock --------------------------------------------------------------------------------------------


def test_the_clock_runs_until_it_is_frozen():
    clock = Clock()
    clock.advance(3600)
    assert abs(clock.now() - time.time() - 3600) < 1
    clock.freeze(1000)
    clock.sleep(5)
    assert clock.now() == 1005
    clock.set(2000)
    assert clock.unix() == 2000
    clock.thaw()
    assert 2000 <= clock.now() < 2001
    clock.reset()
    assert abs(clock.now() - time.time()) < 1


# -- switches -----------------------------------------------------------------------------------------


def test_an_unknown_switch_or_choice_is_refused(amo):
    with pytest.raises(KeyError, match="no such switch"):
        amo.switches["nope"] = 1
    with pytest.raises(ValueError, match="one of"):
        amo.switches["refresh_grace"] = "maybe"
    amo.switches["refresh_grace"] = "kommo"
    del amo.switches["refresh_grace"]
    assert amo.switches["refresh_grace"] == "strict"


# -- faults -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("matching", "hit"),
    [
        ({"path": "/account"}, True),
        ({"path": "/leads"}, False),
        ({"method": "POST"}, False),
        ({"method": "GET|POST"}, True),
        ({"host": "demo7"}, True),
        ({"host": "demo8"}, False),
        ({"contains": "refresh"}, False),
    ],
)
def test_a_fault_matches_method_path_host_and_body(matching, hit):
    faults = Faults()
    faults.add(**matching)
    assert (faults.pick(ACCOUNT) is not None) is hit


def test_a_fault_skips_then_strikes_some_times():
    faults = Faults()
    faults.add(after=2, times=2)
    assert [faults.pick(ACCOUNT) is not None for _ in range(6)] == [False, False, True, True, False, False]


def test_a_fault_by_chance_is_the_same_for_the_same_seed():
    def run() -> list[bool]:
        faults = Faults()
        faults.add(times=None, probability=0.3, seed=7)
        return [faults.pick(ACCOUNT) is not None for _ in range(100)]

    assert run() == run()
    assert 10 < sum(run()) < 50


def test_an_unknown_action_is_refused():
    with pytest.raises(ValueError, match="unknown action"):
        Faults().add(action="explode")


def test_a_fault_can_be_taken_back(amo, api):
    fault = amo.faults.add("/account", times=None)
    assert api.get("/account").status == 500
    amo.faults.remove(fault.id)
    assert api.get("/account").status == 200


def test_a_fault_may_have_a_body_of_its_own(amo, api):
    amo.faults.add(
        "/account", status=503, body='{"a":1}', content_type="application/json", headers={"Retry-After": "9"}
    )
    reply = api.get("/account")
    assert (reply.status, reply.value(), reply.headers["Retry-After"]) == (503, {"a": 1}, "9")


# -- journal ------------------------------------------------------------------------------------------


def test_the_journal_is_bounded_and_counts_on():
    journal = Journal(size=3)
    for number in range(5):
        journal.record(Entry(number, ACCOUNT, "GET /account", 200))
    assert (len(journal), journal.total, journal.counts["GET /account"]) == (3, 5, 5)
    assert [entry.at for entry in journal] == [2, 3, 4]


def test_the_journal_is_bounded_in_bytes_too():
    journal = Journal(max_bytes=100)
    large = Request.make("POST", "https://demo7.amocrm.ru/", body=b"x" * 40)
    for number in range(5):
        journal.record(Entry(number, large, "POST /", 200))
    assert [entry.at for entry in journal] == [3, 4]


# -- overlap ------------------------------------------------------------------------------------------


def test_waiting_happens_outside_the_lock():
    amo = AmoSandbox()
    amo.add_account("demo7")
    barrier = threading.Barrier(5, timeout=5)
    amo.clock.sleep = lambda seconds: barrier.wait() if seconds else None  # passes only if all wait at once
    amo.switches["latency"] = 0.3
    url, statuses = "https://demo7.amocrm.ru/api/v4/account", []
    threads = [
        threading.Thread(target=lambda: statuses.append(amo.handle("GET", url).status)) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert statuses == [401] * 5


def test_latency_moves_a_frozen_clock(amo, api):
    amo.switches["latency"] = 0.3
    before = amo.clock.now()
    api.get("/account")
    assert amo.clock.now() == pytest.approx(before + 0.3)


# -- size ---------------------------------------------------------------------------------------------


def test_many_leads_do_not_slow_the_hot_paths(amo, account, api):
    """No scan over all cards: with 20 times the leads, the same work looks at the same few rows."""

    def fill(count: int, start: int) -> None:
        for number in range(start, start + count, 50):
            rows = [
                {
                    "name": f"qz-{index}",
                    "_embedded": {
                        "contacts": [
                            {
                                "custom_fields_values": [
                                    {"field_code": "PHONE", "values": [{"value": f"+7999{index:07d}"}]}
                                ]
                            }
                        ]
                    },
                }
                for index in range(number, number + 50)
            ]
            assert api.post("/leads/complex", rows).status == 200

    def cost() -> float:
        best = []
        for _ in range(5):
            begun = time.perf_counter()
            assert len(api.get("/contacts", query="9990000007").value()["_embedded"]["contacts"]) == 1
            assert api.names("/leads", query="qz-7") == ["qz-7"]
            assert api.get("/leads", **{"order[created_at]": "desc", "limit": 50}).status == 200
            best.append(time.perf_counter() - begun)
        return min(best)

    fill(100, 0)
    few = cost()
    fill(2000, 100)
    assert cost() < few * 5
