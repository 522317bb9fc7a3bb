"""The life of a SyncRun: asked for, claimed, under way, done or failed. Nothing else moves its state."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Q, QuerySet

from accounts import db_clock, task_queue
from accounts.events.models import EventType
from accounts.events.writing import write
from accounts.models import Account
from connectors.messages import message
from connectors.redact import redact
from connectors.registry import connector_class
from crm_cache.models import SyncRun
from crm_cache.sync import Difference, Walk

State = SyncRun.State
KEEP = 20
DEAD_AFTER = timedelta(minutes=3)  # longer than a page takes with its repeats; leads may wait for the list
LOST_AFTER = timedelta(minutes=1)
PATIENCE = timedelta(minutes=15)  # of whoever waits for a list: as long as a silent CRM's lane rests at most
LIST_NAMES = {
    "users": message("users"),
    "pipelines": message("pipelines"),
    "steps": message("steps"),
    "fields": message("fields"),
    "tags": message("tags"),
}


class Superseded(Exception):
    """The run was taken for dead and given to somebody else: stop writing."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that is ours now. ``full`` says that it is the first of all the lists of its account."""

    run: SyncRun
    full: bool


@dataclass(frozen=True, slots=True)
class ListState:
    """How fresh one cached list is.

    ``synced_at`` is when a walk last reached its end, None if none ever did. ``complete`` says that one did
    since the account was last connected: until then rows may be missing. ``running``: a walk is under way or
    waits. ``error`` is why the latest walk failed, or what a waiting one waits for; empty where all is well.
    """

    synced_at: datetime | None = None
    complete: bool = False
    running: bool = False
    error: str = ""


def ask_for(account: Account, lists: Iterable[str] = ()) -> None:
    """Have lists refreshed soon (without ``lists`` all that the CRM has); joins what waits already.

    One query; the work starts on commit, and beat starts what a lost message left behind.
    """
    queue((account.pk, what) for what in _chosen(account, tuple(lists)))
    transaction.on_commit(partial(start, [account.pk]))


def queue(wanted: Iterable[tuple[int, str]], now: datetime | None = None) -> None:
    """Make waiting runs of (account id, list), except where one waits already."""
    asked_at = now or db_clock.now()
    runs = [SyncRun(account_id=account_id, what=what, asked_at=asked_at) for account_id, what in wanted]
    SyncRun.objects.bulk_create(runs, ignore_conflicts=True)


def start(account_ids: Iterable[int]) -> None:
    """Wake workers for these accounts. A dead broker is no failure: beat finds what waits."""
    for account_id in account_ids:
        task_queue.ask("crm_cache.tasks.sync_account", account_id)


def claim(account_id: int, everything: Collection[str]) -> Claim | None:
    """Take the next waiting run whose list nobody walks, or None. Only one process gets each."""
    mine = SyncRun.objects.filter(account_id=account_id)
    with transaction.atomic():
        waiting = list(mine.filter(state=State.WAITING).select_for_update().order_by("id"))
        busy = set(mine.filter(state=State.RUNNING).values_list("what", flat=True))
        run = next((run for run in waiting if run.what not in busy), None)
        if run is None:
            return None
        run.state, run.error = State.RUNNING, ""
        run.started_at = run.alive_at = db_clock.now()
        run.save(update_fields=["state", "error", "started_at", "alive_at"])
    return Claim(run, full=set(everything) <= {other.what for other in waiting})


def progress(run: SyncRun, difference: Difference[tuple[str, ...]]) -> None:
    """Count a page and show that we are alive. Raises ``Superseded``."""
    _move(
        run,
        pages=F("pages") + 1,
        added=F("added") + len(difference.added),
        changed=F("changed") + len(difference.changed),
        alive_at=db_clock.now(),
    )


def finish(run: SyncRun, walk: Walk) -> int:
    """End a complete walk: what it did not meet is gone. Returns how many rows. Raises ``Superseded``."""
    now = db_clock.now()
    with transaction.atomic():
        _move(run, state=State.DONE, finished_at=now)
        gone = walk.bury(now)
        SyncRun.objects.filter(pk=run.pk).update(gone=gone)
        Account.objects.filter(pk=run.account_id).update(synced_at=now)
        _tell(run.account_id, State.DONE, run.what)
    _prune(run)
    return gone


def fail(run: SyncRun, sentence: str, refused: bool = False) -> None:
    """End a walk that broke off; the rows that it met stay as written, none is marked deleted."""
    now = db_clock.now()
    failed = {"state": State.FAILED, "error": redact(sentence), "refused": refused, "finished_at": now}
    with transaction.atomic():
        if _running(run).update(**failed):
            _tell(run.account_id, State.FAILED, run.what)
    _prune(run)


def fail_waiting(account_id: int, sentence: str, refused: bool = False) -> None:
    """End what waits with the same sentence: the CRM would give the same answer to all of it."""
    now = db_clock.now()
    with transaction.atomic():
        runs = dict(_waiting(account_id).select_for_update().values_list("pk", "what"))
        SyncRun.objects.filter(pk__in=runs).update(
            state=State.FAILED, error=redact(sentence), refused=refused, started_at=now, finished_at=now
        )
        _tell(account_id, State.FAILED, *runs.values())


def explain_waiting(account_id: int, sentence: str) -> None:
    """Say what the runs of an account wait for."""
    _waiting(account_id).update(error=redact(sentence))


def lists_state(account: Account) -> Mapping[str, ListState]:
    """How fresh each list of the account's CRM is. One query."""
    return lists_states([account])[account.pk]


