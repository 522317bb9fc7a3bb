"""A delivery that is sent once more by a version of its rule: the lead that is there is compared first, what
will be changed is written down, and only then it is changed, without a second lead.

Who asked for it is kept by ``rules.replaying`` as a ``Replay``; its lane carries it out. Whoever breaks off
goes on: what was changed already does not differ any more, and stands among the changes that were kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from django.db import transaction

from accounts.database import patiently
from accounts.models import Account
from connectors.base import Connector
from connectors.delivery import LEAD_GONE
from connectors.draft import NOTE, PERFORMER, STEP, Comparison, FieldChange, LeadDraft, Receipt
from connectors.errors import ConnectorError, Refused
from connectors.messages import message
from connectors.note_texts import replayed
from connectors.repeated import JOINED
from crm_cache.models import CrmUser, Step
from crm_cache.sync import storable
from rules.delivery import outbox
from rules.delivery.revisions import Bodies
from rules.delivery.settlement import NotYet, Settlement, losses_of
from rules.models import Delivery, Outcome, Replay, Rule, RuleVersion
from rules.planning import new_uid
from rules.versions import rule_as_of

State = Replay.State
Result = Receipt | ConnectorError
IN_VAIN = frozenset(
    {Delivery.Held.FIX_RULE, Delivery.Held.REFUSED, Delivery.Held.GAVE_UP, Delivery.Held.LOOK_FIRST}
)  # what ends a replay: a person has to do something before another try makes sense
GONE = message("The lead was deleted in the CRM")
GONE_REMEDY = message("Say that it is to be made anew, if that is what you want.")
MADE_ANEW = message("The lead was deleted in the CRM and is made anew")


class MadeAnew(NotYet):
    """The deleted lead's journal was put aside: the next try makes a new one."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent before: by which version of the rule, which bodies, by which route, for whom."""

    rule: Rule
    revision: int
    route: str
    performer: str


@dataclass(slots=True)
class Replaying:
    """``rule`` is the delivery's as the wanted version has it. ``updates``: its lead is there. ``finishes``:
    a lead that was begun is brought to its end first, as it was begun; ``sent`` are the former ways, the
    oldest first."""

    row: Replay
    rule: Rule
    updates: bool = False
    finishes: bool = False
    sent: tuple[Sent, ...] = ()
    changes: list[FieldChange] = field(default_factory=list)

    @property
    def version(self) -> int:
        return self.row.before_id if self.finishes and self.row.before_id else self.row.version_id

    @property
    def wanted(self) -> bool:
        """The rule's condition is asked only of a lead that nobody has begun or wants for certain."""
        return self.updates or self.row.anew or self.row.delivery.begun


def asked(rows: Sequence[Delivery]) -> dict[int, tuple[Replay, Delivery, Sequence[Replay]]]:
    """What ``replaying`` is to be told of those deliveries that are replayed, by their keys. No query is made
    where none is."""
    open_ones = {row.replay_id: row for row in rows if row.replay_id}
    if not open_ones:
        return {}
    found = Replay.objects.filter(pk__in=open_ones).select_related("version", "before")
    earlier = former_replays([row.pk for row in open_ones.values()])
    return {one.delivery_id: (one, open_ones[one.pk], earlier.get(one.delivery_id, [])) for one in found}


def former_replays(deliveries: Collection[int]) -> Mapping[int, Sequence[Replay]]:
    """What was replayed before and may have changed leads, by delivery, the oldest first."""
    over = Replay.objects.filter(delivery__in=deliveries).exclude(state__in=[State.OPEN, State.LEFT_OUT])
    found: dict[int, list[Replay]] = {}
    for one in over.select_related("version", "before").order_by("pk"):
        found.setdefault(one.delivery_id, []).append(one)
    return found


