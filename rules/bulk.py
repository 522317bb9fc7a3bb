"""Deeds of a person on many deliveries, done in the background: each portion is a transaction that moves
deliveries, writes their histories and notes how far the run is, so that a process may die at any moment.

The deliveries of a run are walked by their keys. A portion looks at no more than ``WINDOW`` of them, whatever
the filter, and moves no more than its action's share: no statement lasts, however large the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, cast

import structlog
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import transaction
from django.db.models import Max, Min, Q, QuerySet

from accounts import db_clock, task_queue
from accounts.singletons import alone
from accounts.worker_threads import worker
from connectors.errors import LOOK_INCOMPLETE
from connectors.messages import Message, message, to_column
from connectors.registry import CONNECTORS, connector_class
from rules import replaying
from rules.delivery import holds, outbox, replay_moves
from rules.delivery.queueing import wake_lanes
from rules.models import BulkRun, Delivery, Replay

log = structlog.stdlib.get_logger(__name__)
Action = BulkRun.Action
WINDOW = 20_000  # keys that one portion looks at
SLICE = 20.0  # seconds of one message, before other work of the worker has its turn
UNDER_WAY = 100  # replays of a run that may be due at a time
FEW_SECONDS = 5.0  # until a run looks again whether its replays are through
TRIES = 3  # of a portion, before its deliveries are counted as failed
MOVABLE = Q(state__in=[Delivery.State.WAITING, Delivery.State.HELD])
HELD = Q(state=Delivery.State.HELD)
REPLAYABLE = (Q(state=Delivery.State.DELIVERED) | MOVABLE) & Q(replay=None, test=False)


def unclear_for_good() -> Q:
    """May have arrived, and nobody can find out but a person: trying again may double them."""
    deaf = [kind for kind in CONNECTORS if not connector_class(kind).can.find_by_external_id]
    blind = Q(held_because=Delivery.Held.LOOK_FIRST, error_code=LOOK_INCOMPLETE)
    return Q(look_first=True) & (Q(account__crm__in=deaf) | blind)


@dataclass(frozen=True, slots=True)
class Deed:
    """``touches`` says which deliveries it is for; ``do`` moves these keys and says how many it moved."""

    touches: Callable[[], Q]
    do: Callable[[list[int], BulkRun], int]
    history: Message
    at_once: int = outbox.AT_ONCE
    wakes: bool = False


def _rows(keys: list[int]) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk__in=keys)


def _release(keys: list[int], run: BulkRun) -> int:
    return outbox.release(_rows(keys), *(reason for reason in Delivery.Held if reason not in holds.OVER))


DEEDS = {
    Action.RETRY: Deed(
        lambda: MOVABLE & ~Q(held_because=Delivery.Held.ERASED),
        lambda keys, run: outbox.retry(_rows(keys)),
        message("Tried again by a person, bulk run {number}."),
        wakes=True,
    ),
    Action.RELEASE: Deed(
        lambda: HELD & ~Q(held_because__in=holds.OVER) & ~unclear_for_good(),
        _release,
        message("Released by a person, bulk run {number}."),
        wakes=True,
    ),
    Action.CANCEL: Deed(
        lambda: MOVABLE & ~Q(held_because__in=holds.OVER),
        lambda keys, run: replay_moves.cancel(_rows(keys)),
        message("Cancelled by a person, bulk run {number}."),
    ),
    Action.ARRIVED: Deed(
        lambda: HELD & Q(look_first=True) & ~Q(held_because__in=holds.OVER),
        lambda keys, run: sum(outbox.arrived(key) for key in keys),
        message("Found in the CRM by a person, bulk run {number}."),
        at_once=200,  # each is settled by itself
    ),
    Action.REPLAY: Deed(
        lambda: REPLAYABLE & ~_beyond_replay(),
        replaying.ask_many,
        message("Replayed by a person, bulk run {number}."),
        at_once=UNDER_WAY // 2,
        wakes=True,
    ),
}


def _beyond_replay() -> Q:
    """Erased, or leads that their CRMs can't change."""
    fixed = [kind for kind in CONNECTORS if not connector_class(kind).can.updates]
    return Q(held_because=Delivery.Held.ERASED) | Q(delivered_at__isnull=False, account__crm__in=fixed)


# -- which deliveries ----------------------------------------------------------------------------------------


def rows_of(query: str, chosen: list[int], person: Any) -> QuerySet[Delivery]:
    """What the list of deliveries shows this person under the address, or what was picked by hand.

    Raises ``PermissionError`` where the person may not act any more.
    """
    if person is None or not person.is_active or not person.has_perm("rules.change_delivery"):
        raise PermissionError
    if chosen:
        return Delivery.objects.filter(pk__in=chosen).order_by()
    page: Any = admin.site.get_model_admin(Delivery)
    found: QuerySet[Delivery] = page.rows_of(query, person)
    return found.order_by()


def span() -> tuple[int, int]:
    """The first key that there is, less one, and the last."""
    ends = Delivery.objects.aggregate(Min("pk"), Max("pk"))
    return (ends["pk__min"] or 1) - 1, ends["pk__max"] or 0


def windows(reached: int, newest: int) -> Iterator[Q]:
    """All keys beyond ``reached``, portion by portion."""
    for start in range(reached, newest, WINDOW):
        yield Q(pk__gt=start, pk__lte=min(start + WINDOW, newest))


# -- a run ---------------------------------------------------------------------------------------------------