def lists_states(accounts: Collection[Account]) -> dict[int, dict[str, ListState]]:
    """The same for many accounts, by their primary keys. One query."""
    newest = SyncRun.objects.filter(account__in=[account.pk for account in accounts])
    newest = newest.order_by("account_id", "what", "state", "-id").distinct("account_id", "what", "state")
    found: dict[tuple[int, str], list[SyncRun]] = {}
    for run in newest:
        found.setdefault((run.account_id, run.what), []).append(run)
    return {
        account.pk: {
            what: _list_state(found.get((account.pk, what), ()), account.connected_at)
            for what in connector_class(account.crm).can.lists
        }
        for account in accounts
    }


def read_since(account: Account, moment: datetime) -> frozenset[str]:
    """Lists whose walk began after ``moment`` and has ended: complete, or refused for good. One query."""
    ended = Q(state=State.DONE) | Q(state=State.FAILED, refused=True)
    rows = SyncRun.objects.filter(ended, account_id=account.pk, started_at__gte=moment)
    return frozenset(rows.values_list("what", flat=True))


def returned_at(account: Account) -> datetime:
    """From when on lists count as read of an account in its present state.

    They are read anew after a sign-in. A pause changes nothing at the CRM: after it they may be as old as
    those of an account that was never away.
    """
    resumed = account.state_since - settings.SYNC_EVERY
    return max(account.connected_at or resumed, resumed)


def ask_once(account: Account, lists: Iterable[str], since: datetime) -> None:
    """Have lists refreshed for which somebody waits, unless they were asked for ``since`` and not long ago.

    What failed comes again by itself (``refresh``), but later each time, as nobody may need it.
    """
    wanted = set(lists)
    if not wanted:
        return
    lately = Q(asked_at__gte=max(since, db_clock.now() - PATIENCE)) | Q(
        state=State.RUNNING, started_at__gte=since
    )
    asked = SyncRun.objects.filter(lately, account_id=account.pk, what__in=wanted)
    if missing := wanted - set(asked.values_list("what", flat=True)):
        ask_for(account, sorted(missing))


def _list_state(newest: Iterable[SyncRun], connected_at: datetime | None) -> ListState:
    """From the newest run in each state."""
    by_state = {run.state: run for run in newest}
    done, failed, waiting = (by_state.get(state) for state in (State.DONE, State.FAILED, State.WAITING))
    began = done.started_at if done else None
    troubles = [failed] if failed and (done is None or failed.pk > done.pk) else []
    troubles = [waiting] if waiting and waiting.error else troubles
    return ListState(
        synced_at=done.finished_at if done else None,
        complete=bool(began and connected_at and began >= connected_at),
        running=bool(waiting or State.RUNNING in by_state),
        error=troubles[0].error if troubles else "",
    )


def failures_in_a_row(run: SyncRun) -> int:
    """How often this list failed since it last succeeded."""
    same = SyncRun.objects.filter(account_id=run.account_id, what=run.what)
    last = same.filter(state=State.DONE).aggregate(last=Max("id"))["last"] or 0
    return same.filter(state=State.FAILED, id__gt=last).count()


def free_stale(now: datetime) -> set[int]:
    """Fail runs whose worker fell silent and ask for them again. Returns their accounts."""
    silent = SyncRun.objects.filter(state=State.RUNNING, alive_at__lt=now - DEAD_AFTER)
    with transaction.atomic():
        runs = list(silent.select_for_update(skip_locked=True).values_list("pk", "account_id", "what"))
        SyncRun.objects.filter(pk__in=[pk for pk, _, _ in runs]).update(
            state=State.FAILED,
            finished_at=now,
            error=message("The worker stopped half-way; the list is asked for again."),
        )
        queue(((account_id, what) for _, account_id, what in runs), now)
    return {account_id for _, account_id, _ in runs}


def lost(now: datetime) -> set[int]:
    """Accounts whose runs wait for long: their message was lost, or their account may work again."""
    waiting = SyncRun.objects.filter(
        state=State.WAITING,
        asked_at__lt=now - LOST_AFTER,
        account__deleted=False,
        account__state=Account.State.ACTIVE,
    )
    return set(waiting.values_list("account_id", flat=True)[:1000])


def _tell(account_id: int, state: str, *lists: str) -> None:
    """Walks have ended. The caller holds the transaction."""
    account = Account.objects.get(pk=account_id)
    for what in lists:
        write(account, EventType.SYNC_FINISHED, list=what, state=state)


def _chosen(account: Account, lists: tuple[str, ...]) -> tuple[str, ...]:
    can = connector_class(account.crm).can
    if unknown := set(lists) - set(can.lists):
        raise ValueError(f"{account.get_crm_display()} has no list called {', '.join(sorted(unknown))}")
    return lists or can.lists


def _running(run: SyncRun) -> QuerySet[SyncRun]:
    return SyncRun.objects.filter(pk=run.pk, state=State.RUNNING)


def _waiting(account_id: int) -> QuerySet[SyncRun]:
    return SyncRun.objects.filter(account_id=account_id, state=State.WAITING)


def _move(run: SyncRun, **values: object) -> None:
    if not _running(run).update(**values):
        raise Superseded(f"run {run.pk} is no longer ours")


def _prune(run: SyncRun) -> None:
    """Keep the newest, and the last that was complete: it says how old the list is."""
    same = SyncRun.objects.filter(account_id=run.account_id, what=run.what)
    complete = same.filter(state=State.DONE).order_by("-id").values("pk")[:1]
    ended = same.filter(state__in=[State.DONE, State.FAILED]).order_by("-id").values("pk")
    SyncRun.objects.filter(pk__in=ended[KEEP:]).exclude(pk__in=complete).delete()
