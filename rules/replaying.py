"""Replays that somebody asks for: whether it can be, what would come of it, and having it done.

By the rule of that day (``then``: the version by which the delivery went, or that was in force when its
answer came), or of today (``now``). Nothing is sent here: the delivery's lane does that
(``rules.delivery.replays``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any

import structlog
from django.db import transaction

from accounts.access import connector_for
from accounts.history import Actor
from accounts.models import Account, AccountEvent
from connectors.delivery import LEAD_GONE
from connectors.draft import PERFORMER, STEP, TAGS, TITLE, FieldChange, LeadDraft
from connectors.errors import ConnectorError, OurMistake
from connectors.messages import message
from connectors.registry import connector_class
from connectors.repeated import JOINED
from crm_cache.contacts import known_contacts
from rules.delivery import outbox, replay_moves, replays, revisions
from rules.delivery.assignment import foreseen, looked_after
from rules.delivery.queueing import wake_lanes
from rules.mapping.drafting import Progress, draft_for, unchecked_draft
from rules.mapping.routes import Way, by_route, way_of
from rules.mapping.rule_snapshot import RuleSnapshot, read_snapshot
from rules.models import Answer, BulkRun, Delivery, Replay, Rule, RuleVersion

log = structlog.stdlib.get_logger(__name__)


class When(StrEnum):
    """By which version of the rule."""

    THEN = "then"
    NOW = "now"


class NotReplayable(Exception):
    """Why a delivery can't be replayed: ``code`` for programs, the words for people."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


class Action(StrEnum):
    """What a replay would do."""

    UPDATE = "update"
    CREATE = "create"
    NOTHING = "nothing"
    GONE = "gone"
    LEFT_OUT = "left_out"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a replay would do with one delivery. ``words`` say why where it would change nothing."""

    delivery: Delivery
    action: Action
    version: RuleVersion | None = None
    changes: Sequence[FieldChange] = ()
    code: str = ""
    words: str = ""


# -- can it be? ---------------------------------------------------------------------------------------------


def version_of(row: Delivery, when: When) -> RuleVersion:
    """Raises ``NotReplayable``."""
    rule = row.rule
    if rule.deleted:
        rule = rule.successor() or rule
    if rule.deleted or rule.paused_at:
        raise NotReplayable(
            "rule_idle", message("Its rule is paused or deleted: resume it, or make one for the quiz")
        )
    found = replays.version_then(row) if when == When.THEN else rule.current
    if found is None:
        raise NotReplayable("no_version", message("Nothing is known of this rule's versions: save it once"))
    return found


def check(row: Delivery) -> None:
    """Raises ``NotReplayable`` where this delivery can't be replayed now, by whatever version."""
    account = row.account
    why: tuple[str, str] | None = None
    if row.test:
        why = "test", message("It is a test's; send another test")
    elif row.answer.purged_at or row.held_because == Delivery.Held.ERASED:
        why = "erased", message("What was answered is erased")
    elif row.state == Delivery.State.SENDING:
        why = "sending", message("It is being sent right now; ask again in a moment")
    elif not account.usable:
        why = "account_away", message("Its account is not connected, or paused: mend that first")
    elif row.delivered_at and not connector_class(account.crm).can.updates:
        why = (
            "cant_update",
            message("{crm} can't change a lead that is there", crm=account.get_crm_display()),
        )
    elif row.delivered_at and row.steps.get(JOINED):
        why = "joined", message("It joined a lead that was open, which is not its own to change")
    elif row.delivered_at and not row.steps.get("lead"):
        why = "lead_unknown", message("Which lead it became in the CRM is not known here")
    elif row.look_first and not row.delivered_at and not outbox.can_look(account):
        words = message("It may have arrived, and the CRM can't be asked: look there and decide first")
        why = "unclear", words
    if why:
        raise NotReplayable(*why)


# -- what would come of it ----------------------------------------------------------------------------------


