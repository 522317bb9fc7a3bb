"""Is the process up, and can it work? For probes, without a token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait

import structlog
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from accounts.redis_client import redis_client

TIMEOUT = 1.5  # seconds: probes give up after two
log = structlog.stdlib.get_logger(__name__)


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """The database and the broker answer; 503 names the one that doesn't."""
    parts = _answer_in_time({"database": _database, "broker": redis_client().ping})
    ready = all(parts.values())
    words = {name: "ok" if works else "out of reach" for name, works in parts.items()}
    return JsonResponse({"status": "ok" if ready else "not ready", **words}, status=200 if ready else 503)


def _answer_in_time(parts: Mapping[str, Callable[[], object]]) -> dict[str, bool]:
    """Each is asked in a thread of its own; whoever has not answered after ``TIMEOUT`` is out of reach."""
    pool = ThreadPoolExecutor(len(parts), "readyz")
    asked = {name: pool.submit(_works, ask) for name, ask in parts.items()}
    wait(asked.values(), timeout=TIMEOUT)
    pool.shutdown(wait=False)
    return {name: future.done() and future.result() for name, future in asked.items()}


def _database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()  # of this thread


def _works(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except Exception as exc:
        log.warning("a part is out of reach", error=type(exc).__name__)
        return False
    return True
