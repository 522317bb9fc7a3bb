"""Reconciliation: an account's deliveries against what its CRM really has, some days at a time.

A run walks the CRM's leads with our external ids, which costs a request for hundreds of them, and compares
them with our books. What a walk does not show is a suspect and no more: each is asked about by itself before
it is told. Nothing is merged or mended; a report says what differs and what a person can do.

Every step reads first and then writes what it found together with how far the run is, so that a process may
die at any moment. Looks and reconciliations share one budget (``look_budget``); deliveries go first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count

from accounts import db_clock, states
from accounts.access import connector_for
from accounts.counters import counters
from accounts.events import writing
from accounts.events.models import EventType
from accounts.models import Account, live_accounts
from accounts.task_queue import ask
from connectors.base import Connector
from connectors.errors import ConnectorError, NeedsReconnect, OurMistake
from connectors.lead_status import Followed, LeadStatus
from connectors.limiter import NoRateLimiter
from connectors.messages import message
from rules.delivery.concurrency import looks
from rules.delivery.lane import goes_first
from rules.delivery.settlement import our_bug
from rules.made_between import made_between
from rules.mapping.rule_snapshot import zone_of
from rules.models import Delivery, Finding, Outcome, Reconciliation, SurveyedLead
from rules.outcomes.comparison import Books, asked_of, compared, doubted, judged
from rules.outcomes.look_budget import CountingRateLimiter, LookBudget

log = structlog.stdlib.get_logger(__name__)
Phase, State, Kind = Reconciliation.Phase, Reconciliation.State, Finding.Kind
LEASE = timedelta(minutes=5)  # a step that takes longer than this was lost with its worker
SETTLED = timedelta(minutes=15)  # by then searches and lists know of a lead
EARLIER = timedelta(days=1)  # a lead may be there for so long before our books say so
AT_ONCE = 500  # deliveries of a step
MOST_ASKED = 2000  # suspects of a run; the rest is told as not checked
BEHIND, SILENCE, AWAY = timedelta(seconds=30), timedelta(minutes=10), timedelta(minutes=30)
LONGEST_SILENCE = timedelta(hours=2)
OVER = timedelta(hours=20)  # before the next night


# -- beginning -----------------------------------------------------------------------------------------------


def begin(account: Account, who: str = "") -> Reconciliation | None:
    """A run over the last ``RECONCILE_DAYS``, and what no earlier run has come to. None where one is under
    way; the caller asks for it (``ask_to_reconcile``), or beat does."""
    begun = _begin([account], who)
    return begun[0] if begun else None


def _begin(accounts: Sequence[Account], who: str = "") -> list[Reconciliation]:
    now = db_clock.now()
    whole = Reconciliation.objects.filter(account__in=accounts, state=State.DONE)
    whole = whole.order_by("account_id", "-pk").distinct("account_id").only("account_id", "until", "ended_at")
    last = {run.account_id: run for run in whole}
    runs = [
        Reconciliation(
            account=account, owner=account.account_id, who=who,
            since=_since(account, last.get(account.pk), now), until=now - SETTLED,
            created_at=now, wake_at=now,
        )
        for account in accounts
    ]  # fmt: skip
    Reconciliation.objects.bulk_create(runs, ignore_conflicts=True)  # one under way goes on
    ours = Reconciliation.objects.filter(account__in=accounts, state=State.RUNNING, created_at=now, who=who)
    begun = list(ours.select_related("account"))
    for run in begun:
        log.info("reconciliation begun", run=run.pk, account=run.account_id)
    return begun


def _since(account: Account, last: Reconciliation | None, now: datetime) -> datetime:
    since: datetime = now - timedelta(days=settings.RECONCILE_DAYS)
    if last is None:
        return since
    former = last.until
    if account.reconciled_at and last.ended_at and account.reconciled_at > last.ended_at:
        former = account.reconciled_at - SETTLED  # nights that had nothing to compare
    return max(min(since, former), now - timedelta(days=settings.FOLLOW_DAYS))


def ask_to_reconcile(run_id: int, seconds: float = 0) -> None:
    """Beat finds it again where this is lost."""
    ask("rules.tasks.reconcile", run_id, seconds=seconds)


def go_on_due() -> None:
    """Runs whose next step is due: their pause is over, their message was lost or their worker died."""
    due = Reconciliation.objects.filter(wake_at__lte=db_clock.now()).order_by("wake_at")
    for run_id in due.values_list("pk", flat=True)[:AT_ONCE]:
        ask_to_reconcile(run_id)


# -- a run ---------------------------------------------------------------------------------------------------


def go_on(run_id: int) -> float | None:
    """One slice of a run: the seconds until the next, None where it has ended or others have their turn.

    Never raises for what the CRM does.
    """
    with looks.take() as ours:
        run = _take(run_id) if ours else None
        pause = _Slice(run).run() if run else None
    if pause is not None:
        ask_to_reconcile(run_id, pause)
    return pause


def _take(run_id: int) -> Reconciliation | None:
    now = db_clock.now()
    due = Reconciliation.objects.filter(pk=run_id, wake_at__lte=now)
    if not due.update(wake_at=now + LEASE):
        return None
    return Reconciliation.objects.select_related("account").get(pk=run_id)


class _Lost(Exception):
    """Somebody else is at the run by now."""


class _Slice:
    """Steps of one run, until its budget, its time or its work is over."""

    def __init__(self, run: Reconciliation) -> None:
        self.taken, self.account = run, run.account
        self.budget = LookBudget(run.account)
        self.pause = timedelta()
        self.requests = CountingRateLimiter(NoRateLimiter())

    def run(self) -> float | None:
        """Seconds until the next slice; None: the run has ended, or is somebody else's."""
        try:
            pause = self._run()
        except _Lost:
            return None
        if pause is None:
            return None
        self._keep(wake_at=db_clock.now() + pause)
        return pause.total_seconds()

    def _run(self) -> timedelta | None:
        if db_clock.now() > self.taken.created_at + OVER:
            self._fail(self.taken.error or message("The account could not be asked for too long"))
            return None
        if not self.account.usable:
            return AWAY
        try:
            connector = connector_for(self.account)
        except OurMistake as error:
            self._fail(error.message)
            return None
        self.requests = CountingRateLimiter(connector.limiter)
        connector.limiter = self.requests
        ends_at = db_clock.now() + settings.LANE_SLICE
        while self.taken.state == State.RUNNING:
            if (waits := self._waits(ends_at)) is not None:
                return waits
            try:
                self._step(connector)
            except ConnectorError as error:
                return self._failed(error)
            except _Lost:
                raise
            except Exception as error:
                log.exception("a step of a reconciliation failed", run=self.taken.pk)
                return self._failed(our_bug(error))
            finally:
                self._count()
        return None

    def _waits(self, ends_at: datetime) -> timedelta | None:
        """Until when others go first, or the budget is there again."""
        if goes_first(self.account.pk):
            return BEHIND
        pause = max(self.pause, timedelta(seconds=self.budget.wait()))
        return pause if pause or db_clock.now() >= ends_at else None

    def _step(self, connector: Connector) -> None:
        steps = {Phase.LISTING: self._list, Phase.COMPARING: self._compare, Phase.CONFIRMING: self._confirm}
        steps[Phase(self.taken.phase)](connector)

    def _failed(self, error: ConnectorError) -> timedelta | None:
        self._count()
        log.warning("a reconciliation waits", run=self.taken.pk, account=self.account.pk, code=error.code)
        if isinstance(error, NeedsReconnect):
            states.park(self.account, error)
        self._keep(failures=self.taken.failures + 1, error=error.message)
        longer: timedelta = SILENCE * 2 ** min(self.taken.failures - 1, 4)
        return max(min(longer, LONGEST_SILENCE), timedelta(seconds=error.after or 0))

    def _keep(self, **columns: Any) -> None:
        """Write how far the run is. Raises ``_Lost`` where another worker is at it."""
        run = self.taken
        columns = {"wake_at": db_clock.now() + LEASE, "requests": run.requests, **columns}
        mine = Reconciliation.objects.filter(pk=run.pk, wake_at=run.wake_at, state=State.RUNNING)
        if not mine.update(**columns):
            raise _Lost
        for name, value in columns.items():
            setattr(run, name, value)

    def _count(self) -> None:
        """What was sent is paid for."""
        self.taken.requests += self.requests.count
        self.budget.spend(self.requests.count)
        self.requests.count = 0

    # -- reading the CRM's leads -----------------------------------------------------------------------------

    def _list(self, connector: Connector) -> None:
        if not connector.can.surveys:
            self._keep(phase=Phase.COMPARING)
            return
        run = self.taken
        connection.close()  # the CRM may think for a while
        page = connector.survey(run.since - EARLIER, run.place)
        self._count()
        self.pause = timedelta(seconds=page.pause)
        uids = [uid for row in page.rows for uid in row.uids]
        ids = [row.remote_id for row in page.rows if row.remote_id]
        ours = Delivery.objects.filter(account=self.account, test=False)
        by_uid = dict(ours.filter(uid__in=uids).values_list("uid", "pk"))
        by_id: dict[str, set[int]] = {}
        known = ours.filter(remote_id__in=ids).exclude(remote_id="")  # as the index has them
        for remote_id, pk in known.values_list("remote_id", "pk"):
            by_id.setdefault(remote_id, set()).add(pk)
        found = [
            SurveyedLead(
                reconciliation=run, delivery_id=pk, record=row.record[:50], remote_id=row.remote_id[:100],
                pipeline=row.pipeline[:100], made_of=row.made_of[:100],
            )
            for row in page.rows
            for pk in {*(by_uid[uid] for uid in row.uids if uid in by_uid), *by_id.get(row.remote_id, ())}
        ]  # fmt: skip
        columns: dict[str, Any] = {"place": dict(page.place or {}), "listed": run.listed + len(page.rows)}
        if page.place is None:
            columns |= {"phase": Phase.COMPARING, "complete": page.complete}
        with transaction.atomic():
            self._keep(**columns, failures=0, error="")
            SurveyedLead.objects.bulk_create(found, ignore_conflicts=True)

    # -- comparing them with our books -----------------------------------------------------------------------

    def _compare(self, connector: Connector) -> None:
        """Leads that we say are there, and then leads that are there and we say are not."""
        step = self._compare_found if self.taken.place.get("found") else self._compare_delivered
        step(connector)

    def _compare_delivered(self, connector: Connector) -> None:
        run = self.taken
        rows = made_between(Outcome.objects.filter(account=self.account, test=False), run.since, run.until)
        chosen = rows.filter(pk__gt=run.reached).select_related("delivery__rule", "delivery__version")
        outcomes = list(chosen.defer("delivery__answer", "delivery__losses").order_by("pk")[:AT_ONCE])
        books = Books(self.account, connector)
        seen = self._surveyed([row.delivery_id for row in outcomes])
        told = [compared(row, seen.get(row.delivery_id, []), books) for row in outcomes]
        with transaction.atomic():
            self._keep(
                reached=outcomes[-1].pk if outcomes else 0,
                place={} if outcomes else {"found": True},
                compared=run.compared + len(outcomes),
                unchecked=run.unchecked + sum(one.unchecked for one in told),
            )
            self._tell([finding for one in told for finding in one.findings])

    def _compare_found(self, connector: Connector) -> None:
        run = self.taken
        rows = SurveyedLead.objects.filter(reconciliation=run, pk__gt=run.reached).order_by("pk")
        window = list(rows.values_list("pk", "delivery_id")[:AT_ONCE])
        undelivered = Delivery.objects.filter(pk__in={pk for _, pk in window}, delivered_at=None)
        suspects = list(undelivered.values_list("pk", flat=True))
        seen = self._surveyed(suspects)
        with transaction.atomic():
            if window:
                self._keep(reached=window[-1][0])
            else:
                self._keep(reached=0, place={}, phase=Phase.CONFIRMING)
            self._tell(doubted(pk, Kind.FOUND, seen[pk]) for pk in suspects)

    def _surveyed(self, deliveries: Sequence[int]) -> dict[int, list[SurveyedLead]]:
        found: dict[int, list[SurveyedLead]] = {}
        rows = SurveyedLead.objects.filter(reconciliation=self.taken, delivery__in=deliveries)
        for row in rows.order_by("pk"):
            found.setdefault(row.delivery_id, []).append(row)
        return found

    def _tell(self, findings: Any) -> None:
        rows = list(findings)
        for row in rows:
            row.reconciliation = self.taken
        Finding.objects.bulk_create(rows, ignore_conflicts=True)

    # -- asking about suspects -------------------------------------------------------------------------------

    def _confirm(self, connector: Connector) -> None:
        run = self.taken
        waiting = Finding.objects.filter(reconciliation=run, confirmed=False).order_by("pk")
        most = max(connector.can.follow, 1)
        if not connector.can.follow or run.reached >= MOST_ASKED:
            with transaction.atomic():
                self._keep(unchecked=run.unchecked + waiting.delete()[0])
            waiting = waiting.none()
        rows = waiting.select_related("delivery__rule", "delivery__version", "delivery__outcome")
        chosen, asked = _few(list(rows.defer("delivery__losses", "delivery__rule__quiz")[:most]), most)
        if not chosen:
            self._end()
            return
        connection.close()  # the CRM may think for a while
        told = iter(connector.follow([lead for leads in asked for lead in leads]))
        self._count()
        said: list[list[LeadStatus | ConnectorError | None]] = [
            [next(told) for _ in leads] for leads in asked
        ]
        for one in [one for some in said for one in some]:
            if isinstance(one, ConnectorError) and one.account_wide:
                raise one
        self._settle(connector, chosen, said)

    def _settle(
        self,
        connector: Connector,
        chosen: Sequence[Finding],
        said: Sequence[Sequence[LeadStatus | ConnectorError | None]],
    ) -> None:
        """Those that are so are told, by our books as they are now; the others are forgotten."""
        books = Books(self.account, connector)
        now = {row.pk: row for row in Delivery.objects.filter(pk__in=[one.delivery_id for one in chosen])}
        verdicts = [
            judged(row, now[row.delivery_id], answers, books)
            for row, answers in zip(chosen, said, strict=True)
        ]
        with transaction.atomic():
            self._keep(
                reached=self.taken.reached + len(chosen),
                unchecked=self.taken.unchecked + sum(one.unchecked for one in verdicts),
                failures=0,
                error="",
            )
            Finding.objects.filter(pk__in=[row.pk for row in chosen]).delete()
            self._tell([finding for one in verdicts for finding in one.findings])

    # -- the end ---------------------------------------------------------------------------------------------

    def _end(self) -> None:
        run = self.taken
        found = Finding.objects.filter(reconciliation=run).order_by().values_list("kind")
        self._close(State.DONE, counts=dict(found.annotate(Count("pk"))), error="")
        for kind, count in run.counts.items():
            counters.count("reconciliation_findings", count, crm=self.account.crm, kind=kind)

    def _fail(self, why: str) -> None:
        """What was not confirmed is not told; the next run begins where the last whole one ended."""
        self._close(State.FAILED, error=why)

    def _close(self, state: Reconciliation.State, **columns: Any) -> None:
        run, now = self.taken, db_clock.now()
        with transaction.atomic():
            if state == State.FAILED:
                Finding.objects.filter(reconciliation=run, confirmed=False).delete()
                found = Finding.objects.filter(reconciliation=run).order_by().values_list("kind")
                columns["counts"] = dict(found.annotate(Count("pk")))
            self._keep(state=state, ended_at=now, wake_at=None, place={}, **columns)
            SurveyedLead.objects.filter(reconciliation=run).delete()
            if state == State.DONE:
                Account.objects.filter(pk=self.account.pk).update(reconciled_at=now)
            writing.write(self.account, EventType.RECONCILED, **told_of(run))
        log.info(
            "reconciliation ended", run=run.pk, account=self.account.pk, state=str(state), counts=run.counts
        )


