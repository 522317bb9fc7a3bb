"""The Celery app, its queues, and the beat timetable (static: nothing of it lives in a database).

Each kind of work has a queue of its own. A worker consumes all of them, or those that ``-Q`` names; either
way no kind takes all of its threads (``accounts.worker_threads``, ``rules.delivery.concurrency``).
"""

import os
import sys
import time
from typing import Any

from celery import Celery
from celery.signals import (
    beat_init,
    task_postrun,
    task_prerun,
    worker_init,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)
from kombu.entity import Queue
from structlog.contextvars import bind_contextvars, clear_contextvars

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# A starting worker would run Django's checks, which takes a second, and tell nobody what they say.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

QUEUES = ("deliver", "sync", "follow", "maintenance", "events")
STOP_SECONDS = 90.0  # a lane that is under way ends its batches, not its slice

app = Celery("quiz_crm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["accounts", "crm_cache", "rules"])
app.conf.task_queues = [Queue(name, routing_key=name) for name in QUEUES]
app.conf.task_default_queue = "maintenance"
app.conf.beat_scheduler = "config.timetable:Timetable"
app.conf.task_routes = {
    "rules.tasks.drain": {"queue": "deliver"},
    "rules.tasks.sweep": {"queue": "deliver"},  # it wakes lanes and asks nobody
    "crm_cache.tasks.sync_account": {"queue": "sync"},
    "crm_cache.tasks.sync_due": {"queue": "sync"},
    "crm_cache.tasks.read_contacts": {"queue": "sync"},
    "crm_cache.tasks.read_contacts_due": {"queue": "sync"},
    "rules.tasks.follow": {"queue": "follow"},
    "rules.tasks.follow_due": {"queue": "follow"},
    "rules.tasks.hint_new": {"queue": "follow"},
    "rules.tasks.look_again": {"queue": "follow"},
    "rules.tasks.look_again_due": {"queue": "follow"},
    "rules.tasks.reconcile": {"queue": "follow"},
    "rules.tasks.reconcile_due": {"queue": "follow"},
    "accounts.tasks.dispatch_events": {"queue": "events"},
    "accounts.tasks.send_webhooks": {"queue": "events"},
}


def every(seconds: float, task: str) -> dict[str, Any]:
    """An entry of the timetable. Its messages have no ``expires``: a worker compares that with a clock of its
    own, and drops them all where that is ahead. ``config.timetable`` keeps them from piling up."""
    return {"task": task, "schedule": seconds}


TIMETABLE = {
    "refresh tokens that are due": every(60.0, "accounts.tasks.refresh_due"),
    "forget connections nobody finished": every(3600.0, "accounts.tasks.expire_attempts"),
    "ask CRMs to tell of changes": every(60.0, "accounts.tasks.subscribe_due"),
    "ask CRMs to tell no more": every(60.0, "accounts.tasks.unsubscribe_due"),
    "post events to webhooks": every(5.0, "accounts.tasks.dispatch_events"),
    "delete old events": every(3600.0, "accounts.tasks.purge_events"),
    "ask which rights are missing": every(60.0, "accounts.tasks.check_due"),
    "sync lists that are due": every(30.0, "crm_cache.tasks.sync_due"),
    "read contacts that are due": every(30.0, "crm_cache.tasks.read_contacts_due"),
    "wake lanes with due deliveries": every(5.0, "rules.tasks.sweep"),
    "hold and release deliveries": every(5.0, "rules.tasks.review"),
    "mend lanes that were missed": every(60.0, "rules.tasks.check_lanes"),
    "go on with bulk runs": every(30.0, "rules.tasks.run_bulk_due"),
    "prepare rules that wait": every(30.0, "rules.tasks.prepare_due"),
    "read again what rules name": every(60.0, "rules.tasks.check_drift"),
    "look what became of leads": every(60.0, "rules.tasks.follow_due"),
    "look again at what was unclear": every(60.0, "rules.tasks.look_again_due"),
    "reconcile accounts at night": every(60.0, "rules.tasks.reconcile_due"),
    "look for incidents": every(60.0, "rules.tasks.look_for_incidents"),
    "count figures for charts": every(60.0, "rules.tasks.count_figures"),
    "send the figures of the day": every(600.0, "rules.tasks.send_digest"),
    "forget people who asked for it": every(60.0, "rules.tasks.erase_due"),
    "purge payloads past their retention": every(3600.0, "rules.tasks.purge"),
}
PERIODIC = frozenset(entry["task"] for entry in TIMETABLE.values())
app.conf.beat_schedule = TIMETABLE


@worker_init.connect
def measure(sender: Any, **_: Any) -> None:
    """Tell the process how many threads it has, and for how many kinds of work beside deliveries."""
    from accounts.worker_threads import worker

    # A thread that comes back from the network or the database waits for each that computes: briefly.
    sys.setswitchinterval(0.001)
    worker.threads = sender.concurrency
    worker.queues = max(1, len(sender.app.amqp.queues.consume_from))


@worker_shutting_down.connect
def begin_nothing_more(**_: Any) -> None:
    from accounts.worker_threads import worker

    worker.ends.set()


@worker_shutdown.connect
def bring_lanes_home(**_: Any) -> None:
    from rules.delivery.concurrency import lanes

    lanes.close(STOP_SECONDS)


@task_prerun.connect
def name_the_task(task_id: str, task: Any, **_: Any) -> None:
    """Every log record made by a task says which one it was."""
    from accounts.counters import counters
    from config.timetable import taken

    clear_contextvars()
    bind_contextvars(task=task.name, task_id=task_id)
    if task.name in PERIODIC:
        taken(task.name)
    task.request.begun = time.monotonic()
    counters.busy(_queue_of(task), 1)


@task_postrun.connect
def forget_the_task(task: Any, **_: Any) -> None:
    """Its seconds are those of the message: a lane that lasts goes on in a thread of its own."""
    from accounts.counters import counters

    clear_contextvars()
    counters.observe("task_seconds", time.monotonic() - task.request.begun, task=task.name)
    counters.busy(_queue_of(task), -1)


def _queue_of(task: Any) -> str:
    return str((task.request.delivery_info or {}).get("routing_key") or "none")


@worker_ready.connect
def worker_is_watched(**_: Any) -> None:
    """By the health check of its container."""
    from config.alive import watch_worker

    watch_worker()


@beat_init.connect
def beat_is_watched(**_: Any) -> None:
    """By the health check of its container."""
    from config.alive import watch_beat

    watch_beat()
