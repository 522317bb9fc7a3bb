"""Posting events to webhook endpoints: at least once, of one quiz account in order while they are taken.

An endpoint is served by one worker at a time, a window of events after the other; in a window the events of
different quiz accounts go side by side. While it takes anything, what it does not take is put aside
(``WebhookRetry``) and tried again by itself, so that one bad event never holds back the others. While it
takes nothing, its place stays, and only one or two events are tried now and then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from rest_framework.renderers import JSONRenderer

from accounts import db_clock, retry_plan
from accounts.events import endpoints, feed, signing
from accounts.events.models import Event, WebhookEndpoint, WebhookRetry
from accounts.secrets import WrongKey
from accounts.serializers.events import write_event
from accounts.task_queue import ask
from accounts.worker_threads import worker
from connectors.errors import ConnectorError, TryLater
from connectors.http import Answer, HttpClient
from connectors.messages import message
from connectors.ssrf_guard import vet

log = structlog.stdlib.get_logger(__name__)
WINDOW = 50  # events
PROBES = 2  # events that are tried where the last window failed: the first may be the only bad one
PARALLEL = 4  # requests to one endpoint at a time
FRUITLESS = 4  # failures after which a window without a success ends
SLICE = 20.0  # seconds until others have their turn
WINDOW_SECONDS = 30.0  # no request begins later
LEASE = timedelta(minutes=2)  # longer than a window lasts, with the last request's time-outs
TIMEOUT = (3.0, 5.0)  # seconds to connect and to read; an answer is whole within thrice the latter
MOST_ANSWER = 64 * 1024  # bytes
LONGEST_REST = 3600.0  # seconds until an endpoint that takes nothing is tried again
MOST_ASKED = 12 * 3600.0  # seconds of Retry-After that are obeyed
GIVE_UP = timedelta(days=5)  # of failing: for an event that was put aside, and for an endpoint


@dataclass(slots=True)
class Try:
    """One event on its way: ``error`` and ``after`` say what came of it, empty where it was taken."""

    event: Event
    retry: WebhookRetry | None = None
    sent: bool = False
    error: str = ""
    gone: bool = False
    after: float = 0.0

    @property
    def taken(self) -> bool:
        return self.sent and not self.error


@dataclass(slots=True)
class Window:
    """What is sent at a time; ``ends_at`` is the endpoint's place once it is done."""

    tries: Sequence[Try]
    ends_at: int
    failed: int = 0
    taken: int = 0
    until: float = field(default_factory=lambda: time.monotonic() + WINDOW_SECONDS)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def goes_on(self) -> bool:
        fruitless = not self.taken and self.failed >= FRUITLESS
        return not fruitless and time.monotonic() < self.until and not worker.ends.is_set()


def dispatch() -> None:
    """Give events their places, and have every endpoint served that has something to get."""
    while feed.number() == feed.AT_ONCE and not worker.ends.is_set():
        pass
    for pk in due():
        ask("accounts.tasks.send_webhooks", pk)


def due() -> list[int]:
    """Endpoints that nobody serves and that have something to get now."""
    now = db_clock.now()
    aside = WebhookRetry.objects.filter(endpoint=OuterRef("pk"), due_at__lte=now)
    return list(_free(now).filter(Q(place__lt=feed.newest()) | Exists(aside)).values_list("pk", flat=True))


def _free(now: datetime) -> QuerySet[WebhookEndpoint]:
    """Endpoints that nobody serves and that may be tried."""
    return endpoints.live().filter(enabled=True).exclude(lease_until__gt=now).exclude(due_at__gt=now)


def send(pk: int) -> int:
    """Serve an endpoint until nothing is left, it fails, or its slice is over; how many events it took."""
    ends, taken = time.monotonic() + SLICE, 0
    lease = _take(pk)
    while lease and not worker.ends.is_set():
        endpoint = _read(pk)
        if endpoint is None:
            break
        window = _next_window(endpoint)
        if window is None:
            break
        connection.close()  # the other side may think for a while
        _post_all(endpoint, window)
        taken += window.taken
        if not _settle(endpoint, lease, window):
            break
        if time.monotonic() > ends:
            ask("accounts.tasks.send_webhooks", pk)
            break
        lease = _renew(pk, lease)
    if lease:
        WebhookEndpoint.objects.filter(pk=pk, lease_until=lease).update(lease_until=None)
    return taken


