"""Every kind of work has a queue, and every queue somebody who consumes it."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from kombu.utils.imports import symbol_by_name

from accounts import worker_threads
from accounts.worker_threads import worker
from config.celery import QUEUES, app, measure
from config.serving import worker as command

PROJECT = Path(__file__).resolve().parents[1]
DELIVERING = {"rules.tasks.drain", "rules.tasks.sweep"}


def ours() -> list[str]:
    app.loader.import_default_modules()
    return [name for name in app.tasks if not name.startswith("celery.")]


def queue_of(task: str) -> str:
    return str(app.amqp.router.route({}, task)["queue"].name)


def test_nothing_that_may_wait_for_a_crm_stands_in_the_queue_of_deliveries():
    assert {task for task in ours() if queue_of(task) == "deliver"} == DELIVERING
    assert {queue_of(task) for task in ours()} == set(QUEUES)


def test_a_flood_of_events_waits_in_a_line_of_its_own(monkeypatch):
    """They have a queue and threads of their own: while those are busy, other work is done."""
    sending = {"accounts.tasks.dispatch_events", "accounts.tasks.send_webhooks"}
    assert {task for task in ours() if queue_of(task) == "events"} == sending
    monkeypatch.setattr(worker, "threads", 5)
    begun, slow, done = threading.Event(), threading.Event(), []

    def post() -> None:
        begun.set()
        slow.wait(20)

    thread = threading.Thread(target=worker_threads.events.do, args=("first", post))
    thread.start()
    assert begun.wait(20)
    assert not worker_threads.events.do("second", lambda: done.append("event"))
    assert worker_threads.sync.do("lists", lambda: done.append("lists"))
    assert worker_threads.maintenance.do("tokens", lambda: done.append("tokens"))
    slow.set()
    thread.join(20)
    assert done == ["lists", "tokens", "event"]


def test_the_timetable_names_tasks_that_there_are_and_goes_by_no_workers_clock():
    for entry in app.conf.beat_schedule.values():
        assert entry["task"] in ours()
        assert "expires" not in entry.get("options", {})


def test_the_composed_workers_consume_every_queue():
    services = yaml.safe_load((PROJECT / "compose.yaml").read_text())["services"]
    named = [word for one in services.values() for word in one.get("command", ()) if "--queues=" in word]
    assert sorted(",".join(word.partition("=")[2] for word in named).split(",")) == sorted(QUEUES)


def test_a_worker_without_a_choice_consumes_every_queue():
    assert not any("queues" in word or word == "-Q" for word in command())
    assert set(app.amqp.queues.consume_from) == set(QUEUES)


@pytest.mark.parametrize(("queues", "part"), [(QUEUES, 2), (QUEUES[1:], 3), (["sync"], 12)])
def test_a_worker_shares_its_threads_among_the_queues_it_consumes(monkeypatch, queues, part):
    monkeypatch.setattr(worker, "threads", 0)
    monkeypatch.setattr(worker, "queues", 0)
    chosen = SimpleNamespace(consume_from=dict.fromkeys(queues))
    measure(SimpleNamespace(concurrency=12, app=SimpleNamespace(amqp=SimpleNamespace(queues=chosen))))
    assert worker.part() == part


def test_a_worker_outlives_a_connection_that_cannot_be_closed(monkeypatch):
    class Lost:
        transport, connection_errors, channel_errors = None, (ConnectionError,), ()

        def collect(self, **_):
            """As Kombu does first: it forgets where the broker is."""

        def close(self):
            return None.hostname

    kind = symbol_by_name(app.conf.worker_consumer)
    worker = kind.__new__(kind)
    worker.connection = Lost()
    worker.on_connection_error_after_connected(ConnectionError("Redis is restarted"))
    assert worker.connection is None
