"""What became of the answers of a day, counted from answers, deliveries and outcomes and kept as rows.

Every answer counts in each of its CRMs on the day it came, as its lead stands now; what met no rule counts
beside them. Test leads count nowhere. The parts of a row, each by name:

    route       of a rule, ``account:quiz:`` before it; empty: the rule itself; or ``LEFT_OUT``, ``UNSENT``
    person      ``account:`` and the id of who is responsible, nothing behind it where nobody is known
    source, medium, campaign, page     empty where the visit had none
    option      ``question`` and option with ``BETWEEN`` in the middle; rows of one quiz only
    called      how people and questions are called, by the same names
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from rules.conversion import traits
from rules.conversion.numbers import COUNTS, Numbers, kept, total
from rules.models import Answer, AnswerTraits, DayConversion, Delivery, Outcome
from rules.walking import portions

PORTION = 2000  # answers of one statement
BETWEEN = "\t"  # no name has it
LEFT_OUT, UNSENT = "\tleft out", "\tnot sent"
MARKS = ("source", "medium", "campaign", "page")
OF_ALL = (*MARKS, "person")  # parts that are added up over quizzes
PARTS = (*OF_ALL, "route", "option")
Key = tuple[str, str, int | None, int | None]  # owner, CRM, account, quiz
NO_TRAITS: tuple[Any, ...] = ("", "", "", "", {})


@dataclass(slots=True)
class Cell:
    """One row while it is counted."""

    whole: Numbers = field(default_factory=Numbers)
    parts: dict[str, dict[str, Numbers]] = field(
        default_factory=lambda: {part: defaultdict(Numbers) for part in PARTS}
    )
    called: dict[str, str] = field(default_factory=dict)

    def add(self, one: Numbers, names: Iterable[tuple[str, str]]) -> None:
        self.whole.add(one)
        for part, name in names:
            self.parts[part][name].add(one)

    def row(self, day: date, key: Key, whole: bool) -> DayConversion:
        owner, crm, account, quiz = key
        parts: dict[str, Any] = {part: kept(found) for part, found in self.parts.items() if found}
        told = {name.partition(BETWEEN)[0] for part in parts.values() for name in part}
        if called := {name: words for name, words in self.called.items() if name in told}:
            parts["called"] = called
        return DayConversion(
            day=day, owner=owner, crm=crm, account_id=account, quiz_id=quiz, whole=whole,
            **dict(zip(COUNTS, self.whole.counts, strict=True)), sums=self.whole.sums, parts=parts,
        )  # fmt: skip


def count(day: date, first: datetime, end: datetime) -> int:
    """Count the answers of one day, from ``first`` to before ``end``; how many rows have changed."""
    cells: dict[Key, Cell] = defaultdict(Cell)
    came = Answer.objects.filter(created_at__gte=first, created_at__lt=end, test=False)
    for answers in portions(came, "created_at", "account_id", "quiz_id", at_once=PORTION):
        _add(cells, answers)
    rows = {_key(row): row for row in _rows(day, cells)}
    with transaction.atomic():
        return _keep(day, rows)


def _add(cells: dict[Key, Cell], answers: list[tuple[Any, ...]]) -> None:
    keys = [answer[0] for answer in answers]
    traits.keep(keys)
    seen = AnswerTraits.objects.filter(answer__in=keys).values_list("answer_id", *MARKS, "options")
    known = {row[0]: row[1:] for row in seen}
    sent: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in Delivery.objects.filter(answer__in=keys, test=False).values(*DELIVERY, *OUTCOME):
        sent[row["answer_id"]].append(row)
    for pk, _, owner, quiz in answers:
        *marks, options = known.get(pk, NO_TRAITS)
        names = [*zip(MARKS, marks, strict=True), *_options(options)]
        for one in sent.get(pk, [None]):
            crm, account = (one["account__crm"], one["account_id"]) if one else ("", None)
            cell = cells[owner, crm, account, quiz]
            cell.called |= {question: said[0] for question, said in options.items()}
            cell.add(_numbers(one), [*names, *_ways(cell, one)] if one else names)


DELIVERY = (
    "answer_id",
    "account_id",
    "account__crm",
    "quiz_id",
    "state",
    "held_because",
    "route",
    "performer",
)
OUTCOME = tuple(
    f"outcome__{name}"
    for name in (
        "status", "gone", "amount", "paid", "currency", "performer", "performer_name", "created_at",
        "stepped_at", "joined",
    )
)  # fmt: skip


def _options(options: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    for question, (_title, *chosen) in options.items():
        for option in chosen:
            yield "option", f"{question}{BETWEEN}{option}"


def _ways(cell: Cell, one: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """By which route it went, and who is responsible."""
    made = one["state"] == Delivery.State.DELIVERED
    route = one["route"]
    if not made and not route:
        route = LEFT_OUT if one["held_because"] == Delivery.Held.LEFT_OUT else UNSENT
    yield "route", f"{one['account_id']}:{one['quiz_id']}:{route}"
    performer = one["outcome__performer"] or one["performer"] or one["outcome__performer_name"] or ""
    name = f"{one['account_id']}:{performer}"
    if words := one["outcome__performer_name"]:
        cell.called[name] = words
    yield "person", name


def _numbers(one: Mapping[str, Any] | None) -> Numbers:
    """One answer in one CRM; what was won counts with its sum. One that joined an open lead made none: that
    lead counts with the answer that made it."""
    found = Numbers(answers=1)
    if one is None or one["state"] != Delivery.State.DELIVERED or one["outcome__joined"]:
        return found
    found.leads = 1
    status = one["outcome__status"] or Outcome.Status.OPEN
    open_still = status == Outcome.Status.OPEN
    found.gone = int(open_still and bool(one["outcome__gone"]))
    found.open = int(open_still and not found.gone)
    found.won, found.lost = int(status == Outcome.Status.WON), int(status == Outcome.Status.LOST)
    currency = one["outcome__currency"] or ""
    if found.won and one["outcome__amount"]:
        found.won_sum = {currency: one["outcome__amount"]}
    if one["outcome__paid"]:
        found.paid_sum = {currency: Decimal(one["outcome__paid"])}
    if stepped := one["outcome__stepped_at"]:
        found.step_after((stepped - one["outcome__created_at"]).total_seconds())
    return found


# -- rows ----------------------------------------------------------------------------------------------------


def _rows(day: date, cells: Mapping[Key, Cell]) -> Iterator[DayConversion]:
    by_account: dict[Key, list[Key]] = defaultdict(list)
    for key in cells:
        by_account[(*key[:3], None)].append(key)
    for account, keys in by_account.items():
        for key in keys:
            yield cells[key].row(day, key, whole=len(keys) == 1)
        if len(keys) > 1:
            yield _together(cells[key] for key in keys).row(day, account, whole=True)
    for crm in {key[1] for key in cells} - {""}:
        mine = (cell for key, cell in cells.items() if key[1] == crm)
        yield _together(mine, OF_ALL).row(day, ("", crm, None, None), whole=True)
    yield _together(cells.values(), OF_ALL).row(day, ("", "", None, None), whole=True)


def _together(cells: Iterable[Cell], parts: Iterable[str] = (*OF_ALL, "route")) -> Cell:
    """Options are those of one quiz, routes those of one account's quizzes."""
    cells, found = list(cells), Cell()
    found.whole = total(cell.whole for cell in cells)
    for cell in cells:
        found.called |= cell.called
        for part in parts:
            for name, numbers in cell.parts[part].items():
                found.parts[part][name].add(numbers)
    return found


def _keep(day: date, rows: Mapping[Key, DayConversion]) -> int:
    """Write what differs from what was kept: most of an old day is as it was."""
    stored = {_key(row): row for row in DayConversion.objects.select_for_update().filter(day=day)}
    gone = [row.pk for key, row in stored.items() if key not in rows]
    new = [row for key, row in rows.items() if key not in stored]
    moved = []
    for key, row in rows.items():
        if key in stored and any(getattr(row, name) != getattr(stored[key], name) for name in COLUMNS):
            row.pk = stored[key].pk
            moved.append(row)
    DayConversion.objects.filter(pk__in=gone).delete()
    DayConversion.objects.bulk_create(new, batch_size=500)
    DayConversion.objects.bulk_update(moved, COLUMNS, batch_size=500)
    return len(gone) + len(new) + len(moved)


COLUMNS = ("whole", *COUNTS, "sums", "parts")


def _key(row: DayConversion) -> Key:
    return row.owner, row.crm, row.account_id, row.quiz_id