def _read(pk: int) -> WebhookEndpoint | None:
    """With its secrets; None where none of our keys opens them, which counts as a failure."""
    try:
        return WebhookEndpoint.objects.defer(None).get(pk=pk)
    except WrongKey:
        now, rows = db_clock.now(), WebhookEndpoint.objects.filter(pk=pk)
        rows.filter(failing_since=None).update(failing_since=now)
        words = message("Its secret opens with none of our keys: make a new one")
        rows.update(failures=F("failures") + 1, error=words, due_at=now + timedelta(seconds=LONGEST_REST))
        return None


def _take(pk: int) -> datetime | None:
    """The lease, which is known by the moment at which it ends; None where somebody else has it."""
    now = db_clock.now()
    return now + LEASE if _free(now).filter(pk=pk).update(lease_until=now + LEASE) else None


def _renew(pk: int, lease: datetime) -> datetime | None:
    until = db_clock.now() + LEASE
    mine = endpoints.live().filter(pk=pk, enabled=True, lease_until=lease)
    return until if mine.update(lease_until=until) else None


# -- what is sent --------------------------------------------------------------------------------------------


def _next_window(endpoint: WebhookEndpoint) -> Window | None:
    """None where nothing is left; then the place is at the feed's end."""
    failing = endpoint.failures > 0
    aside = [] if failing else _waiting(endpoint)
    size = PROBES if failing else WINDOW - len(aside)
    place, ends = endpoint.place, feed.newest()
    while True:
        rows, limit = feed.chosen(place, ends, endpoint.owner, endpoint.types)
        new = list(rows[:size])
        if new or limit >= ends or not size:
            break
        place = limit
    ends_at = (new[-1].pk if new else place) if len(new) == size else limit
    aside = aside or ([] if new else _aside(endpoint.retries.all(), PROBES))
    if not (new or aside):
        WebhookEndpoint.objects.filter(pk=endpoint.pk, place=endpoint.place).update(place=max(limit, place))
        return None
    return Window([*aside, *map(Try, new)], max(ends_at, endpoint.place))