def foresee(rows: Sequence[Delivery], when: When) -> list[Foreseen]:
    """What a replay would do, in order; leads that are there are read from their CRMs. Changes nothing.

    ``rows`` come with their rule, account, answer and version.
    """
    found: dict[int, Foreseen] = {}
    asked: dict[int, list[tuple[Delivery, RuleVersion]]] = {}
    for row in rows:
        try:
            version = version_of(row, when)
            check(row)
        except NotReplayable as no:
            found[row.pk] = Foreseen(row, Action.IMPOSSIBLE, code=no.code, words=no.words)
        else:
            asked.setdefault(row.account_id, []).append((row, version))
    for pairs in asked.values():
        found |= {one.delivery.pk: one for one in _Look(pairs[0][0].account, pairs).found()}
    return [found[row.pk] for row in rows]


@dataclass(slots=True)
class _Look:
    """Deliveries of one account and the versions by which they would go."""

    account: Account
    pairs: Sequence[tuple[Delivery, RuleVersion]]
    snapshots: dict[tuple[Any, ...], RuleSnapshot] = field(default_factory=dict)

    def found(self) -> Iterator[Foreseen]:
        rows = [row for row, _ in self.pairs]
        bodies = revisions.read(rows)
        contacts = known_contacts(self.account, {key for row in rows for key in row.contact_keys})
        earlier = replays.former_replays([row.pk for row in rows])
        drafts: dict[str, tuple[Delivery, RuleVersion, LeadDraft]] = {}
        for row, version in self.pairs:
            mine = replays.replaying(_imagined(row, version), row, earlier.get(row.pk, []))
            known = next((contacts[key] for key in row.contact_keys if key in contacts), "")
            progress = Progress(row.uid, row.answer.created_at, row.steps, row.look_first, known)
            try:
                way, draft = self._draft(mine, row, bodies[row.pk], progress)
            except ConnectorError as error:
                yield Foreseen(row, Action.IMPOSSIBLE, version, code=error.code, words=error.message)
                continue
            if way.left_out:
                yield Foreseen(row, Action.LEFT_OUT, version, code="left_out", words=way.left_out)
            elif mine.updates:
                drafts[row.uid] = (row, version, draft)
            else:
                created = replays.named(list(created_by(draft)), self.account)
                yield Foreseen(row, Action.CREATE, version, created)
        yield from self._compared(list(drafts.values()))

    def _draft(
        self, mine: replays.Replaying, row: Delivery, bodies: revisions.Bodies, progress: Progress
    ) -> tuple[Way, LeadDraft]:
        """As its lane would make it, but for turns, of which none is taken."""
        wanted = row.wanted or mine.wanted
        way = way_of(self._snapshot(mine.rule), bodies.payload, row.answer.created_at, wanted=wanted)
        rule = (
            looked_after(way.rule, row.performer)
            if row.performer or row.begun
            else foreseen(way.rule, bodies.payload, row.answer.created_at)
        )
        draft = draft_for(rule, bodies.payload, progress)
        if mine.updates:
            draft = replays.draft_of(mine, draft, bodies, partial(self._former, progress))
        return way, draft

    def _former(self, progress: Progress, sent: replays.Sent, body: Mapping[str, Any]) -> LeadDraft:
        rule = looked_after(by_route(self._snapshot(sent.rule), sent.route), sent.performer)
        return unchecked_draft(rule, body, progress)

    def _snapshot(self, rule: Rule) -> RuleSnapshot:
        key = (rule.pk, rule.current_id)
        if key not in self.snapshots:
            self.snapshots[key] = read_snapshot(rule, self.account)
        return self.snapshots[key]

    def _compared(self, drafts: Sequence[tuple[Delivery, RuleVersion, LeadDraft]]) -> Iterator[Foreseen]:
        if not drafts:
            return
        try:
            outcomes = connector_for(self.account).compare([draft for _, _, draft in drafts])
        except OurMistake as error:  # we may not even talk to this account's host
            outcomes = [error] * len(drafts)
        for (row, version, draft), outcome in zip(drafts, outcomes, strict=True):
            if isinstance(outcome, ConnectorError):
                yield Foreseen(row, Action.IMPOSSIBLE, version, code=outcome.code, words=outcome.message)
            elif outcome.gone:
                yield Foreseen(row, Action.GONE, version, code=LEAD_GONE, words=replays.GONE)
            else:
                changes = replays.named(replays.changes_of(draft, outcome), self.account)
                writes = any(not one.kept for one in changes)
                yield Foreseen(row, Action.UPDATE if writes else Action.NOTHING, version, changes)


