"""Who looks after a lead: drawn once for each delivery, and written down before anything is sent.

The turns of a rule are kept in one row, locked while a batch draws: however many workers send, the turns go
round as in one queue. A delivery that has somebody keeps them over all its tries.

An answer that joins an open lead needs nobody: a turn that was drawn for it before that was known is given
back when it is settled.

Where a rule prefers whoever looks after the person's contact already, nobody is drawn before the connector
knows the contact: it asks (``Journal.assign``) once it does, and leads of known people take nobody's turn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction

from accounts import db_clock
from connectors.draft import Receipt
from connectors.errors import ConnectorError
from connectors.messages import Message, joined, message, parts_of, to_column
from connectors.repeated import JOINED
from rules.mapping.responsible import Candidate, return_turn, take_turn
from rules.mapping.routes import by_route, values_of
from rules.mapping.rule_snapshot import RuleSnapshot, Seen, seen_users
from rules.models import Delivery, Rule, Turns

log = structlog.stdlib.get_logger(__name__)
NOBODY: Mapping[str, str] = {}
BY_TURN = message("{name}, by turn among {count}")
RETURNED = message("{name} keeps the turn: the answer joined a lead that was open")


@dataclass(frozen=True, slots=True)
class Drawn:
    """Who, and how it came about, in words. Nobody where nobody can be: then it is the rule's own."""

    performer: str
    words: str


@dataclass(frozen=True, slots=True)
class Asking:
    """A delivery that needs somebody, by its rule, for an answer."""

    row: Delivery
    rule: RuleSnapshot
    payload: Mapping[str, Any]


def assign(asking: Sequence[Asking]) -> None:
    """Draw for those that have nobody yet, or somebody who left since; kept on their rows and stored. Whose
    contact is to be known first is left out."""
    _each_rule([one for one in asking if one.rule.responsible and not one.rule.responsible.own])


def assign_met(asking: Sequence[Asking], owners: Mapping[str, str]) -> None:
    """The same for those whose contact is known by now; ``owners`` are who looks after it, by the delivery's
    ``uid``. Who lost the claim on a delivery meanwhile decides nothing. May be done twice: what was stored
    before the database broke off is not drawn again."""
    rows = Delivery.objects.filter(pk__in=[one.row.pk for one in asking])
    stored = {known["pk"]: known for known in rows.values("pk", "claimed_at", "performer", "draw")}
    ours = []
    for one in asking:
        known = stored.get(one.row.pk)
        if known and known["claimed_at"] == one.row.claimed_at:
            one.row.performer, one.row.draw = known["performer"], known["draw"]
            ours.append(one)
    _each_rule(_with_seen(ours, {one.row.uid: owners.get(one.row.uid, "") for one in ours}), owners)


def _each_rule(asking: Iterable[Asking], owners: Mapping[str, str] = NOBODY) -> None:
    by_rule: dict[int, list[Asking]] = defaultdict(list)
    for one in asking:
        if not settled(one):
            by_rule[one.rule.rule_id].append(one)
    for rule_id in sorted(by_rule):
        _assign(rule_id, by_rule[rule_id], owners)


def settled(one: Asking) -> bool:
    """What may be in the CRM already keeps whom it was begun with, whoever that is today."""
    row = one.row
    if one.rule.responsible.own and not row.draw:  # then the contact may be known, and the lead is not begun
        return bool(row.delivered_at or row.steps.get("lead"))
    return row.begun or bool(row.performer and one.rule.has_alive(row.performer))


def seen_since(asking: Sequence[Asking]) -> list[Asking]:
    """The same, with rules that know who was decided on, were it somebody whom they do not name."""
    return _with_seen(asking, {one.row.uid: one.row.performer for one in asking})


def _with_seen(asking: Sequence[Asking], whom: Mapping[str, str]) -> list[Asking]:
    """One query, if any."""
    missing = {
        whom[one.row.uid]
        for one in asking
        if one.rule.responsible.own and whom[one.row.uid] not in one.rule.seen_people
    } - {""}
    seen = seen_users(asking[0].row.account, missing) if missing else {}
    return [_knowing(one, seen, whom[one.row.uid]) for one in asking] if seen else list(asking)


def _knowing(one: Asking, seen: Mapping[str, Seen], who: str) -> Asking:
    if who not in seen:
        return one
    return replace(one, rule=replace(one.rule, seen_people={**one.rule.seen_people, who: seen[who]}))


def _assign(rule_id: int, asking: Sequence[Asking], owners: Mapping[str, str]) -> None:
    now = db_clock.now()
    Turns.objects.bulk_create([Turns(rule_id=rule_id)], ignore_conflicts=True)
    with transaction.atomic():
        turns = Turns.objects.select_for_update().get(rule=rule_id)
        drawn = []
        for one in asking:
            owner = owners.get(one.row.uid, "")
            found = draw(turns.owed, one.rule, one.payload, one.row.answer.created_at, now, owner)
            drawn.append((one.row, found))
        turns.save(update_fields=["owed"])
        _write(drawn)
    for row, found in drawn:  # once it is stored: whoever was kept from that draws anew
        row.performer, row.draw = found.performer, found.words


def _write(drawn: Sequence[tuple[Delivery, Drawn]]) -> None:
    """In one statement, however many there are."""
    columns: list[Any] = [
        [row.pk for row, _ in drawn],
        [found.performer for _, found in drawn],
        [to_column(found.words) for _, found in drawn],
    ]
    with connection.cursor() as cursor:
        cursor.execute(WRITE, columns)


