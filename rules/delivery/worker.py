"""Draining a lane: claim, draft, send, settle, until nothing is due or the time slice is over.

Batches are sent by a few threads, so that the CRM's limit and not its latency sets the pace; everything
about the database happens in this one, which holds no connection while a CRM thinks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from contextvars import copy_context
from copy import copy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from accounts import db_clock, states
from accounts.access import connector_for
from accounts.counters import counters
from accounts.database import patiently
from accounts.models import Account, shares_its_crm
from accounts.worker_threads import worker
from connectors.base import Connector
from connectors.draft import LeadDraft, Receipt
from connectors.errors import ConnectorError, NeedsReconnect, OurMistake, RuleNeedsFixing, Unclear
from connectors.messages import message
from connectors.repeated import JOINED
from crm_cache import leases, runs
from crm_cache.contacts import known_contacts
from crm_cache.directory import directory_for
from rules.delivery import assignment, attempts, directory_pays, holds, outbox, replays, revisions
from rules.delivery.assignment import Asking, assign, looked_after, seen_since, settled
from rules.delivery.concurrency import lanes, resting, silences
from rules.delivery.drift import compared, look_again
from rules.delivery.joined import open_leads_for
from rules.delivery.lane import LaneLease, take_lane
from rules.delivery.lane_journal import LaneJournal
from rules.delivery.leased_pace import LeasedRateLimiter
from rules.delivery.queueing import answer_wake_up, wake_lanes
from rules.delivery.settlement import (
    OUR_BUG,
    ListsUnread,
    NotYet,
    RuleIdle,
    StillPreparing,
    believable,
    our_bug,
    settlement_of,
)
from rules.mapping.drafting import Progress, draft_for, marked_as_test, unchecked_draft
from rules.mapping.routes import Way, by_route, way_of
from rules.mapping.rule_snapshot import RuleSnapshot, lists_named, read_snapshot, why_unread
from rules.models import Delivery, Rule
from rules.observed_options import Answered, Noted, look_at_rules, observe
from rules.problems import note_problems
from rules.provisioning import awaits_fields

log = structlog.stdlib.get_logger(__name__)
PREPARING = 5.0  # seconds until a lead looks again whether its rule's fields are made
READING = 10.0  # seconds until a lead looks again whether the lists of a new sign-in are read
SEND_ANYWAY = message("Nothing; a retry sends it all the same.")
LOOK_UP = 5.0  # seconds between looks at the lease while batches are under way
Result = Receipt | ConnectorError
T = TypeVar("T")


@dataclass(slots=True)
class Batch:
    """Deliveries sent together, their drafts, and who is in it. ``connector`` is the batch's own: what it
    learns of an account's abilities is told with its outcomes. ``replays``: those that are, by their keys."""

    deliveries: list[Delivery]
    drafts: list[LeadDraft]
    connector: Connector
    replays: Mapping[int, replays.Replaying] = field(default_factory=dict)
    asking: dict[str, Asking] = field(default_factory=dict)  # by uid, whose contact is to be known first
    begun: attempts.Begun = field(default_factory=attempts.Begun)

    @property
    def people(self) -> set[str]:
        return {key for delivery in self.deliveries for key in delivery.contact_keys}


def drain(account_id: int) -> int:
    """Send what is due in an account's lane; how many were delivered (0 where it can't be taken, or where
    this process has enough lanes of slow or silent CRMs)."""
    answer_wake_up(account_id)
    lane = take_lane(account_id)
    if lane is None:
        return 0
    ours = False
    try:
        ours = lanes.admits(account_id, lane.account.crm, lane.probing)
        return Drain(lane, _connector(lane.account)).run() if ours else 0
    except OurMistake as error:  # we may not even talk to this account's host
        states.pause(lane.account, error.message)
        return 0
    finally:
        connection.close_if_unusable_or_obsolete()  # PostgreSQL may be back
        rest = resting.of(account_id)
        lane.leave(rest)
        # Whoever got no turn waits for the sweep: asking at once, it would be here again at once.
        if ours and not lane.probing and outbox.due_now(account_id, rest):
            wake_lanes([account_id])


def _connector(account: Account) -> Connector:
    connector = connector_for(account)
    directory_pays.consider(account, connector)
    connector.use_directory(directory_for(account))
    return connector


