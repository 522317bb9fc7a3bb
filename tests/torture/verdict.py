"""What became of the answers, by the local CRMs' books and the database's rows; the engine is not asked."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from config.demo.report import table
from tests.torture.crowd import Post
from tests.torture.marks import Lead, leads_by_mark
from tests.torture.owners import astray, doubled_fields, rows_of
from tests.torture.people import FOUND, People, contacts_now
from tests.torture.world import World

Key = tuple[str, str]  # quiz account, answer id
# The people of the run do what these say until the end: whatever is still held for it is stuck.
FOLLOWED = ("reconnect", "disconnected", "paused", "look_first")


@dataclass(frozen=True)
class Row:
    """An answer in the database, and its delivery; ``uid`` is empty where it has none."""

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
    lost: int
    doubled: int
    strangers: int
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
        return not any(
            (self.lost, self.doubled, self.stuck, self.strangers, self.fields_doubled, self.astray)
        )

    def sentence(self) -> str:
        words = (
            f"{self.accepted} answers accepted: {self.lost} lost, {self.doubled} doubled, {self.stuck} stuck."
        )
        return f"{'HOLDS' if self.holds else 'BROKEN'}: {words}"


NAMES = {
    "accepted": "answers accepted (2xx seen by a client)",
    "refused": "answers refused (4xx seen by a client)",
    "leads": "leads created in the CRMs",
    "lost": "lost: accepted, no lead, and nobody told why",
    "doubled": "doubled: leads beyond the first with one mark",
    "strangers": "leads with a mark that no delivery has",
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
    """Everything that was read for a verdict."""

    rows: list[Row]
    leads: dict[str, dict[str, list[Lead]]]  # CRM -> mark -> its leads
    accepted: set[Key]
    doubts: list[Mapping[str, object]]

    def of(self, row: Row) -> list[Lead]:
        return self.leads.get(row.crm, {}).get(row.uid, [])

    def lost(self) -> list[Key]:
        """Without a lead, and not held with an explanation either."""
        there = {row.key for row in self.rows if row.uid and (self.of(row) or row.explained)}
        return sorted(self.accepted - there)

    def doubled(self) -> list[Row]:
        return [row for row in self.rows for _ in self.of(row)[1:]]

    def strangers(self) -> list[str]:
        known = {row.uid for row in self.rows}
        return [mark for leads in self.leads.values() for mark in leads if mark not in known]

    def stuck(self) -> list[Row]:
        return [row for row in self.rows if row.state != "delivered" and not row.explained]

    def held(self) -> list[Row]:
        return [row for row in self.rows if row.explained]


def read_books(world: World) -> Books:
    found = world.watch.rows(
        "SELECT n.account_id, n.answer_id, coalesce(d.id, 0), coalesce(a.crm, ''), coalesce(d.uid, ''), "
        "coalesce(d.state, 'waiting'), coalesce(d.held_because, ''), coalesce(d.error, ''), "
        "coalesce(d.remedy, ''), coalesce(d.attempts_made, 0) FROM rules_answer n "
        "LEFT JOIN rules_delivery d ON d.answer_id = n.id LEFT JOIN accounts_account a ON a.id = d.account_id"
    )
    crms = {customer.kind for customer in world.customers.values()}
    folder = world.environment.folder
    return Books(
        [Row(*row) for row in found],
        {crm: leads_by_mark(world.environment, crm) for crm in crms},
        {(line["account"], line["id"]) for line in lines(folder / "accepted.jsonl")},
        lines(folder / "doubts.jsonl"),
    )


def judge(
    snapshots: Books,
    world: World,
    people: People,
    posts: Sequence[Post],
    before: Start,
    drained: float,
) -> Figures:
    attempts = [row.attempts for row in snapshots.rows if row.state == "delivered"] or [0]
    return Figures(
        accepted=len(snapshots.accepted),
        refused=len(snapshots.doubts),
        leads=sum(len(leads) for marks in snapshots.leads.values() for leads in marks.values()),
        lost=len(snapshots.lost()),
        doubled=len(snapshots.doubled()),
        strangers=len(snapshots.strangers()),
        contacts_doubled=sum(doubled_contacts(snapshots, world, posts, before.contacts).values()),
        fields_doubled=doubled_fields(world) - before.fields,
        astray=len(astray(world, before.accounts)),
        stuck=len(snapshots.stuck()),
        held=len(snapshots.held()),
        found_by_person=people.did[FOUND],
        attempts_mean=round(fmean(attempts), 3),
        attempts_most=max(attempts),
        drained_in=round(drained, 1),
        busy=sum(world.moods.refusals(crm) for crm in snapshots.leads),
    )


def doubled_contacts(
    snapshots: Books, world: World, posts: Sequence[Post], before: Mapping[str, int]
) -> Counter[str]:
    """By customer: contacts beyond one a person, those that no lead names included where the CRM counts."""
    phones = {post.key: str(post.body["contact"]["phone"]) for post in posts}
    people: dict[str, dict[str, set[object]]] = defaultdict(lambda: defaultdict(set))
    for row in snapshots.rows:
        for lead in snapshots.of(row):
            people[row.customer][phones[row.key]].add((lead.get("contact") or {}).get("id"))
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