def begin(
    action: str, query: str, chosen: list[int], person: Any, planned: int, at_least: bool, by_rule: str = ""
) -> BulkRun:
    """Keep what was asked for, and have it begun."""
    first, newest = (min(chosen) - 1, max(chosen)) if chosen else span()
    run = BulkRun.objects.create(
        action=action, query=query, chosen=sorted(chosen), person=person, who=person.get_username(),
        planned=planned, at_least=at_least, by_rule=by_rule, first=first, reached=first, newest=newest,
    )  # fmt: skip
    log.info("bulk run asked for", run=run.pk, action=action, count=planned)
    return run


def ask_to_go_on(run_id: int) -> None:
    """Beat finds it again where this is lost."""
    task_queue.ask("rules.tasks.run_bulk", run_id)


def go_on_due() -> None:
    """Runs that nobody is at, because their process died or their message was lost."""
    for run_id in BulkRun.objects.filter(ended_at=None).order_by("pk").values_list("pk", flat=True)[:100]:
        ask_to_go_on(run_id)


def go_on(run_id: int) -> None:
    """One slice of a run, by one process at a time; what is left has a message of its own."""
    with alone(f"bulk:{run_id}") as mine:
        if not mine:
            return
        ends = time.monotonic() + SLICE
        while time.monotonic() < ends:
            begun = time.monotonic()
            if _is_full(run_id):
                # Each message would leave another one behind, and beat adds to them: one is enough.
                if cache.add(f"bulk:{run_id}", 1, FEW_SECONDS - 1):
                    task_queue.ask("rules.tasks.run_bulk", run_id, seconds=FEW_SECONDS)
                return
            if not portion(run_id):
                return
            if worker.ends.wait(outbox.rest_after(time.monotonic() - begun)):
                return
    ask_to_go_on(run_id)


def _is_full(run_id: int) -> bool:
    """Are enough of its replays under way, so that new answers go first? Those whose CRM is away for longer
    hold up no others."""
    soon = db_clock.now() + timedelta(minutes=1)
    open_ones = Replay.objects.filter(
        run=run_id, run__cancelled_at=None, state=Replay.State.OPEN, delivery__due_at__lte=soon
    )
    under_way = open_ones.exclude(delivery__state=Delivery.State.HELD).exclude(
        delivery__account__lane__rests_until__gt=soon
    )
    return under_way[:UNDER_WAY].count() > UNDER_WAY // 2


def finish(run_id: int) -> None:
    """A run of a few deliveries, at once."""
    with alone(f"bulk:{run_id}") as mine:
        while mine and portion(run_id):
            pass


def cancel(run: BulkRun, person: Any) -> bool:
    """No further portion is begun; False where it had ended."""
    open_still = BulkRun.objects.filter(pk=run.pk, ended_at=None)
    return bool(open_still.update(cancelled_at=db_clock.now(), cancelled_by=person.get_username()))


def portion(run_id: int) -> bool:
    """Move the next deliveries of a run; False once it has ended."""
    with transaction.atomic():
        run = BulkRun.objects.select_for_update(of=("self",)).select_related("person").get(pk=run_id)
        if run.ended_at is None:
            run.began_at = run.began_at or db_clock.now()
            _take(run)
            run.save()
        return run.ended_at is None


def _take(run: BulkRun) -> None:
    if run.cancelled_at or run.reached >= run.newest:
        return _end(run)
    deed = DEEDS[Action(run.action)]
    try:
        rows = rows_of(run.query, run.chosen, run.person)
    except Exception as exc:  # a filter of another version of the list, too
        log.warning("the bulk run can't go on", run=run.pk, error=type(exc).__name__)
        run.error = message("{who} may not do this any more, or the list has other filters now.", who=run.who)
        return _end(run)
    end = run.newest if run.chosen else min(run.reached + WINDOW, run.newest)
    window = rows.filter(pk__gt=run.reached, pk__lte=end)
    keys = list(
        window.filter(deed.touches())
        .order_by("pk")
        .select_for_update(of=("self",))
        .values_list("pk", flat=True)[: deed.at_once]
    )
    end = keys[-1] if len(keys) == deed.at_once else end
    seen = window.filter(pk__lte=end).count()
    try:
        with transaction.atomic():
            moved = _do(run, deed, keys) if keys else 0
    except Exception as exc:
        log.exception("a portion of a bulk run failed", run=run.pk, deliveries=len(keys))
        run.failures += 1
        if run.failures < TRIES:
            return None
        run.failed += len(keys)
        run.error = message("Some could not be moved: {error}", error=type(exc).__name__)
        moved, seen = 0, seen - len(keys)
    run.failures = 0
    run.moved += moved
    run.left_alone += seen - moved
    run.reached = end
    return _end(run) if end >= run.newest else None


def _do(run: BulkRun, deed: Deed, keys: list[int]) -> int:
    moved = deed.do(keys, run)
    told = to_column(message(deed.history.text, number=run.pk))
    kind = ContentType.objects.get_for_model(Delivery).pk
    LogEntry.objects.bulk_create(
        LogEntry(
            user_id=cast("int", run.person_id), content_type_id=kind, object_id=str(key),
            object_repr=f"delivery {key}", action_flag=CHANGE, change_message=told,
        )
        for key in keys
    )  # fmt: skip
    if deed.wakes:
        lanes = set(_rows(keys).values_list("account_id", flat=True))
        transaction.on_commit(partial(wake_lanes, lanes))
    return moved


def _end(run: BulkRun) -> None:
    run.ended_at = db_clock.now()
    log.info("bulk run ended", run=run.pk, moved=run.moved, left_alone=run.left_alone, failed=run.failed)
