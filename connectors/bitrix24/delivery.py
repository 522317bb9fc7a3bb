"""A batch of drafts on its way into Bitrix24, each by its story (reference 4): the longest stories begin, so
that the last requests are full as well.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connectors.bitrix24.client import (
    PAGE,
    Command,
    Outcome,
    Reply,
    Story,
    made_id,
    reply_to,
    request_of,
)
from connectors.bitrix24.contacts import find_people
from connectors.bitrix24.errors import is_demand
from connectors.bitrix24.existing import owner_of, write_existing
from connectors.bitrix24.phones import PhoneMatching
from connectors.bitrix24.portal import Facts
from connectors.bitrix24.records import DEAL, LEAD, Record, payload_of, pipeline_of
from connectors.bitrix24.recovery import recognise, recover
from connectors.bitrix24.repeated import confirm_joined, join_open_record, write_joined
from connectors.bitrix24.requests import (
    FOUND,
    PLACE,
    SUSPECTED,
    TASK_COMMENT,
    BatchRequests,
    BitrixItem,
    place_of,
    placed_rows,
    where_is,
)
from connectors.bitrix24.stories import StoryPool
from connectors.bitrix24.tasks import add_task
from connectors.bitrix24.writing import INDISPENSABLE, without_refused_values
from connectors.draft import LeadDraft, Plan, PlannedRequest, Problem
from connectors.errors import Refused, RuleNeedsFixing, unexpected
from connectors.messages import message
from connectors.repeated import JOINED, lines_of, noted, tell_left
from connectors.text import text_of

log = logging.getLogger(__name__)

FEWEST_FOR_PROOF = 30  # drafts in a batch from which it pays to know how phones are compared


def run(
    items: Sequence[BitrixItem],
    story_of: Callable[[BitrixItem], Story[None]],
    requests: BatchRequests,
    pool: StoryPool,
) -> None:
    """Deliver the items, each by its story; each ends with its ``lead`` or an ``error``."""
    items = sorted(items, key=lambda item: -len(item.payload.records))
    try:
        _assign([item for item in items if item.draft.asks_owner and not item.lead], requests, pool)
        pool.run({item: story_of(item) for item in items if not item.error}, requests)
    except Exception as exc:
        log.exception("delivery=%s", ",".join(item.uid for item in items))
        for item in items:
            if not item.error and (item.in_flight or not item.lead):
                item.fail(unexpected(exc, unclear=item.in_flight))
    made = [item for item in items if item.lead and not (item.error or item.adopted or item.has(JOINED))]
    _read_back(requests, made)


def _assign(items: Sequence[BitrixItem], requests: BatchRequests, pool: StoryPool) -> None:
    """Who looks after new leads of rules that ask for the contact's own responsible: asked before the others
    go on, of all in one go."""
    if not items:
        return
    pool.run({item: _ask_owner(item) for item in items}, requests)
    asking = [item for item in items if not (item.error or item.lead)]
    chosen = requests.journal.assign({item.uid: item.owner for item in asking})
    for item in asking:
        item.payload.put_performer(chosen.get(item.uid, ""))


def _ask_owner(item: BitrixItem) -> Story[None]:
    if item.draft.look_first:
        yield from recover(item)
    if not item.lead:
        yield from find_people(item)
        item.people_found, item.owner = True, (yield from owner_of(item))


# -- the story of a new lead ------------------------------------------------------------------------------


def create(item: BitrixItem) -> Story[None]:
    """Look whether it was made already, meet the person, make company and contact, then deal or lead."""
    if item.draft.look_first and not item.lead and not item.people_found:
        yield from recover(item)
    begun = bool(item.lead)
    if item.has(JOINED):
        yield from confirm_joined(item)
    if not item.lead:
        check_place(item)
        if not item.people_found:
            yield from find_people(item)
        yield from join_open_record(item)
    if not begun or (item.has(JOINED) and not noted(item)):
        yield from write_existing(item)
    if item.has(JOINED):
        yield from write_joined(item)
    tell_left(item)
    if not item.lead:
        yield from make(item, "company", item.payload.company)
        yield from make(item, "contact", item.payload.contact, COMPANY_ID=item.journal.get("company"))
        yield from _make_record(item)
    yield from add_task(item)
    yield from add_comments(item)
    if item.has(SUSPECTED):
        item.journal[SUSPECTED] = ""


def check_place(item: BitrixItem) -> None:
    """A step of another pipeline would silently become the first one (reference 4.1)."""
    head = item.payload.record.head
    step, pipeline = str(head.get("STAGE_ID", "")), str(head.get("CATEGORY_ID", ""))
    own = pipeline_of(step)
    if item.payload.record.entity != DEAL or not step or (own.isdigit() and int(own) == int(pipeline or 0)):
        return
    words = message(
        "Step {step} is not in pipeline {pipeline}; choose another one.", step=step, pipeline=pipeline
    )
    raise RuleNeedsFixing(
        words,
        code="step_gone",
        problem=Problem("step_gone", words, "StageID"),
        remedy=message("Choose a step of the rule's pipeline and save the rule again."),
    )


def make(item: BitrixItem, word: str, record: Record | None, **links: Any) -> Story[None]:
    """Make somebody who comes along. A portal that won't have them gets the deal all the same."""
    if record is None or item.journal.get(word):
        return
    try:
        item.journal[word] = yield from _add(item, record, lambda: links)
    except Refused as refusal:
        if refusal.code in INDISPENSABLE:
            raise
        item.warn(
            f"{word}_refused", message("Bitrix24 took no {word}: {said}", word=word, said=refusal.message)
        )
        item.lose(*record.lost_whole(refusal.message))