def _waiting(endpoint: WebhookEndpoint) -> list[Try]:
    """What was put aside: first what a slow receiver left no time for, then what it did not take.

    The latter leaves half of the window to what is new."""
    unsent = _aside(endpoint.retries.filter(tries=0), WINDOW)
    return sorted(
        [*unsent, *_aside(endpoint.retries.filter(tries__gt=0), (WINDOW - len(unsent)) // 2)],
        key=lambda one: one.event.pk,
    )


def _aside(retries: QuerySet[WebhookRetry], most: int) -> list[Try]:
    """Those that are due, the oldest first; what the feed has forgotten is forgotten."""
    due = {row.event: row for row in retries.filter(due_at__lte=db_clock.now()).order_by("event")[:most]}
    events = {event.pk: event for event in Event.objects.filter(pk__in=due)}
    if gone := due.keys() - events.keys():
        retries.filter(event__in=gone).delete()
    return [Try(events[place], row) for place, row in sorted(due.items()) if place in events]


# -- sending -------------------------------------------------------------------------------------------------


def _post_all(endpoint: WebhookEndpoint, window: Window) -> None:
    """Each quiz account's events one after another, several accounts at a time."""
    lines: dict[str, list[Try]] = {}
    for one in window.tries:
        lines.setdefault(one.event.owner, []).append(one)
    post = poster(endpoint)
    with ThreadPoolExecutor(min(PARALLEL, len(lines))) as pool:
        list(pool.map(lambda line: _post_line(line, window, post), lines.values()))


def _post_line(line: Iterable[Try], window: Window, post: Callable[[Event], None]) -> None:
    for one in line:
        if not window.goes_on():
            return
        one.sent = True
        try:
            post(one.event)
        except ConnectorError as error:
            answered = error.code.startswith("http_")
            one.error = error.message if answered else message("The server did not answer")
            one.gone = error.code == "http_410"
            one.after = min(error.after or 0, MOST_ASKED)
        except ValueError as exc:  # of ``check_url``
            one.error = exc.args[0]
        except Exception as exc:
            log.exception("a webhook could not be sent", event_id=one.event.pk)
            one.error = message("Our own code failed ({name})", name=type(exc).__name__)
        with window.lock:
            window.failed += bool(one.error)
            window.taken += not one.error


def poster(endpoint: WebhookEndpoint) -> Callable[[Event], None]:
    """What posts an event there. The address is checked again: settings may have changed since."""
    parts = urlsplit(endpoint.url)
    base = f"{parts.scheme}://{parts.netloc}"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def post(event: Event) -> None:
        endpoints.check_url(endpoint.url)
        vet(base)
        client = HttpClient(base, ReceiverResponses(), timeout=TIMEOUT, most=MOST_ANSWER)
        told = write_event(event)
        body = JSONRenderer().render(told)  # as the feed has it
        headers = signing.headers(endpoint, told["id"], body.decode(), db_clock.now())
        headers["Content-Type"] = "application/json"
        client.ask("POST", path, safe=False, data=body, headers=headers)

    return post


class ReceiverResponses:
    """A success (any 2xx), or none; a redirect is none."""

    def is_expired(self, answer: Answer) -> bool:
        return False

    def failure(self, answer: Answer, safe: bool) -> ConnectorError | None:
        if answer.ok:
            return None
        after = answer.headers.get("Retry-After", "")
        return TryLater(
            message("The server answered {status}", status=answer.status),
            code=f"http_{answer.status}",
            after=float(after) if after.isascii() and after.isdecimal() else None,
        )


# -- what came of it -----------------------------------------------------------------------------------------


def _settle(endpoint: WebhookEndpoint, lease: datetime, window: Window) -> bool:
    """Write down what came of a window; may another one follow? A lost lease changes nothing."""
    now = db_clock.now()
    mine = WebhookEndpoint.objects.filter(pk=endpoint.pk, lease_until=lease)
    if any(one.gone for one in window.tries):
        return _disable(mine, now, message("The server answered 410: it wants no more"))
    sent = [one for one in window.tries if one.sent]
    if sent and not window.taken:
        again = [one.retry for one in sent if one.retry and one.retry.tries]
        if endpoint.failures or len(again) < len(sent):
            return _failed(endpoint, mine, sent[0], now)
        for one in sent:  # only what it did not take before: that says nothing of the others
            _try_again(one, now)
        return True
    if not sent:  # this process is to end
        return False
    with transaction.atomic():
        told = next((one.error for one in window.tries if one.error), "")
        fine: dict[str, Any] = {**endpoints.AFRESH, "delivered_at": now, "error": told}
        if not mine.update(**fine):
            return False
        # Where somebody has set it back meanwhile, it stays there.
        mine.filter(place=endpoint.place).update(place=window.ends_at)
        _put_aside(endpoint, window, now)
    return True


def _put_aside(endpoint: WebhookEndpoint, window: Window, now: datetime) -> None:
    """What was not taken is tried again by itself, or given up; what was not even sent comes next."""
    known = [one for one in window.tries if one.retry]
    endpoint.retries.filter(event__in=[one.event.pk for one in known if one.taken]).delete()
    for one in known:
        if one.error:
            _try_again(one, now)
    new = [
        WebhookRetry(
            endpoint=endpoint,
            event=one.event.pk,
            tries=int(one.sent),
            due_at=now + _pause(1, one.after) if one.sent else now,
            created_at=now,
        )
        for one in window.tries
        if not one.retry and not one.taken
    ]
    WebhookRetry.objects.bulk_create(new, ignore_conflicts=True)


def _try_again(one: Try, now: datetime) -> None:
    row = one.retry
    if row is None:
        return
    if now - row.created_at >= GIVE_UP:
        log.warning("an event was given up", endpoint=row.endpoint_id, event_id=row.event)
        row.delete()
        return
    row.tries += 1
    row.due_at = now + _pause(row.tries, one.after)
    row.save(update_fields=["tries", "due_at"])


def _failed(endpoint: WebhookEndpoint, mine: QuerySet[WebhookEndpoint], first: Try, now: datetime) -> bool:
    """It took nothing: the place stays. ``first`` says why."""
    since = endpoint.failing_since or now
    if now - since >= GIVE_UP:
        return _disable(mine, now, first.error)
    rest = min(retry_plan.planned(endpoint.failures + 1), LONGEST_REST)
    pause = max(retry_plan.spread(rest), first.after)
    mine.update(
        failures=endpoint.failures + 1,
        failing_since=since,
        due_at=now + timedelta(seconds=pause),
        error=first.error,
    )
    log.warning("an endpoint takes no events", endpoint=endpoint.pk, failures=endpoint.failures + 1)
    return False


def _disable(mine: QuerySet[WebhookEndpoint], now: datetime, error: str) -> bool:
    mine.update(enabled=False, disabled_at=now, error=error)
    log.warning("an endpoint was disabled", endpoints=list(mine.values_list("pk", flat=True)))
    return False


def _pause(tries: int, asked: float) -> timedelta:
    return timedelta(seconds=max(retry_plan.spread(retry_plan.planned(tries)), asked))
