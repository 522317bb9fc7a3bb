"""What became of the answers, by the local CRMs' books and the database's rows; the engine is not asked."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from config.demo.report import table
from tests.torture.crowd import Post
from tests.torture.customers import Customer
from tests.torture.marks import Lead, Ledger, marks_of, read_ledger
from tests.torture.owners import astray, doubled_fields, rows_of
from tests.torture.people import FOUND, People, contacts_now
from tests.torture.world import World

Key = tuple[str, str]  # quiz account, answer id
# The people of the run do what these say until the end: whatever is still held for it is stuck.
FOLLOWED = ("reconnect", "disconnected", "paused", "look_first")


@dataclass(frozen=True)
class Row:
    """An answer in the database, and its delivery; ``uid`` is empty where it has none. Times are Unix
    seconds, 0 for never; ``task_given_up``: it is told that its task was not made."""

    customer: str
    answer: str
    pk: int
    crm: str
    uid: str
    state: str
    because: str
    error: str
    remedy: str
    attempts: int
    accepted_at: float
    delivered_at: float
    task_given_up: bool

    @property
    def key(self) -> Key:
        return self.customer, self.answer

    @property
    def explained(self) -> bool:
        """Held, a person is told why and what to do, and nobody has done that yet."""
        told = bool(self.error and self.remedy)
        return self.state == "held" and told and self.because not in FOLLOWED


@dataclass(frozen=True)
class Figures:
    """The verdict. ``strangers`` are leads with a mark that no delivery has."""

    accepted: int
    refused: int
    leads: int
    joined: int
    lost: int
    doubled: int
    strangers: int
    astray_notes: int
    passed_by: int
    notes_doubled: int
    tasks_wrong: int
    contacts_doubled: int
    fields_doubled: int
    astray: int
    stuck: int
    held: int
    found_by_person: int
    attempts_mean: float
    attempts_most: int
    drained_in: float
    busy: int

    @property
    def holds(self) -> bool:
        return not any(getattr(self, name) for name in BREAKING)

    def sentence(self) -> str:
        words = (
            f"{self.accepted} answers accepted, {self.joined} of them joined a lead: {self.lost} lost, "
            f"{self.doubled} doubled, {self.stuck} stuck."
        )
        return f"{'HOLDS' if self.holds else 'BROKEN'}: {words}"


BREAKING = (
    *("lost", "doubled", "strangers", "astray_notes", "passed_by", "notes_doubled", "tasks_wrong"),
    *("fields_doubled", "astray", "stuck"),
)
NAMES = {
    "accepted": "answers accepted (2xx seen by a client)",
    "refused": "answers refused (4xx seen by a client)",
    "leads": "leads created in the CRMs",
    "joined": "answers that stand on an open lead of their person instead",
    "lost": "lost: accepted, in no CRM, and nobody told why",
    "doubled": "doubled: leads beyond the first that an answer made or joined",
    "strangers": "leads and notes with a mark that no delivery has",
    "astray_notes": "answers that stand on a lead of somebody else",
    "passed_by": "leads made beside one that was settled before their answer came",
    "notes_doubled": "notes beyond the first with one mark",
    "tasks_wrong": "tasks doubled, not asked for, or missing without a word",
    "contacts_doubled": "contacts doubled",
    "fields_doubled": "fields made twice in one CRM account",
    "astray": "accounts that ended as another row or at another CRM account",
    "stuck": "stuck: waiting, sending, or held without reason and remedy",
    "held": "held with reason and remedy",
    "found_by_person": "of the leads: held as unclear, found in the CRM by a person",
    "attempts_mean": "attempts per lead, mean",
    "attempts_most": "attempts per lead, most",
    "drained_in": "seconds until all was drained",
    "busy": "429s that we caused ourselves",
}


@dataclass(frozen=True)
class Start:
    """What was so before the storm: contacts and account rows of each customer, fields of one name."""

    contacts: Mapping[str, int]
    accounts: Mapping[str, list[tuple[Any, ...]]]
    fields: int


def read_start(world: World) -> Start:
    customers = world.customers.values()
    return Start(
        contacts={one.id: contacts_now(world, one) or 0 for one in customers},
        accounts={one.id: rows_of(world, one) for one in customers},
        fields=doubled_fields(world),
    )


@dataclass
class Books:
    """Everything that was read for a verdict. ``phones`` tell who gave an answer."""

    rows: list[Row]
    ledgers: Mapping[str, Ledger]
    accepted: set[Key]
    doubts: list[Mapping[str, object]]
    customers: Mapping[str, Customer] = field(default_factory=dict)
    phones: Mapping[Key, str] = field(default_factory=dict)

    def of(self, row: Row) -> list[Lead]:
        """Leads of its own."""
        return self._ledger(row).leads.get(row.uid, [])

    def joined(self, row: Row) -> list[Lead]:
        """Leads of others on which it stands."""
        return self._ledger(row).joined.get(row.uid, [])

    def found(self, row: Row) -> list[Lead]:
        return self._ledger(row).found(row.uid)

    def _ledger(self, row: Row) -> Ledger:
        return self.ledgers.get(row.crm, NOTHING)

    def lost(self) -> list[Key]:
        """Without a lead, and not held with an explanation either."""
        there = {
            row.key for row in self.rows if row.uid and (self._ledger(row).found(row.uid) or row.explained)
        }
        return sorted(self.accepted - there)

    def doubled(self) -> list[Row]:
        return [row for row in self.rows for _ in self.found(row)[1:]]

    def strangers(self) -> list[str]:
        known = {row.uid for row in self.rows}
        marks = (mark for one in self.ledgers.values() for mark in (*one.leads, *one.joined))
        return [mark for mark in marks if mark not in known]

    def astray_notes(self) -> list[Row]:
        """On a lead that no answer of the same person made, at the same customer."""
        makers = {row.uid: self._person(row) for row in self.rows}
        return [
            row
            for row in self.rows
            for lead in self.joined(row)
            if self._person(row) not in {makers.get(mark) for mark in marks_of(lead)}
        ]

    def passed_by(self) -> list[Row]:
        """Made a lead where the rule wants an open one joined, and one of the same person was settled in that
        pipeline before this answer was even taken in. Of answers that met on the way, and of those that
        waited for a lost reply to be looked up, nothing can be demanded. Nobody closes leads in a run."""
        settled: dict[object, float] = {}
        for row in self.rows:
            for where in self._where(row) if row.delivered_at else ():
                settled[where] = min(row.delivered_at, settled.get(where, row.delivered_at))
        return [
            row
            for row in self.rows
            if self._joins(row)
            and any(settled.get(where, row.accepted_at) < row.accepted_at for where in self._where(row))
        ]

    def _where(self, row: Row) -> list[object]:
        """Whose lead it made, in which pipelines."""
        return [(self._person(row), lead.get("pipeline_id")) for lead in self.of(row)]

    def notes_doubled(self) -> list[str]:
        notes = (note for ledger in self.ledgers.values() for note in ledger.notes.items())
        return [f"{uid}{rest}" for (uid, rest), many in notes for _ in range(1, many)]

    def tasks_wrong(self) -> list[Row]:
        """One for each delivered answer whose rule asks for it, unless its delivery tells that there is none;
        else none."""
        return [
            row
            for row in self.rows
            if row.state == "delivered"
            and (many := self._ledger(row).tasks[row.uid]) != (asked := self._asks_for_task(row))
            and not (asked and not many and row.task_given_up)
        ]

    def _asks_for_task(self, row: Row) -> bool:
        customer = self.customers.get(row.customer)
        if customer is None or "Task" not in customer.extra:
            return False
        return bool(self.of(row)) or customer.extra.get("Repeated", {}).get("Task", False)

    def _joins(self, row: Row) -> bool:
        customer = self.customers.get(row.customer)
        return customer is not None and customer.joins

    def _person(self, row: Row) -> Key:
        return row.customer, self.phones.get(row.key, row.answer)

    def stuck(self) -> list[Row]:
        return [row for row in self.rows if row.state != "delivered" and not row.explained]

    def held(self) -> list[Row]:
        return [row for row in self.rows if row.explained]


NOTHING = Ledger()


def read_books(world: World, posts: Sequence[Post]) -> Books:
    found = world.watch.rows(
        "SELECT n.account_id, n.answer_id, coalesce(d.id, 0), coalesce(a.crm, ''), coalesce(d.uid, ''), "
        "coalesce(d.state, 'waiting'), coalesce(d.held_because, ''), coalesce(d.error, ''), "
        "coalesce(d.remedy, ''), coalesce(d.attempts_made, 0), extract(epoch FROM n.created_at)::float, "
        "coalesce(extract(epoch FROM d.delivered_at)::float, 0), "
        "coalesce(d.steps ->> 'task_given_up', '') <> '' FROM rules_answer n "
        "LEFT JOIN rules_delivery d ON d.answer_id = n.id LEFT JOIN accounts_account a ON a.id = d.account_id"
    )
    crms = {customer.kind for customer in world.customers.values()}
    folder = world.environment.folder
    return Books(
        [Row(*row) for row in found],
        {crm: read_ledger(world.environment, crm) for crm in crms},
        {(line["account"], line["id"]) for line in lines(folder / "accepted.jsonl")},
        lines(folder / "doubts.jsonl"),
        world.customers,
        {post.key: str(post.body["contact"]["phone"]) for post in posts},
    )


def judge(snapshots: Books, world: World, people: People, before: Start, drained: float) -> Figures:
    attempts = [row.attempts for row in snapshots.rows if row.state == "delivered"] or [0]
    return Figures(
        accepted=len(snapshots.accepted),
        refused=len(snapshots.doubts),
        leads=sum(len(leads) for one in snapshots.ledgers.values() for leads in one.leads.values()),
        joined=sum(bool(snapshots.joined(row)) for row in snapshots.rows),
        lost=len(snapshots.lost()),
        doubled=len(snapshots.doubled()),
        strangers=len(snapshots.strangers()),
        astray_notes=len(snapshots.astray_notes()),
        passed_by=len(snapshots.passed_by()),
        notes_doubled=len(snapshots.notes_doubled()),
        tasks_wrong=len(snapshots.tasks_wrong()),
        contacts_doubled=sum(doubled_contacts(snapshots, world, before.contacts).values()),
        fields_doubled=doubled_fields(world) - before.fields,
        astray=len(astray(world, before.accounts)),
        stuck=len(snapshots.stuck()),
        held=len(snapshots.held()),
        found_by_person=people.did[FOUND],
        attempts_mean=round(fmean(attempts), 3),
        attempts_most=max(attempts),
        drained_in=round(drained, 1),
        busy=sum(world.moods.refusals(crm) for crm in snapshots.ledgers),
    )


def doubled_contacts(snapshots: Books, world: World, before: Mapping[str, int]) -> Counter[str]:
    """By customer: contacts beyond one a person, those that no lead names included where the CRM counts."""
    people: dict[str, dict[str, set[object]]] = defaultdict(lambda: defaultdict(set))
    for row in snapshots.rows:
        for lead in snapshots.of(row):
            people[row.customer][snapshots.phones[row.key]].add((lead.get("contact") or {}).get("id"))
    found: Counter[str] = Counter()
    for customer, known in people.items():
        named = sum(len(ids) - 1 for ids in known.values())
        now = contacts_now(world, world.customers[customer])
        made = now - before[customer] - len(known) if now is not None else 0
        found[customer] = max(named, made)
    return found


def report(figures: Figures) -> str:
    return table(("", "count"), [(NAMES[name], str(value)) for name, value in asdict(figures).items()])


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