def _make_record(item: BitrixItem) -> Story[None]:
    record, contact, company = item.payload.record, item.journal.get("contact"), item.journal.get("company")
    links = {"CONTACT_IDS": [contact] if contact else None, "COMPANY_ID": company}
    if record.entity == LEAD and item.payload.contact and not contact:
        # Where the portal took no contact, a lead can say itself who it is about; a deal can't.
        links |= {name: item.payload.contact.head.get(name) for name in ("NAME", "PHONE")}
    try:
        made = yield from _add(item, record, lambda: {**links, "COMMENTS": "".join(item.comments()[:1])})
    except Refused as refusal:
        raise _demanded(record, refusal) if is_demand(refusal) else refusal from None
    item.journal |= {"lead": made, "kind": record.word}
    item.placed = item.read_back.get(made)


def _demanded(record: Record, refusal: Refused) -> RuleNeedsFixing:
    """The portal wants a value in a field that this lead leaves empty; its own words name the field."""
    words = message(
        "Bitrix24 demands a field that is empty in this {word}: {said}",
        word=record.word,
        said=refusal.message,
    )
    return RuleNeedsFixing(
        words,
        code="field_demanded",
        problem=Problem("field_demanded", words, f"FieldsRule.{record.word}"),
        remedy=message(
            "Have a question of the rule fill that field, or make the field optional in Bitrix24; "
            "then save the rule again."
        ),
    )


def _add(item: BitrixItem, record: Record, links: Callable[[], Mapping[str, Any]]) -> Story[str]:
    """The new record's id."""
    reply = yield from without_refused_values(item, record, lambda: record.command(**links()))
    return made_id(reply.value)


def add_comments(item: BitrixItem, first: int = 2) -> Story[None]:
    """Comments in the record's timeline from the ``first`` on: what its own had no room for, or all of an
    update's, as the record's own may be people's by now; and a task that was not made. The timeline is read
    first after an unclear try."""
    draft = item.draft
    rest = [
        (draft.note_step(number), f"[{draft.note_mark(number)}]", text)
        for number, text in enumerate(item.comments(), start=1)
        if number >= first
    ]
    if told := item.lost_task():
        rest.append((TASK_COMMENT, f"[{draft.uid}/{TASK_COMMENT}]", told))
    if rest and item.must_look:
        yield from recognise(item, {mark: step for step, mark, _ in rest})
    for step, mark, text in rest:
        if item.has(step):
            continue
        command = item.comment(text, mark)
        try:
            item.journal[step] = made_id((yield from reply_to(command)).value)
        except Refused as refusal:
            words = message("Bitrix24 took no further comment: {said}", said=refusal.message)
            item.warn("comment_refused", words)
            if step != TASK_COMMENT:
                item.lose(*lines_of(text, words))


# -- after the stories ------------------------------------------------------------------------------------


def _read_back(requests: BatchRequests, made: Sequence[BitrixItem]) -> None:
    """One request for what the requests of the stories did not read back (``requests.py``), fifty records a
    command; beside it, after many drafts, the proof of how the portal compares phones."""
    rest = {(item.kind, item.lead): item for item in made if item.says_where and not item.placed}
    commands = [
        where_is(kind, {"@ID": ids[start : start + PAGE]})
        for kind in PLACE
        if (ids := [lead for word, lead in rest if word == kind])
        for start in range(0, len(ids), PAGE)
    ]
    proved = _for_proof(made) if len(made) >= FEWEST_FOR_PROOF else None
    proofs = proved.phones.proofs(proved.draft.person.phones[0]) if proved else {}
    outcomes = requests.ask_for_all([*commands, *proofs.values()])
    if proved:
        told = dict(zip(proofs, outcomes[len(commands) :], strict=True))
        proved.phones.learn(proved.journal["contact"], told)
    for command, outcome in zip(commands, outcomes[: len(commands)], strict=True):
        for kind, row in placed_rows(command, outcome):
            if item := rest.get((kind, text_of(row.get("ID")))):
                item.placed = place_of(kind, row)


def _for_proof(made: Iterable[BitrixItem]) -> BitrixItem | None:
    """One whose contact we have just made, with one phone alone: other spellings of it find it, or don't."""
    for item in made:
        contact = item.journal.get("contact")
        if len(item.draft.person.phones) == 1 and contact and contact != item.journal.get(FOUND["contact"]):
            return item
    return None


# -- the preview: a first try's story, told to nobody ------------------------------------------------------


def plan(draft: LeadDraft, facts: Facts, base_url: str) -> Plan:
    """The requests in order, what would be dropped, and what is wrong with the rule.

    A person we remember is taken to be there still, anybody else to be new.
    """
    first = replace(draft, journal={}, look_first=False)
    item = BitrixItem(first, payload=payload_of(first, facts), base_url=base_url, phones=PhoneMatching())
    planned: list[PlannedRequest] = []
    story = create(item)
    try:
        commands = next(story)
        while True:
            path, body = request_of(commands)
            why = "; ".join(dict.fromkeys(command.why for command in commands))
            planned.append(PlannedRequest("POST", base_url + facts.rest_path + path, body, why))
            commands = story.send([_imagined(command) for command in commands])
    except StopIteration:
        pass
    except RuleNeedsFixing as error:
        item.problems.append(error.problem)
    return Plan(tuple(planned), tuple(item.losses), tuple(item.problems))


def _imagined(command: Command) -> Outcome:
    """The usual answer."""
    if command.method.startswith("crm.activity"):
        return Reply({"id": "<id of the new task>"})
    if command.method.endswith(".add"):
        return Reply(f"<id of the new {command.method.split('.')[1]}>")
    ids = (command.params.get("filter") or {}).get("ID") or []
    return Reply([{"ID": remote_id} for remote_id in ids])
