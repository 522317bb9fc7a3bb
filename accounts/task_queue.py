"""Asking workers for tasks, by name: whoever asks imports none of them, and waits for no broker. A task that
several ask for waits once (``is_first``)."""

from __future__ import annotations

import structlog
from celery import current_app
from django.conf import settings

from accounts.redis_client import redis_client
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


def is_first(key: str, seconds: int) -> bool:
    """Does nobody's message of this ``key`` wait? Then the caller's does, until it is ``taken``, for so many
    seconds by Redis' clock at most. Raises Redis' errors."""
    return bool(redis_client().set(flag_of(key), 1, nx=True, ex=seconds))


def taken(key: str) -> None:
    """A worker has begun: whoever asks from now on wants it done again. Raises nothing."""
    try:
        redis_client().delete(flag_of(key))
    except Exception as exc:
        log.warning("the message counts as waiting for a while", key=key, error=type(exc).__name__)


def flag_of(key: str) -> str:
    return f"{settings.REDIS_PREFIX}{key}"