def told_of(run: Reconciliation) -> Mapping[str, Any]:
    """What an event says of a run."""
    return {
        "reconciliationID": run.pk,
        "state": str(run.state),
        "compared": run.compared,
        "unchecked": run.unchecked,
        "findings": {str(kind): run.counts.get(str(kind), 0) for kind in Kind},
    }


def _few(rows: Sequence[Finding], most: int) -> tuple[list[Finding], list[list[Followed]]]:
    """The first suspects, as many as can be asked about at a time, each with what is asked."""
    chosen: list[Finding] = []
    asked: list[list[Followed]] = []
    for row in rows:
        leads = asked_of(row)[:most]
        if chosen and sum(map(len, asked)) + len(leads) > most:
            break
        chosen.append(row)
        asked.append(leads)
    return chosen, asked


# -- at night, by the clock of an account's people, each account at a minute of its own ----------------------

FIRST_HOUR, HOURS = 1, 4  # the night begins at 01:00, the last account at 05:00
LATE = timedelta(hours=3)  # where beat was away at night, the next night is soon enough
ACCOUNTS = 500  # of a round


def next_night(account: Account, now: datetime) -> datetime:
    """The next moment at which this account begins; accounts are spread over the night by their keys.

    Moments are compared in UTC: in the hour that a clock shows twice, one that reads later may be over.
    """
    here = now.astimezone(zone_of(account))
    spread = timedelta(seconds=crc32(str(account.pk).encode()) % (HOURS * 3600))
    tonight = here.replace(hour=FIRST_HOUR, minute=0, second=0, microsecond=0) + spread
    at = tonight.astimezone(UTC)
    return at if at > now else (tonight + timedelta(days=1)).astimezone(UTC)