WRITE = """
UPDATE rules_delivery d SET performer = v.performer, draw = v.draw
FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS v(id, performer, draw) WHERE d.id = v.id
"""


def draw(
    owed: MutableMapping[str, int],
    rule: RuleSnapshot,
    payload: Mapping[str, Any],
    answered_at: datetime,
    now: datetime,
    owner: str = "",
) -> Drawn:
    """Who is responsible for one answer; a turn is taken from ``owed``. ``owner`` looks after the person's
    contact already, where the rule asks for that. Pure."""
    told: list[str] = []
    if owner and rule.responsible.own:
        if rule.has_alive(owner):
            return Drawn(
                owner, message("{name}, who looks after the contact already", name=_name(rule, owner))
            )
        told.append(message("{name}, who looks after the contact, left the CRM", name=_name(rule, owner)))
    if named := rule.responsible.named_by(values_of(rule, payload, answered_at)):
        if rule.has_alive(named):
            return Drawn(named, message("{name}, chosen by the answer", name=_name(rule, named)))
        told.append(message("{name}, whom the answer names, left the CRM", name=_name(rule, named)))
    alive, working = _taking_turns(rule, now)
    told += [_gone(rule, one) for one in rule.responsible.people if one not in alive]
    if alive and not working:
        told.append(message("nobody works at this hour"))
    people = working or alive
    if not people:
        nobody = message("nobody is left to draw, so it is as the rule says")
        if not (told or rule.responsible.people or rule.responsible.by_text):
            nobody = message("nobody looks after the contact yet, so it is as the rule says")
        return Drawn("", joined("; ", *told, nobody))
    chosen = take_turn(owed, people)
    own = message(BY_TURN.text, name=_name(rule, chosen), count=len(people))
    return Drawn(chosen, joined("; ", own, *told))


def _taking_turns(rule: RuleSnapshot, now: datetime) -> tuple[list[Candidate], list[Candidate]]:
    """Who has not left the CRM, and who of them works at this moment."""
    alive = [one for one in rule.responsible.people if rule.has_alive(one.performer)]
    return alive, [one for one in alive if one.works(now.astimezone(rule.zone))]


def give_back(
    outcomes: Iterable[tuple[Delivery, Receipt | ConnectorError]], read: Callable[[Rule], RuleSnapshot]
) -> None:
    """Turns that were drawn for answers which have joined a lead. To be called before these are settled: each
    row says itself whether it was done. ``read`` gives a rule's snapshot."""
    by_rule: dict[int, list[Delivery]] = defaultdict(list)
    for row, outcome in outcomes:
        if isinstance(outcome, Receipt) and outcome.journal.get(JOINED) and _took_turn(row):
            by_rule[row.rule_id].append(row)
    for rule_id in sorted(by_rule):
        try:
            _give_back_of(rule_id, by_rule[rule_id], read)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # a turn that stays taken keeps nobody's lead from being settled
            log.exception("turns can't be given back", rule=rule_id)


def _give_back_of(rule_id: int, rows: Iterable[Delivery], read: Callable[[Rule], RuleSnapshot]) -> None:
    given = []
    with transaction.atomic():
        turns = Turns.objects.select_for_update().filter(rule=rule_id).first() or Turns()
        for row in rows:
            if words := _give_back(row, by_route(read(row.rule), row.route), turns.owed):
                given.append((row, words))
        if turns.rule_id:  # else a rule that was deleted since has drawn for all of them
            turns.save(update_fields=["owed"])
    for row, words in given:
        row.performer, row.draw = "", words


def _took_turn(row: Delivery) -> bool:
    how = parts_of(row.draw)[0]
    return bool(row.performer) and isinstance(how, Message) and how.text == BY_TURN.text


def _give_back(row: Delivery, rule: RuleSnapshot, owed: MutableMapping[str, int]) -> str:
    """Among those who took turns when it was claimed; in words. Who lost the claim meanwhile gives nothing
    back."""
    words = message(RETURNED.text, name=_name(rule, row.performer))
    ours = Delivery.objects.filter(pk=row.pk, claimed_at=row.claimed_at, performer=row.performer)
    if not ours.update(performer="", draw=words):
        return ""
    alive, working = _taking_turns(rule, row.claimed_at or db_clock.now())
    for people in (working, alive):
        if any(one.performer == row.performer for one in people):
            return_turn(owed, people, row.performer)
            break
    return words


def foreseen(rule: RuleSnapshot, payload: Mapping[str, Any], answered_at: datetime) -> RuleSnapshot:
    """The rule with whoever would be drawn now, for previews: no turn is taken."""
    if not rule.responsible:
        return rule
    turns = Turns.objects.filter(rule=rule.rule_id).first()
    found = draw(dict(turns.owed) if turns else {}, rule, payload, answered_at, db_clock.now())
    return looked_after(rule, found.performer)


def looked_after(rule: RuleSnapshot, performer: str) -> RuleSnapshot:
    """The rule with whoever was drawn; as it is where nobody was."""
    if not performer or not rule.responsible:
        return rule
    return replace(rule, performer=performer)


def _name(rule: RuleSnapshot, performer: str) -> str:
    seen = rule.seen_people.get(performer)
    return seen.name if seen and seen.name else performer


def _gone(rule: RuleSnapshot, one: Candidate) -> str:
    return message("{name} left the CRM and was skipped", name=_name(rule, one.performer))
