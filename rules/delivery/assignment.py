"""Who looks after a lead: drawn once for each delivery, and written down before anything is sent.

The turns of a rule are kept in one row, locked while a batch draws: however many workers send, the turns go
round as in one queue. A delivery that has somebody keeps them over all its tries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts import db_clock
from connectors.messages import joined, message, to_column
from rules.mapping.responsible import Candidate, take_turn
from rules.mapping.routes import values_of
from rules.mapping.rule_snapshot import RuleSnapshot
from rules.models import Delivery, Turns


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
    """Draw for those that have nobody yet, or somebody who left since; kept on their rows and stored."""
    by_rule: dict[int, list[Asking]] = defaultdict(list)
    for one in asking:
        if one.rule.responsible and not _settled(one):
            by_rule[one.rule.rule_id].append(one)
    for rule_id in sorted(by_rule):
        _assign(rule_id, by_rule[rule_id])


def _settled(one: Asking) -> bool:
    """What may be in the CRM already keeps whom it was begun with, whoever that is today."""
    return one.row.begun or bool(one.row.performer and one.rule.has_alive(one.row.performer))


def _assign(rule_id: int, asking: Sequence[Asking]) -> None:
    now = db_clock.now()
    Turns.objects.bulk_create([Turns(rule_id=rule_id)], ignore_conflicts=True)
    with transaction.atomic():
        turns = Turns.objects.select_for_update().get(rule=rule_id)
        for one in asking:
            found = draw(turns.owed, one.rule, one.payload, one.row.answer.created_at, now)
            one.row.performer, one.row.draw = found.performer, found.words
        turns.save(update_fields=["owed"])
        _write([one.row for one in asking])


def _write(rows: Sequence[Delivery]) -> None:
    """In one statement, however many there are."""
    columns: list[Any] = [
        [row.pk for row in rows],
        [row.performer for row in rows],
        [to_column(row.draw) for row in rows],
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
) -> Drawn:
    """Who is responsible for one answer; a turn is taken from ``owed``. Pure."""
    told: list[str] = []
    if named := rule.responsible.named_by(values_of(rule, payload, answered_at)):
        if rule.has_alive(named):
            return Drawn(named, message("{name}, chosen by the answer", name=_name(rule, named)))
        told.append(message("{name}, whom the answer names, left the CRM", name=_name(rule, named)))
    alive = [one for one in rule.responsible.people if rule.has_alive(one.performer)]
    told += [_gone(rule, one) for one in rule.responsible.people if one not in alive]
    working = [one for one in alive if one.works(now.astimezone(rule.zone))]
    if alive and not working:
        told.append(message("nobody works at this hour"))
    people = working or alive
    if not people:
        return Drawn("", joined("; ", *told, message("nobody is left to draw, so it is as the rule says")))
    chosen = take_turn(owed, people)
    own = message("{name}, by turn among {count}", name=_name(rule, chosen), count=len(people))
    return Drawn(chosen, joined("; ", own, *told))


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
