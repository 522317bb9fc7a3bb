"""The requests of one delivery: drafts share them, and look-ups of several drafts share commands.

One ``crm.duplicate.findbycomm`` takes 20 values, a list 50 ids. An answer without hits says of everybody that
they are not there; whose a hit is, ``contacts.py`` tells.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.base import Journal
from connectors.bitrix24.client import (
    MOST,
    PAGE,
    Command,
    OperatingBudget,
    Outcome,
    Portal,
    Reply,
    Row,
    request_of,
    rows,
)
from connectors.bitrix24.errors import as_account_error, is_failure
from connectors.bitrix24.options import STATUS
from connectors.bitrix24.phones import FIND, PhoneMatching
from connectors.bitrix24.records import ORIGINATOR, Payload
from connectors.delivery import WorkItem, own_part, record
from connectors.draft import Exchange, Placement
from connectors.errors import ConnectorError, of_one
from connectors.limiter import RateLimiter
from connectors.messages import message
from connectors.note_texts import lost, parts
from connectors.repeated import note_text
from connectors.tasks import QUESTION
from connectors.text import text_of, whole_number

log = logging.getLogger(__name__)
MakePortal = Callable[[Callable[[Exchange], None], RateLimiter], Portal]
ROOM = 25.0  # seconds of a portal's work in one request, which is cut off after 60
FOUND = {"contact": "found", "company": "found_company"}  # steps of the journal: who was there before us
MOST_VALUES, MOST_HITS = 20, 20  # in such a call, in its answer by type of record (reference 5.1)
LONGEST_COMMENT = 30_000  # characters; no bound is documented
MOST_COMMENTS = 20  # more than the longest body that is taken in
TASK_COMMENT = "task-note"  # step of the journal: the comment about a task that was not made
SUSPECTED = (
    "suspected"  # step of the journal: how often a portal failed with this draft's writes among others'
)
SUSPECTS_AT_ONCE = {1: 7, 2: 1}  # drafts in a request, by that number


@dataclass(eq=False, kw_only=True)
class BitrixItem(WorkItem):
    """``journal`` has ``lead``, ``contact``, ``company``, and beside these ids

    ``kind``: whether ``lead`` is a lead or a deal; ``found`` and ``found_company``: who was there before us
    and stays as it is; ``note/2`` and so on: further comments, in the timeline; ``task``, ``TASK_COMMENT``;
    ``SUSPECTED``. ``read_back``: where the portal put records with this external id, by their ids.
    ``people_found``: contact and company were looked for; ``owner``: who looks after that contact.
    """

    payload: Payload
    base_url: str
    phones: PhoneMatching
    read_back: dict[str, Placement] = field(default_factory=dict)
    people_found: bool = False
    owner: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.losses, self.problems = self.payload.losses, list(self.payload.problems)

    @property
    def kind(self) -> str:
        """``deal`` or ``lead``: what was made, else what is to be made."""
        return self.journal.get("kind") or self.payload.record.word

    def writes_existing(self, word: str) -> bool:
        """Was its ``contact`` or ``company`` there before, and does the rule say what is written into it?"""
        remote_id = self.journal.get(word)
        was_there = bool(remote_id) and self.journal.get(FOUND[word]) == remote_id
        return was_there and word in self.draft.existing and self.payload.of(word) is not None

    @property
    def suspicion(self) -> int:
        """How often a portal failed as a whole while it was sent this draft's writes; at most 2."""
        return min(whole_number(self.journal.get(SUSPECTED)), max(SUSPECTS_AT_ONCE))

    @property
    def says_where(self) -> bool:
        """Does the rule say where the record goes, or who looks after it?"""
        return any(self.payload.record.head.get(name) for names in PLACE.values() for name in names)

    def meaning(self, error: ConnectorError) -> ConnectorError:
        return as_account_error(error)

    def link(self) -> str:
        return f"{self.base_url}/crm/{self.kind}/details/{self.lead}/"

    def comments(self) -> list[str]:
        """The readable answers and what found no place: for the record's own comment, then its timeline.

        A task that was not made has a comment of its own: the record's was written before.
        """
        losses = [loss for loss in self.losses if loss.entity != QUESTION]
        return parts(note_text(self, losses), LONGEST_COMMENT, MOST_COMMENTS, self.draft.language)

    def comment(self, text: str, mark: str) -> Command:
        """A comment in the record's timeline, which ends with its mark."""
        comment = f"{text}\n\n{mark}"
        fields = {"ENTITY_ID": self.lead, "ENTITY_TYPE": self.kind, "COMMENT": comment}
        why = message("more of the answers")
        return Command("crm.timeline.comment.add", {"fields": fields}, safe=False, why=why)

    def lost_task(self) -> str:
        """The text of a task that was not made; empty where none was lost."""
        return lost([loss for loss in self.losses if loss.entity == QUESTION], self.draft.language)