def replaying(one: Replay, row: Delivery, earlier: Sequence[Replay]) -> Replaying:
    """``earlier``: what was replayed of it before (``former_replays``)."""
    one.delivery = row
    found = Replaying(one, rule_as_of(row.rule, one.version), updates=bool(row.delivered_at))
    begun_otherwise = one.before_id not in (None, one.version_id)
    found.finishes = not found.updates and bool(row.steps.get("lead")) and begun_otherwise
    if found.finishes:
        found.rule = rule_as_of(row.rule, one.before)
    elif found.updates:
        found.sent = tuple(_sent(one, row, earlier))
        found.changes = [FieldChange(**change) for change in one.changes]
    return found


def _sent(one: Replay, row: Delivery, earlier: Sequence[Replay]) -> Iterator[Sent]:
    """A replay that failed may have changed something by its own version, too. What was sent of a lead that
    was made anew since counts no more."""
    after = max((number for number, old in enumerate(earlier) if old.former_uid), default=-1)
    last = 0
    for old in (*earlier[after + 1 :], one):
        rule = rule_as_of(row.rule, old.before)
        for revision in range(min(last + 1, old.before_revision), old.before_revision + 1):
            yield Sent(rule, revision, old.before_route, old.before_performer)
        last = old.before_revision
        if old.state == State.FAILED:
            yield Sent(rule_as_of(row.rule, old.version), last, old.before_route, old.before_performer)


def draft_of(
    found: Replaying, draft: LeadDraft, bodies: Bodies, former: Callable[[Sent, Mapping[str, Any]], LeadDraft]
) -> LeadDraft:
    """The draft as an update of the lead that is there (``found.updates``). ``former(sent, body)`` drafts
    what was sent."""
    formers = tuple(
        former(one, bodies.kept[one.revision]) for one in found.sent if one.revision in bodies.kept
    )
    return replace(draft, revision=bodies.revision, formers=formers, replay=found.row.pk or 1)


# -- before anything is sent --------------------------------------------------------------------------------


def prepare(
    drafts: Sequence[LeadDraft], found: Mapping[str, Replaying], connector: Connector, account: Account
) -> tuple[dict[str, Result], dict[str, LeadDraft]]:
    """(what is over without a change, the drafts to be sent with their notes), by external id.

    ``found`` has the replays by external id. What will be changed is stored before this returns.
    """
    over: dict[str, Result] = {}
    ready: dict[str, LeadDraft] = {}
    compared = connector.compare(drafts)
    for draft, one in zip(drafts, compared, strict=True):
        mine = found[draft.uid]
        if isinstance(one, ConnectorError):
            over[draft.uid] = one
        elif one.gone:
            over[draft.uid] = _gone(mine)
        else:
            fresh = changes_of(draft, one)
            mine.changes = merged(mine.changes, patiently(partial(named, fresh, account)))
            if any(not change.kept for change in mine.changes):
                ready[draft.uid] = replace(
                    draft, note=replayed(mine.row.version.number, mine.changes, draft.language)
                )
            else:
                over[draft.uid] = unchanged(mine.row.delivery)
    patiently(partial(_keep, [found[draft.uid] for draft in drafts]))
    return over, ready


def changes_of(draft: LeadDraft, compared: Comparison) -> list[FieldChange]:
    """What the CRM would see change, the note's new lines among it: what fits no field is there alone."""
    known = {line.strip() for former in draft.formers for line in former.note.splitlines()}
    lines = (line.strip() for line in draft.note.splitlines())
    fresh = [FieldChange(NOTE, "", line) for line in lines if line and line not in known]
    return [*compared.changes, *fresh]


def merged(kept: Iterable[FieldChange], fresh: Iterable[FieldChange]) -> list[FieldChange]:
    """What was written down before an earlier try broke off, and what differs now: of what is in both, the
    first ``before`` counts."""
    by_key = {_key(one): one for one in kept}
    for one in fresh:
        was = by_key.get(_key(one))
        by_key[_key(one)] = replace(one, before=was.before) if was and not was.kept else one
    return list(by_key.values())


def _key(one: FieldChange) -> tuple[str, ...]:
    text = one.after if one.what == NOTE else ""
    return one.what, one.entity, one.field_id, text