def begin_due() -> int:
    """Begin with accounts whose hour has come, and give those an hour that have none; how many were begun.

    An account that has nothing to compare is reconciled as it is, without a run.
    """
    if not settings.RECONCILE_NIGHTLY:
        return 0
    now = db_clock.now()
    switched_on = live_accounts(state=Account.State.ACTIVE, reconcile=True)
    _plan(switched_on.filter(reconcile_at=None)[:ACCOUNTS], now)
    due = switched_on.filter(reconcile_at__lte=now).order_by("reconcile_at")[:ACCOUNTS]
    in_time = [account for account in _plan(due, now) if (account.reconcile_at or now) >= now - LATE]
    if not in_time:
        return 0
    idle = set(_idle([account.pk for account in in_time], now))
    Account.objects.filter(pk__in=idle).update(reconciled_at=now)
    return len(_begin([account for account in in_time if account.pk not in idle]))


# The former hour stands beside the new one: somebody else may have planned an account meanwhile.
_PLAN = """
UPDATE accounts_account a SET reconcile_at = v.at
FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS v(id, former, at)
WHERE a.id = v.id AND a.reconcile_at IS NOT DISTINCT FROM v.former
RETURNING a.id
"""


def _plan(accounts: Iterable[Account], now: datetime) -> list[Account]:
    """Give accounts their next night; those that nobody else has given one meanwhile, as they were read."""
    rows = {account.pk: account for account in accounts}
    if not rows:
        return []
    former = [account.reconcile_at for account in rows.values()]
    nights = [next_night(account, now) for account in rows.values()]
    with connection.cursor() as cursor:
        cursor.execute(_PLAN, [list(rows), former, nights])
        return [rows[pk] for (pk,) in cursor.fetchall()]


