"""Making the records of one draft: company, contact, then the deal or lead that links them (reference 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.bitrix24.asking import Story, reply_to, rows
from connectors.bitrix24.batch import Command
from connectors.bitrix24.cards import Card
from connectors.bitrix24.errors import NO_RIGHTS, is_demand
from connectors.bitrix24.parcel import DEAL, LEAD, pipeline_of
from connectors.bitrix24.people import meet
from connectors.bitrix24.recovery import recover
from connectors.bitrix24.work import Work
from connectors.draft import Problem
from connectors.errors import Refused, RuleNeedsFixing, Unclear

UNMENDABLE = frozenset({NO_RIGHTS, "error_method_not_found"})
MOST_TRIES = 3


def story(work: Work) -> Story[None]:
    """A draft's way from beginning to end. Each id is written down before the next command is sent."""
    if work.draft.look_first and not work.lead:
        yield from recover(work)
    if not work.lead:
        check_place(work)
        yield from meet(work)
        yield from make(work, "company", work.parcel.company)
        yield from make(work, "contact", work.parcel.contact, COMPANY_ID=work.journal.get("company"))
        yield from make_record(work)
    yield from add_comments(work)


def check_place(work: Work) -> None:
    """A step of another pipeline would silently become the first one (reference 4.1)."""
    head = work.parcel.record.head
    step, pipeline = str(head.get("STAGE_ID", "")), str(head.get("CATEGORY_ID", ""))
    if work.parcel.record.entity != DEAL or not step or int(pipeline_number(step)) == int(pipeline or 0):
        return
    message = f"Step {step} is not in pipeline {pipeline}; choose another one."
    raise RuleNeedsFixing(
        message,
        code="step_gone",
        problem=Problem("step_gone", message, "StageID"),
        remedy="Choose a step of the rule's pipeline and save the rule again.",
    )


def pipeline_number(step: str) -> str:
    number = pipeline_of(step)
    return number if number.isdigit() else "-1"


def make(work: Work, word: str, card: Card | None, **links: Any) -> Story[None]:
    """Make somebody who comes along. A portal that won't have them gets the deal all the same."""
    if card is None or work.journal.get(word):
        return
    try:
        work.journal[word] = yield from add(work, card, links)
    except Refused as refusal:
        if refusal.code in UNMENDABLE:
            raise
        work.warn(f"{word}_refused", f"Bitrix24 took no {word}: {refusal.message}")
        work.lose(card.lost_whole(refusal.message))


def make_record(work: Work) -> Story[None]:
    contact, company = work.journal.get("contact"), work.journal.get("company")
    links = {"CONTACT_IDS": [contact] if contact else None, "COMPANY_ID": company}
    if work.parcel.contact and not contact:
        links |= _own_words(work.parcel.record, work.parcel.contact)
    try:
        made = yield from add(work, work.parcel.record, links, comments=True)
    except Refused as refusal:
        raise demanded(work, refusal) if is_demand(refusal) else refusal from None
    work.journal |= {"lead": made, "kind": work.parcel.record.word}


def demanded(work: Work, refusal: Refused) -> RuleNeedsFixing:
    """The portal wants a value in a field that this lead leaves empty; its own words name the field."""
    message = f"Bitrix24 demands a field that is empty in this {work.parcel.record.word}: {refusal.message}"
    return RuleNeedsFixing(
        message,
        code="field_demanded",
        problem=Problem("field_demanded", message, f"FieldsRule.{work.parcel.record.word}"),
        remedy="Have a question of the rule fill that field, or make the field optional in Bitrix24; "
        "then save the rule again.",
    )


def _own_words(record: Card, contact: Card) -> dict[str, Any]:
    """A lead can say itself who it is about where the portal took no contact; a deal can't."""
    return {name: contact.head.get(name) for name in ("NAME", "PHONE")} if record.entity == LEAD else {}


def add(work: Work, card: Card, links: dict[str, Any], *, comments: bool = False) -> Story[str]:
    """The new record's id. What the portal refuses is taken out and told, never the lead (D54)."""
    for tries_left in reversed(range(MOST_TRIES)):
        text = {"COMMENTS": "".join(work.comments()[:1])} if comments else {}
        try:
            reply = yield from reply_to(card.command(**links, **text))
        except Refused as refusal:
            if is_demand(refusal):
                raise
            losses = [] if refusal.code in UNMENDABLE or not tries_left else card.strip(refusal.message)
            if not losses:
                raise
            work.lose(losses)
        else:
            return made_id(reply.value)
    raise AssertionError("unreachable")


def add_comments(work: Work, first: int = 2) -> Story[None]:
    """Comments in the record's timeline from the ``first`` on: what its own had no room for, or all of an
    update's, as the record's own may be people's by now. The timeline is read first after an unclear try."""
    rest = list(enumerate(work.comments(), start=1))[first - 1 :]
    if not rest:
        return
    if work.draft.look_first or work.adopted:
        yield from _recognise(work, [number for number, _ in rest])
    for number, text in rest:
        if work.journal.get(work.draft.note_step(number)):
            continue
        fields = {
            "ENTITY_ID": work.lead,
            "ENTITY_TYPE": work.kind,
            "COMMENT": f"{text}\n\n{_mark(work, number)}",
        }
        try:
            command = Command(
                "crm.timeline.comment.add", {"fields": fields}, safe=False, why="more of the answers"
            )
            work.journal[work.draft.note_step(number)] = made_id((yield from reply_to(command)).value)
        except Refused as refusal:
            work.warn("comment_refused", f"Bitrix24 took no further comment: {refusal.message}")
            return


def _recognise(work: Work, numbers: Sequence[int]) -> Story[None]:
    """Comments are never deduplicated: ours end with our mark and their number."""
    params = {"filter": {"ENTITY_ID": work.lead, "ENTITY_TYPE": work.kind}, "order": {"ID": "DESC"}}
    command = Command("crm.timeline.comment.list", params, why="which of the comments are there?")
    try:
        found = rows((yield from reply_to(command)))
    except Refused:  # the record is gone since; adding says so
        return
    for row in found:
        for number in numbers:
            if str(row.get("COMMENT") or "").rstrip().endswith(_mark(work, number)):
                work.journal[work.draft.note_step(number)] = str(row["ID"])


def _mark(work: Work, number: int) -> str:
    return f"[{work.draft.note_mark(number)}]"


def made_id(value: Any) -> str:
    """The id that an add returned."""
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not str(value).strip("0 "):
        raise Unclear("Bitrix24's answer doesn't name the record it made", code="no_reply")
    return str(value)