def named(changes: Sequence[FieldChange], account: Account) -> list[FieldChange]:
    """Steps and people by their names, as far as our lists know them."""
    models: dict[str, type[Step] | type[CrmUser]] = {STEP: Step, PERFORMER: CrmUser}
    names: dict[tuple[str, str], set[str]] = {}
    for what, model in models.items():
        if ids := {text for one in changes if one.what == what for text in (one.before, one.after)}:
            known: Any = model.objects.filter(account=account, remote_id__in=ids)
            for remote_id, called in known.values_list("remote_id", "name"):
                names.setdefault((what, remote_id), set()).add(called)

    def name(what: str, remote_id: str) -> str:
        found = names.get((what, remote_id), set())
        return next(iter(found)) if len(found) == 1 else remote_id

    return [
        replace(one, before=name(one.what, one.before), after=name(one.what, one.after))
        if one.what in models
        else one
        for one in changes
    ]


def _keep(found: Iterable[Replaying]) -> None:
    rows = []
    for one in found:
        one.row.changes = storable([asdict(change) for change in one.changes])
        rows.append(one.row)
    Replay.objects.bulk_update(rows, ["changes"])


def _gone(mine: Replaying) -> ConnectorError:
    if mine.row.anew:
        return MadeAnew(MADE_ANEW, code="made_anew")
    return Refused(GONE, code=LEAD_GONE, remedy=GONE_REMEDY)


def unchanged(row: Delivery) -> Receipt:
    """The lead stays as it is, and what is told of it."""
    return Receipt(row.uid, row.steps, row.remote_link, losses=losses_of(row))


# -- afterwards ---------------------------------------------------------------------------------------------


def put_aside(row: Delivery, mine: Replaying) -> None:
    """The lead is gone and wanted anew: the delivery begins as if it had never been sent, under another
    external id. Only for its claim's holder."""
    with transaction.atomic():
        ours = Delivery.objects.filter(pk=row.pk, state=Delivery.State.SENDING, claimed_at=row.claimed_at)
        if ours.update(uid=new_uid(), look_first=False, **outbox.UNSENT):
            Replay.objects.filter(pk=mine.row.pk).update(former_lead=row.remote_id, former_uid=row.uid)
            Outcome.objects.filter(delivery=row.pk).delete()


def settled(plain: Settlement, row: Delivery, outcome: Result, mine: Replaying) -> Settlement:
    """What the outcome means for the replay, and for a lead that was there before: it stays delivered,
    whatever became of the replay."""
    if isinstance(outcome, Receipt):
        goes_on = outcome.adopted or mine.finishes
        if goes_on and not outcome.journal.get(JOINED):  # it is brought up to date next; another's never is
            return replace(plain, version=mine.row.before_id)
        return replace(plain, replayed=_ended(mine))
    if plain.held_because == Delivery.Held.LEFT_OUT:
        return replace(plain, replayed=State.LEFT_OUT)
    if plain.held_because not in IN_VAIN:  # it goes on later: what is there was not made by this version
        return replace(plain, version=None) if mine.updates else plain
    if not mine.updates:
        return replace(plain, replayed=State.FAILED, complaint=outcome.message)
    return Settlement(
        plain.delivery_id,
        plain.claimed_at,
        Delivery.State.DELIVERED,
        losses=losses_of(row),
        replayed=State.FAILED,
        complaint=outcome.message,
    )


def _ended(mine: Replaying) -> str:
    if not mine.updates:
        return State.MADE
    return State.CHANGED if any(not one.kept for one in mine.changes) else State.UNCHANGED


def version_used(row: Delivery, outcome: Result, mine: Replaying | None) -> int | None:
    """The rule's version that a try went by; none where something of ours came before the rule."""
    if isinstance(outcome, NotYet) or (row.replay_id and not mine):
        return None
    return mine.version if mine else row.rule.current_id


def version_then(row: Delivery) -> RuleVersion | None:
    """The version by which it went, or that was in force when its answer came; None where nobody knows."""
    if row.version_id:
        return row.version
    versions = row.rule.versions.order_by("-number")
    return versions.filter(at__lte=row.created_at).first() or versions.last()