class Drain:
    """One stay in one lane: a time slice, and more of them while no other account waits for the place."""

    def __init__(self, lane: LaneLease, connector: Connector) -> None:
        self.lane = lane
        self.under_way: dict[Future[list[Result]], Batch] = {}
        self.noted: Noted = set()
        self.delivered = 0
        self.goes_on = True
        self._begin_slice(lane.account, connector)

    def _begin_slice(self, account: Account, connector: Connector) -> None:
        """What was known of the account and its rules is forgotten; batches under way keep what they have."""
        self.account = account
        self.connector = connector
        self.ends_at = db_clock.elapsed() + settings.LANE_SLICE.total_seconds()
        self.snapshots: dict[tuple[object, ...], RuleSnapshot] = {}
        self.shared_with = account if shares_its_crm(account) else None

    def run(self) -> int:
        """What whoever had the lane before left half-sent comes first."""
        outbox.free_stale(self.account.pk, self.connector.can.find_by_external_id, self.account.send_again)
        with ThreadPoolExecutor(self.connector.can.parallel, f"lane-{self.account.pk}") as pool:
            try:
                while True:
                    self._fill(pool)
                    if not self.under_way:
                        return self.delivered
                    self._collect()
            finally:
                self._bring_home()

    def _bring_home(self) -> None:
        """Whatever ended the slice: what batches under way achieve is settled all the same, each alone."""
        with ExitStack() as each:
            for future, batch in self.under_way.items():
                each.callback(self._settle, batch, future.result())

    # -- sending ------------------------------------------------------------------------------------------

    def _fill(self, pool: ThreadPoolExecutor) -> None:
        """Put as many batches under way as the CRM takes at a time."""
        while self._may_start():
            busy = {key for batch in self.under_way.values() for key in batch.people}
            claimed = outbox.claim(
                self.account.pk, self._width(), busy, self.shared_with, resting.of(self.account.pk)
            )
            if not claimed:
                return
            batch, broken, errors = patiently(partial(self._draft, claimed))
            if batch.drafts:
                self.under_way[pool.submit(copy_context().run, self._send, batch)] = batch
            if errors:
                self._settle(broken, errors)

    def _may_start(self) -> bool:
        width = 1 if self.lane.probing else lanes.batches(self.account.pk, self.connector.can.parallel)
        return self.goes_on and len(self.under_way) < width and self._in_time() and self._renew()

    def _in_time(self) -> bool:
        """With nobody turned away a slice is followed by the next one: between two stays nothing is sent."""
        if worker.ends.is_set() or db_clock.elapsed() < self.ends_at:
            return not worker.ends.is_set()
        return not lanes.crowded(self.account.crm) and patiently(self._begin_next_slice)

    def _begin_next_slice(self) -> bool:
        account = Account.objects.get(pk=self.account.pk)
        connector = _connector(account)
        connector.take_over(self.connector)
        if connector.can == self.connector.can:  # else as many batches at a time as it takes by now
            self._begin_slice(account, connector)
        return self.connector is connector

    def _width(self) -> int:
        """Fewer than fill all batches are spread over them, and something is left for who is next."""
        can = self.connector.can
        most = 1 if self.lane.probing else lanes.width(self.account.pk, can.batch, can.parallel)
        if not 0 < can.spread < most:
            return most
        parts = min(can.parallel - len(self.under_way) + 1, can.parallel)
        due = outbox.due_up_to(most * parts, self.account.pk, resting.of(self.account.pk))
        return min(most, max(can.spread, due // parts))

    def _renew(self) -> bool:
        """Keep the lease while anything is under way, even where nothing more is begun. Losing it (a pause, a
        clock, another worker) ends the slice."""
        if (self.lane.due_for_renewal() or not self.lane.alive) and not self.lane.renew():
            self.goes_on = False
        return self.goes_on

    def _draft(self, claimed: Sequence[int]) -> tuple[Batch, Batch, list[ConnectorError]]:
        """Turn claimed deliveries into drafts; apart those that can't be sent, and why. May be done twice."""
        found = Delivery.objects.filter(pk__in=claimed).select_related("answer").order_by("pk")
        rows = list(found.prefetch_related("rule"))  # a rule is wide, and mostly the same for all of them
        outbox.hand_over(rows)
        contacts = known_contacts(self.account, {key for row in rows for key in row.contact_keys})
        bodies = revisions.begin(rows)
        routes, again = {row.pk: row.route for row in rows}, self._replayed(rows)
        ways = {row.pk: self._tried(row, partial(self._way, row, bodies[row.pk], again)) for row in rows}
        on_their_way = [(row, way) for row in rows if isinstance(way := ways[row.pk], Way) and not row.test]
        asking = [Asking(row, way.rule, bodies[row.pk].payload) for row, way in on_their_way]
        assign(asking)
        by_row = {one.row.pk: one for one in seen_since(asking)}
        answers = (Answered(row.answer_id, way.rule, bodies[row.pk].payload) for row, way in on_their_way)
        look_at_rules(observe(answers, self.noted))  # whose options are strange to a field
        ours = open_leads_for(self.account.pk, on_their_way)
        replayed = {pk: mine for pk, mine in again.items() if isinstance(mine, replays.Replaying)}
        batch, broken = (Batch([], [], copy(self.connector), replayed) for _ in range(2))
        errors: list[ConnectorError] = []
        for row in rows:
            way = ways[row.pk]
            draft: LeadDraft | ConnectorError
            if isinstance(way, ConnectorError):
                draft = way
            else:
                asks = by_row.get(row.pk)
                rule = looked_after(asks.rule if asks else way.rule, row.performer)
                progress = _progress(row, contacts, not asks or settled(asks), ours.get(row.pk))
                former = partial(self._former, row, contacts)
                draft = self._tried(
                    row, partial(_drafted, row, rule, bodies[row.pk], progress, replayed.get(row.pk), former)
                )
            if isinstance(draft, ConnectorError):
                broken.deliveries.append(row)
                errors.append(draft)
            else:
                batch.deliveries.append(row)
                batch.drafts.append(draft)
                if draft.asks_owner and asks:
                    batch.asking[row.uid] = asks
        outbox.keep_routes([row for row in batch.deliveries if row.route != routes[row.pk]])
        return batch, broken, errors

    def _replayed(self, rows: Sequence[Delivery]) -> dict[int, replays.Replaying | ConnectorError]:
        """Those of these that are replayed, by their keys."""
        asked = replays.asked(rows)
        steps = {row: partial(replays.replaying, *asked[row.pk]) for row in rows if row.pk in asked}
        return {row.pk: self._tried(row, step) for row, step in steps.items()}

    def _former(
        self, row: Delivery, contacts: Mapping[str, str], sent: replays.Sent, body: Mapping[str, Any]
    ) -> LeadDraft:
        """What was sent of a delivery before."""
        rule = looked_after(by_route(self._snapshot(sent.rule), sent.route), sent.performer)
        return unchecked_draft(rule, body, _progress(row, contacts, assigned=True))

    def _tried(self, row: Delivery, step: Callable[[], T]) -> T | ConnectorError:
        """What a step gives, or why it can't: an answer that breaks our own code holds back no other."""
        try:
            try:
                return step()
            except RuleNeedsFixing:
                self._insist_on_lists(row)
                raise
        except (StillPreparing, ListsUnread) as error:
            resting.rest(self.account.pk, row.rule_id, error.after or 0)
            return error
        except ConnectorError as error:
            return error
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            log.exception("the lead can't be drafted", delivery=row.pk)
            return our_bug(error)

    def _way(
        self,
        row: Delivery,
        body: revisions.Bodies,
        replayed: Mapping[int, replays.Replaying | ConnectorError],
    ) -> Way:
        """Which way the delivery goes by its rule, kept on the row. Raises ``NotYet``.

        What was begun is finished by its route: a lead that may be there is not left out, nor made elsewhere.
        A replay goes its own way.
        """
        again = replayed.get(row.pk)
        if isinstance(again, ConnectorError):
            raise again
        if hold := holds.hold_of_rule(row.rule):
            raise RuleIdle(hold.error, because=hold.because, remedy=hold.remedy)
        snapshot = self._snapshot(again.rule if again else row.rule)
        if awaits_fields(row, snapshot):
            raise StillPreparing(
                message("The fields of this rule are being made"), code="preparing", after=PREPARING
            )
        kept = row.route if row.begun and not (again and not again.finishes) else None
        wanted = row.wanted or bool(again and again.wanted)
        way = way_of(snapshot, body.payload, row.answer.created_at, kept=kept, wanted=wanted)
        if way.left_out:
            raise RuleIdle(way.left_out, because=Delivery.Held.LEFT_OUT, remedy=SEND_ANYWAY)
        row.route = way.route
        return way

    def _insist_on_lists(self, row: Delivery) -> None:
        """Lists not read since the account was connected are asked for, and hold no lead: ``ListsUnread``."""
        since = runs.returned_at(self.account)
        placing = lists_named(row.rule, self.account) & {"pipelines", "steps"}
        if unread := placing - runs.read_since(self.account, since):
            runs.ask_once(self.account, unread, since)
            error, remedy = why_unread(self.account, unread)
            raise ListsUnread(error, code="lists_unread", after=READING, remedy=remedy)

    def _snapshot(self, rule: Rule) -> RuleSnapshot:
        version = (rule.pk, rule.updated_at, rule.prepared_at, rule.current_id)
        if version not in self.snapshots:
            self.snapshots[version] = read_snapshot(rule, self.account)
        return self.snapshots[version]

    def _send(self, batch: Batch) -> list[Result]:
        """In a thread of its own: no connection is held but for the journal's moments."""
        try:
            journal = LaneJournal(self.account, batch.deliveries, batch.drafts, batch.asking)
            return self._delivered(batch, journal)
        except Exception:
            log.exception("the connector raised while sending", account=self.account.pk, crm=self.account.crm)
            lost = Unclear(message("Our own code failed while sending"), code=OUR_BUG)
            return [lost for _ in batch.drafts]
        finally:
            connection.close()

    def _delivered(self, batch: Batch, journal: LaneJournal) -> list[Result]:
        """One outcome per draft, in order; a CRM that can't change its leads is not asked to."""
        links = {row.uid: row.remote_link for row in batch.deliveries}
        claims = {row.pk: row.claimed_at for row in batch.deliveries}
        batch.connector.limiter = LeasedRateLimiter(self.connector.limiter, self.lane, claims)
        apart = {d.uid for d in batch.drafts if d.formers and not self._can_update(d)}
        over: dict[str, Result] = {
            draft.uid: revisions.left_as_it_is(draft, links[draft.uid])
            for draft in batch.drafts
            if draft.uid in apart
        }
        drafts = self._compared_first(batch, over) if batch.replays else {}
        sent = [drafts.get(draft.uid, draft) for draft in batch.drafts if draft.uid not in over]
        outcomes = iter(batch.connector.deliver(sent, journal) if sent else [])
        return [over[draft.uid] if draft.uid in over else next(outcomes) for draft in batch.drafts]

    def _compared_first(self, batch: Batch, over: dict[str, Result]) -> dict[str, LeadDraft]:
        """Leads that replays may change are looked at before; what is over by that goes into ``over``."""
        mine = [draft for draft in batch.drafts if draft.replay and draft.uid not in over]
        if not mine:
            return {}
        by_uid = {row.uid: batch.replays[row.pk] for row in batch.deliveries if row.pk in batch.replays}
        try:
            ended, drafts = replays.prepare(mine, by_uid, batch.connector, self.account)
        except Exception as error:  # nothing was sent of them, and others are in the batch
            log.exception("replays can't be compared", account=self.account.pk)
            ended, drafts = {draft.uid: our_bug(error) for draft in mine}, {}
        connection.close()  # this thread goes back to waiting for the CRM
        over |= ended
        return drafts

    def _can_update(self, draft: LeadDraft) -> bool:
        """A lead that a person found and did not name is known to nobody but that person."""
        return self.connector.can.updates and bool(draft.journal.get("lead") or draft.journal.get(JOINED))

    # -- settling -----------------------------------------------------------------------------------------

    def _collect(self) -> None:
        """Wait for any batch and settle it, keeping the lease meanwhile."""
        connection.close()
        done, _ = wait(self.under_way, timeout=LOOK_UP, return_when=FIRST_COMPLETED)
        for future in done:
            batch = self.under_way.pop(future)
            seconds, outcomes = batch.begun.seconds, future.result()
            lanes.measured(self.account.pk, self.account.crm, seconds, not _wide(outcomes))
            self._settle(batch, outcomes)
        self._renew()

    def _settle(self, batch: Batch, outcomes: Sequence[Result]) -> None:
        can_look, send_again = batch.connector.can.find_by_external_id, self.account.send_again
        outcomes = self._compared(batch, [believable(outcome) for outcome in outcomes])
        pairs = list(zip(batch.deliveries, outcomes, strict=True))
        settlements = []
        for row, outcome in pairs:
            again = batch.replays.get(row.pk)
            plain = settlement_of(row, outcome, can_look, send_again)
            plain = replace(plain, version=replays.version_used(row, outcome, again))
            settlements.append(replays.settled(plain, row, outcome, again) if again else plain)
            if again and isinstance(outcome, replays.MadeAnew):
                patiently(partial(replays.put_aside, row, again))
        patiently(partial(assignment.give_back, pairs, self._snapshot))
        tried = [pair for pair in pairs if not isinstance(pair[1], NotYet)]
        patiently(partial(outbox.settle, settlements, attempts.written(batch.begun, tried)))
        patiently(partial(holds.release_if_changed, batch.deliveries, [s.held_because for s in settlements]))
        self._let_go(pairs)
        teaching = [pair for pair in pairs if not (pair[0].test or pair[0].replay_id)]
        patiently(partial(note_problems, teaching))
        self.delivered += sum(isinstance(outcome, Receipt) for outcome in outcomes)
        patiently(partial(look_again, self.account, outcomes))
        self._react(outcomes)
        for row, outcome in pairs:
            if not row.test:
                counters.count("tries", crm=self.account.crm, outcome=attempts.counted_as(outcome))
            if isinstance(outcome, Receipt) and not (row.test or row.delivered_at):
                seconds = (db_clock.now() - row.created_at).total_seconds()
                counters.observe("delivery_seconds", seconds, crm=self.account.crm)
            log.info(
                "delivery tried",
                delivery=row.pk,
                account=self.account.pk,
                crm=self.account.crm,
                attempt=row.attempts_made + 1,
                outcome="delivered" if isinstance(outcome, Receipt) else outcome.code,
            )

    def _compared(self, batch: Batch, outcomes: Sequence[Result]) -> list[Result]:
        """Receipts that say what the CRM placed otherwise than it was asked. Broken ones have no draft."""
        if not batch.drafts:
            return list(outcomes)
        return [
            self._compare(row, draft, outcome, batch.replays.get(row.pk))
            if isinstance(outcome, Receipt)
            else outcome
            for row, draft, outcome in zip(batch.deliveries, batch.drafts, outcomes, strict=True)
        ]

    def _compare(
        self, row: Delivery, draft: LeadDraft, receipt: Receipt, again: replays.Replaying | None
    ) -> Receipt:
        """The lead is there: what can't be compared is settled all the same."""
        try:
            rule = again.rule if again else row.rule
            asked = draft.placement
            if draft.asks_owner and row.performer:
                asked = replace(asked, performer=row.performer)
            return compared(receipt, asked, by_route(self._snapshot(rule), row.route))
        except Exception:
            log.exception("the lead's place can't be compared", delivery=row.pk)
            return receipt

    def _let_go(self, pairs: Sequence[tuple[Delivery, Result]]) -> None:
        """Other lanes may send these people now; not whoever may have been made and is not found yet."""
        if self.shared_with:
            leases.let_go([row.uid for row, outcome in pairs if not isinstance(outcome, Unclear)])

    def _react(self, outcomes: Sequence[Result]) -> None:
        """What an outcome means for the lane and its account; the first that stops the lane counts."""
        if any(isinstance(outcome, Receipt) for outcome in outcomes):
            self.lane.recover()
            silences.heard(self.account.crm)
        if self.goes_on and (wide := _wide(outcomes)):
            self.goes_on = False
            self._stop(wide[0])

    def _stop(self, error: ConnectorError) -> None:
        if isinstance(error, NeedsReconnect):
            states.park(self.account, error)
        else:
            self.lane.rest(error.after)
            silences.met(self.account.crm, self.account.pk)


def _wide(outcomes: Sequence[Result]) -> list[ConnectorError]:
    """What concerns the whole account."""
    return [outcome for outcome in outcomes if isinstance(outcome, ConnectorError) and outcome.account_wide]


def _drafted(
    row: Delivery,
    rule: RuleSnapshot,
    bodies: revisions.Bodies,
    progress: Progress,
    again: replays.Replaying | None,
    former: Callable[[replays.Sent, Mapping[str, Any]], LeadDraft],
) -> LeadDraft:
    """Raises ``RuleNeedsFixing``."""
    draft = draft_for(rule, bodies.payload, progress)
    if row.test:
        return marked_as_test(draft, rule.entities)
    if again and again.updates:
        return replays.draft_of(again, draft, bodies, former)
    formers = tuple(draft_for(rule, former, progress) for former in bodies.formers)
    return revisions.revised(draft, bodies.revision, formers)


def _progress(row: Delivery, contacts: Mapping[str, str], assigned: bool, ours: Any = None) -> Progress:
    known = next((contacts[key] for key in row.contact_keys if key in contacts), "")
    at, now = row.answer.created_at, timezone.now()
    return Progress(row.uid, at, row.steps, row.look_first, known, assigned, now, ours or {})