# -- one command for several drafts -----------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Slot:
    """A command of a request: one draft's, or joined of several drafts' look-ups."""

    parts: list[Command]

    def takes(self, command: Command) -> bool:
        most = MOST_VALUES if command.method == FIND else PAGE
        return len(self.values(command)) <= most

    def values(self, *more: Command) -> list[str]:
        return list(dict.fromkeys(value for part in (*self.parts, *more) for value in values_of(part)))

    @property
    def command(self) -> Command:
        first = self.parts[0]
        if len(self.parts) == 1:
            return first
        if first.method == FIND:
            params = {**first.params, "values": self.values()}
            if len({part.params["entity_type"] for part in self.parts}) > 1:
                del params["entity_type"]
            return replace(first, params=params)
        select = list(dict.fromkeys(one for part in self.parts for one in part.params["select"]))
        return replace(first, params={**first.params, "filter": {"ID": self.values()}, "select": select})

    def share(self, part: Command, outcome: Outcome) -> Outcome:
        """What the outcome of the slot's command says of one of its parts."""
        if len(self.parts) == 1:
            return outcome
        if isinstance(outcome, ConnectorError):  # perhaps by one bad value: each is asked for alone then
            return outcome if outcome.account_wide or part.method != FIND else Reply(None, cut=True)
        if part.method != FIND:
            own = [row for row in rows(outcome) if str(row.get("ID")) in values_of(part)]
            return replace(outcome, value=own)
        hits = outcome.value if isinstance(outcome.value, dict) else {}
        if any(isinstance(ids, list) and len(ids) >= MOST_HITS for ids in hits.values()):
            return Reply(None, cut=True)
        kind = part.params["entity_type"]
        return replace(outcome, value={kind: hits.get(kind) or []}, joined=True)


def values_of(command: Command) -> Sequence[str]:
    """What a joinable command asks for: phones, e-mails or ids."""
    found: Sequence[str] = command.params["values" if command.method == FIND else "filter"]
    return found if command.method == FIND else command.params["filter"]["ID"]


@dataclass(slots=True)
class Request:
    """Whose commands go together: as many as a request holds, nobody's torn apart.

    ``level`` is the suspicion of the drafts whose writes are in it; they have a request for themselves.
    """

    slots: list[Slot] = field(default_factory=list)
    whose: dict[BitrixItem, list[tuple[Slot, Command]]] = field(default_factory=dict)
    seconds: float = 0.0
    level: int = 0
    placed: int = 0
    _open: dict[tuple[str, Any], Slot] = field(default_factory=dict)

    def add(self, item: BitrixItem, commands: Sequence[Command], budget: OperatingBudget) -> None:
        """Take the item's commands in, if there is room."""
        fresh: list[Command] = []
        for command in commands:
            if not self._slot_open_to(command) and not any(_same_look_up(command, one) for one in fresh):
                fresh.append(command)
        seconds = self.seconds + sum(budget.takes(command.method) for command in fresh)
        level = 0 if all(command.safe for command in commands) else item.suspicion
        placed = self.placed + (item.says_where and any(map(_makes_a_lead, commands)))
        room = MOST - 1 if placed else MOST
        full = len(self.slots) + len(fresh) > room or seconds > ROOM
        if self.slots and (full or level != self.level or len(self.whose) == SUSPECTS_AT_ONCE.get(level)):
            return
        self.seconds, self.level, self.placed = seconds, level, placed
        self.whose[item] = [(self._slot_for(command), command) for command in commands]

    def _slot_open_to(self, command: Command) -> Slot | None:
        slot = self._open.get(_kind(command)) if command.joinable else None
        return slot if slot and slot.takes(command) else None

    def _slot_for(self, command: Command) -> Slot:
        if slot := self._slot_open_to(command):
            slot.parts.append(command)
            return slot
        slot = Slot([command])
        self.slots.append(slot)
        if command.joinable:
            self._open[_kind(command)] = slot
        return slot


def _same_look_up(one: Command, other: Command) -> bool:
    """A person's contact and company are looked for by the same values."""
    return one.joinable and _kind(one) == _kind(other) and values_of(one) == values_of(other)


def _kind(command: Command) -> tuple[str, Any]:
    """Joinable commands of one kind may share a slot."""
    return command.method, command.params.get("type")


