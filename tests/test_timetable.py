"""Beat goes on whatever is done to the clock of its machine."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import celery
import pytest

from accounts import task_queue
from accounts.redis_client import redis_client
from config import alive
from config import timetable as beat
from config.celery import app, forget_the_task, name_the_task
from config.timetable import Timetable, taken

HOURS = timedelta(hours=5)
UNTAKEN: set[str] = set()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each task was asked for."""
    tasks: Counter[str] = Counter()

    def keep(self: Timetable, entry: Any, *args: Any, **kwargs: Any) -> None:
        tasks[entry.task] += 1
        if entry.task not in UNTAKEN:
            taken(entry.task)

    monkeypatch.setattr(Timetable, "apply_async", keep)
    for entry in app.conf.beat_schedule.values():
        taken(entry["task"])
    return tasks


def minutes(timetable: Timetable, count: int, now: list[datetime]) -> None:
    """Beat's loop for so long, as it sleeps between two ticks."""
    ends = now[0] + timedelta(minutes=count)
    while now[0] < ends:
        now[0] += timedelta(seconds=max(timetable.tick(), 0.01))


@pytest.mark.parametrize("jump", [-HOURS, HOURS])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_clock_that_is_set_stops_nothing(
    sent: Counter[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, jump: timedelta, restarted: bool
) -> None:
    now = [datetime.now().astimezone()]
    monkeypatch.setattr(celery.Celery, "now", lambda app: now[0])
    timetable = Timetable(app=app, schedule_filename=str(tmp_path / "beat"), lazy=False)
    minutes(timetable, 2, now)
    if restarted:
        timetable.close()
        timetable = Timetable(app=app, schedule_filename=str(tmp_path / "beat"), lazy=False)
    now[0] += jump
    sent.clear()
    minutes(timetable, 3, now)
    timetable.close()
    soon = {entry["task"] for entry in app.conf.beat_schedule.values() if entry["schedule"] <= 60}
    assert soon <= set(sent)
    assert sent["rules.tasks.sweep"] >= 30


def test_what_nobody_takes_is_not_asked_for_again_at_once(
    sent: Counter[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    now = [datetime.now().astimezone()]
    monkeypatch.setattr(celery.Celery, "now", lambda app: now[0])
    timetable = Timetable(app=app, schedule_filename=str(tmp_path / "beat"), lazy=False)
    slow = "rules.tasks.sweep"
    monkeypatch.setattr("tests.test_timetable.UNTAKEN", {slow})
    minutes(timetable, 2, now)
    assert (sent[slow], sent["rules.tasks.review"] >= 20) == (1, True)
    flag = task_queue.flag_of(beat._key(slow))
    assert 0 < redis_client().ttl(flag) <= beat.PATIENCE < alive.SECONDS  # beat's signs of life
    task = SimpleNamespace(name=slow, request=SimpleNamespace(delivery_info={}))
    name_the_task("1", task)  # a worker takes it
    forget_the_task(task)
    minutes(timetable, 1, now)
    assert sent[slow] == 2
    timetable.close()


def test_without_redis_beat_asks_all_the_same(
    sent: Counter[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(task_queue, "redis_client", lambda: 1 / 0)
    now = [datetime.now().astimezone()]
    monkeypatch.setattr(celery.Celery, "now", lambda app: now[0])
    timetable = Timetable(app=app, schedule_filename=str(tmp_path / "beat"), lazy=False)
    minutes(timetable, 1, now)
    timetable.close()
    assert sent["rules.tasks.sweep"] >= 10
