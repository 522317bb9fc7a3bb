"""Asking workers for tasks, by name: whoever asks imports none of them, and waits for no broker."""

from __future__ import annotations

import structlog
from celery import current_app

from connectors.out_of_reach import OutOfReach

log = structlog.stdlib.get_logger(__name__)
broker = OutOfReach(5.0)


def ask(task: str, *ids: int, seconds: float = 0) -> bool:
    """Queue a task, to be begun in ``seconds``. False where the broker is away: what is to be done stands in
    the database, and beat finds it there. Raises nothing."""
    if broker.rests():
        return False
    try:
        current_app.send_task(task, list(ids), countdown=seconds or None)
    except Exception as exc:
        broker.was_silent()
        log.warning("the task waits for beat", asked=task, ids=ids, error=type(exc).__name__)
        return False
    return True