@dataclass(eq=False)
class BatchRequests:
    """Asks Bitrix24 for many drafts at once, tells each what concerns it alone, and records what was made."""

    make_portal: MakePortal
    journal: Journal
    budget: OperatingBudget

    @property
    def limiter(self) -> RateLimiter:
        return self.budget.limiter

    def fill(self, wants: Mapping[BitrixItem, Sequence[Command]]) -> Request:
        """The next request for these items; some of them may have to wait for another one."""
        request = Request()
        for item, commands in wants.items():
            request.add(item, commands, self.budget)
        return request

    def ask(self, request: Request, limiter: RateLimiter) -> dict[BitrixItem, list[Outcome]]:
        """Send it; each item's outcomes, in the order of its commands."""
        seen: list[Exchange] = []
        for item, own in request.whose.items():
            item.in_flight = any(not command.safe for _, command in own)
        commands, reading = [slot.command for slot in request.slots], _read_backs(request)
        outcomes = self.make_portal(seen.append, limiter).send([*commands, *reading])
        for command, outcome in zip(reading, outcomes[len(commands) :], strict=True):
            by_uid = {item.uid: item for item in request.whose}
            for kind, row in placed_rows(command, outcome):
                if made := by_uid.get(text_of(row.get("ORIGIN_ID"))):
                    made.read_back[text_of(row.get("ID"))] = place_of(kind, row)
        told = dict(zip(request.slots, _narrowed(request, outcomes[: len(commands)]), strict=True))
        answers = {
            item: [slot.share(command, told[slot]) for slot, command in own]
            for item, own in request.whose.items()
        }
        for item, own in request.whose.items():
            sent = [command for _, command in own]
            alone = len(request.whose) == 1 and not any(command.joinable for command in sent)
            item.trace += [e if alone else _own_part(e, sent, answers[item]) for e in seen]
        return answers

    def record(self, items: Iterable[BitrixItem]) -> None:
        """Write down what is new, all in one go."""
        record(self.journal, items)

    def ask_for_all(self, commands: Sequence[Command]) -> list[Outcome]:
        """Commands that concern several drafts alike: the answers are in nobody's trace."""
        return self.make_portal(lambda _: None, self.limiter).send(commands) if commands else []


def _narrowed(request: Request, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """A portal that fails as a whole may fail over one draft's values: next time its drafts go in smaller
    company, and what goes in small company is no sign that the portal is down."""
    writers = [item for item in request.whose if item.in_flight]
    if not writers or not all(isinstance(one, ConnectorError) and is_failure(one) for one in outcomes):
        return list(outcomes)
    for item in writers:
        item.journal[SUSPECTED] = str(item.suspicion + 1)
    if not request.level:
        return list(outcomes)
    return [of_one(one) if isinstance(one, ConnectorError) else one for one in outcomes]


def _own_part(exchange: Exchange, own: Sequence[Command], answers: Sequence[Outcome]) -> Exchange:
    """One draft's part of a shared request and of its answer."""
    _, body = request_of(own)
    request = {own[0].method: body} if len(own) == 1 else body
    return own_part(
        exchange, request, [_shown(one, answer) for one, answer in zip(own, answers, strict=True)]
    )


def _shown(command: Command, answer: Outcome) -> Any:
    """Whom a joined look-up has found, and their phones, may be somebody else's."""
    if isinstance(answer, ConnectorError):
        return answer.message
    if answer.joined or answer.cut:
        found = "nobody" if not answer.cut and not any(answer.value.values()) else "somebody"
        return f"{found} of several people"
    if command.joinable and command.method != FIND:
        return [{"ID": row.get("ID")} for row in rows(answer)]
    return answer.value


# -- where the portal put the new records: an unknown stage is no error there, but becomes the first (4.1) --

PLACE = {"deal": ("ASSIGNED_BY_ID", "CATEGORY_ID", "STAGE_ID"), "lead": ("ASSIGNED_BY_ID", "STATUS_ID")}


def _makes_a_lead(command: Command) -> bool:
    return command.method in ("crm.deal.add", "crm.lead.add")


def _read_backs(request: Request) -> list[Command]:
    """A list by external ids at the end of a batch that makes records: its commands run in turn.

    It is in nobody's trace, and a failure changes nothing: the mirrored lists are read again before long.
    """
    if not request.placed or len(request.slots) == 1:
        return []
    made: dict[str, list[str]] = {}
    for item, own in request.whose.items():
        if item.says_where and any(_makes_a_lead(command) for _, command in own):
            made.setdefault(item.payload.record.word, []).append(item.uid)
    return [
        where_is(kind, {"=ORIGINATOR_ID": ORIGINATOR, "@ORIGIN_ID": uids})
        for kind, uids in list(made.items())[: MOST - len(request.slots)]
    ]


def where_is(kind: str, wanted: Mapping[str, Any]) -> Command:
    """At most 50 deals or leads with where they are."""
    params = {"filter": wanted, "select": ["ID", "ORIGIN_ID", *PLACE[kind]], "start": -1}
    return Command(f"crm.{kind}.list", params, why=message("where is it now?"))


def placed_rows(command: Command, outcome: Outcome) -> list[tuple[str, Row]]:
    """The rows of a ``where_is``, each with its kind; none where it failed."""
    if isinstance(outcome, Reply):
        return [(command.method.split(".")[1], row) for row in rows(outcome)]
    log.info("bitrix24: new records were not read back (%s)", outcome.code)
    return []


def place_of(kind: str, row: Row) -> Placement:
    """A lead's status is a choice of the rule, its pipeline and stage are meant for deals."""
    performer = text_of(row.get("ASSIGNED_BY_ID"))
    if kind == "deal":
        return Placement(performer, text_of(row.get("CATEGORY_ID")), text_of(row.get("STAGE_ID")))
    return Placement(performer, choices={STATUS: text_of(row.get("STATUS_ID"))})