def _imagined(row: Delivery, version: RuleVersion) -> Replay:
    """The replay as it would be begun now."""
    return Replay(
        delivery=row,
        version=version,
        before=row.version or (row.rule.current if row.delivered_at else None),
        before_revision=row.revision_sent,
        before_route=row.route,
        before_performer=row.performer,
    )


def created_by(draft: LeadDraft) -> Iterator[FieldChange]:
    """A lead that is not there yet, part by part."""
    person, place = draft.person, draft.placement
    for what, text in (
        (TITLE, draft.title),
        (STEP, place.step),
        (PERFORMER, place.performer),
        ("price", draft.price),
        ("name", person.name),
        ("phone", ", ".join(person.phones)),
        ("email", ", ".join(person.emails)),
        ("company", draft.company),
        (TAGS, ", ".join(dict.fromkeys(tag.name for tag in draft.tags))),
    ):
        if text:
            yield FieldChange(what, "", text)
    for value in draft.values:
        yield FieldChange(value.question, "", value.text, value.target.entity, value.target.remote_id)


# -- having it done -----------------------------------------------------------------------------------------


def ask(
    delivery_id: int, when: When, actor: Actor, *, anew: bool = False, run: BulkRun | None = None
) -> Replay:
    """Begin a replay, or find the same one under way. Raises ``NotReplayable``.

    ``anew``: a lead that was deleted in the CRM is made once more.
    """
    related = ("account", "rule__current", "answer", "version", "replay")
    with transaction.atomic():
        rows = Delivery.objects.select_for_update(of=("self",)).select_related(*related)
        row = rows.get(pk=delivery_id)
        version = version_of(row, when)
        if row.replay is not None:
            if row.replay.version_id == version.pk and row.replay.anew == anew:
                return row.replay
            raise NotReplayable("replaying", message("Another replay of it is under way"))
        check(row)
        replay = _imagined(row, version)
        replay.anew, replay.run = anew, run
        replay.by, replay.who = actor.by, actor.called(row.owner)
        replay.save()
        replay_moves.begin(row, replay, row.answer.revision)
        if run is None:
            transaction.on_commit(lambda: wake_lanes([row.account_id]))
    log.info("replay asked for", delivery=row.pk, replay=replay.pk, version=version.number, by=actor.by)
    return replay


def replay_all(answer: Answer, when: When, actor: Actor) -> tuple[int, list[tuple[Delivery, NotReplayable]]]:
    """Of one answer: how many were begun, and which were not, with the reason."""
    begun: int = 0
    refused: list[tuple[Delivery, NotReplayable]] = []
    for row in answer.deliveries.select_related("account").order_by("pk"):
        try:
            ask(row.pk, when, actor)
        except NotReplayable as no:
            refused.append((row, no))
        else:
            begun += 1
    return begun, refused


def ask_many(keys: Sequence[int], run: BulkRun) -> int:
    """The same for a bulk run: those that can't be replayed are left alone; how many were begun."""
    actor, begun = Actor(AccountEvent.By.STAFF, run.who), 0
    for key in keys:
        try:
            ask(key, When(run.by_rule), actor, run=run)
        except NotReplayable:
            continue
        begun += 1
    return begun