# No delivery and no lead of one is newer than the last reconciliation (and than the days that a run goes back
# at least), and none is on its way.
_IDLE = """
SELECT a.id FROM accounts_account a
CROSS JOIN LATERAL (SELECT least(coalesce(a.reconciled_at - %(run)s, %(first)s), %(least)s) AS since) s
WHERE a.id = ANY(%(accounts)s)
    AND NOT EXISTS (
        SELECT FROM (SELECT created_at FROM rules_delivery WHERE account_id = a.id ORDER BY id DESC LIMIT 1) d
        WHERE d.created_at >= s.since)
    AND NOT EXISTS (
        SELECT FROM (SELECT created_at FROM rules_outcome WHERE account_id = a.id ORDER BY id DESC LIMIT 1) o
        WHERE o.created_at >= s.since)
    AND NOT EXISTS (SELECT FROM rules_delivery WHERE account_id = a.id AND state = 'waiting')
    AND NOT EXISTS (SELECT FROM rules_delivery WHERE account_id = a.id AND state = 'sending')
    AND NOT EXISTS (SELECT FROM rules_delivery WHERE account_id = a.id AND state = 'held')
    AND NOT EXISTS (SELECT FROM rules_reconciliation WHERE account_id = a.id AND state = 'running')
"""


def _idle(accounts: list[int], now: datetime) -> list[int]:
    values: dict[str, Any] = {
        "accounts": accounts,
        "run": OVER + SETTLED,
        "first": now - timedelta(days=settings.FOLLOW_DAYS),
        "least": now - timedelta(days=settings.RECONCILE_DAYS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_IDLE, values)
        return [pk for (pk,) in cursor.fetchall()]
