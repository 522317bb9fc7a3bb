"""A rule applied to an answer: what the connector is asked to create. Pure.

A value that fits nowhere never costs the lead: it becomes a ``Loss`` and stands in the note.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.coercion import leaves
from connectors.contact import COMPANY, EMAIL, PHONE, full_name, part_of
from connectors.draft import FieldValue, LeadDraft, Loss, Placement, Tag, Visit
from connectors.errors import RuleNeedsFixing
from connectors.words import RU, name_of
from rules.book import Book, is_wish
from rules.checks import blocking_problem
from rules.note import answer_text, read_note
from rules.person import extras, read_person, text_of

LONGEST_TITLE = 250
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a delivery has come: its mark, what was made, and what we know of its person."""

    uid: str
    answered_at: datetime
    steps: Mapping[str, str] = field(default_factory=dict)
    look_first: bool = False
    known_contact: str = ""


def draft_for(book: Book, payload: Mapping[str, Any], progress: Progress) -> LeadDraft:
    """The draft of one answer. Raises ``RuleNeedsFixing`` where the lead would land in the wrong place."""
    if problem := blocking_problem(book):
        raise RuleNeedsFixing(
            problem.message, code=problem.code, problem=problem, remedy="Save the rule again."
        )
    contact = payload.get("contact") or {}
    person, unread = read_person(contact, book.region)
    values, unplaced = _values(book, payload)
    title = quiz_title(book, payload)
    return LeadDraft(
        uid=progress.uid,
        title=lead_title(title, contact, book.language),
        visit=_visit(book, payload, title, progress.answered_at),
        person=person,
        company=text_of(contact, COMPANY),
        price=", ".join(answer_text(leaf) for leaf in leaves(payload.get("price"))),
        placement=_placement(book),
        values=tuple(values),
        tags=tuple(_tags(book)),
        utm=utm_of(payload),
        note=read_note(payload, title, book.language),
        language=book.language,
        losses=(*unread, *unplaced),
        journal=progress.steps,
        look_first=progress.look_first,
        known_contact=progress.known_contact,
    )


def quiz_title(book: Book, payload: Mapping[str, Any]) -> str:
    """What a person calls the quiz."""
    sent = (payload.get("quiz") or {}).get("title")
    return str(sent or book.quiz.get("title") or f"№ {book.quiz_id}")


def lead_title(title: str, contact: Mapping[str, Any], language: str = RU) -> str:
    """``Окна: Анна`` — the quiz, and whoever answered."""
    who = full_name(contact) or text_of(contact, PHONE) or text_of(contact, EMAIL)
    return (f"{title}: {who}" if who else f"{name_of('quiz', language)} {title}")[:LONGEST_TITLE]


def utm_of(payload: Mapping[str, Any]) -> dict[str, str]:
    """UTM marks under their full names, whichever way they were sent."""
    sent = payload.get("utm") or {}
    found = {name: answer_text(sent.get(name) or sent.get(name.removeprefix("utm_"))) for name in UTM}
    return {name: text for name, text in found.items() if text}


def _visit(book: Book, payload: Mapping[str, Any], title: str, received: datetime) -> Visit:
    return Visit(
        answered_at=received,
        quiz_id=str(book.quiz_id),
        quiz_title=title,
        page=answer_text(payload.get("page")),
        referrer=answer_text(payload.get("referrer")),
        ip=answer_text(payload.get("ip")),
        client_ids={str(k): answer_text(v) for k, v in (payload.get("clientIDs") or {}).items() if v},
    )


def _placement(book: Book) -> Placement:
    performer = book.performer if book.seen_performer and book.seen_performer.alive else ""
    kind = next((seen.kind for one, seen in book.named if seen and one.what == "steps" and one.vital), "")
    return Placement(performer, book.pipeline, book.step, kind, book.choices)


def _values(book: Book, payload: Mapping[str, Any]) -> tuple[list[FieldValue], list[Loss]]:
    answers = {str(item.get("questionID")): item for item in payload.get("answers", [])}
    placed: dict[tuple[str, str], FieldValue] = {}
    losses: list[Loss] = []
    for entity, question, remote_id in book.questions:
        item = answers.get(question)
        value = _plain(item.get("answer"), book.language) if item else ""
        if item is None or not value:
            continue
        words = str(item.get("question") or question)
        key = (book.entities.get(entity, ""), remote_id)
        if target := book.fields.get(key):
            placed[key] = FieldValue(target, words, value)
        else:
            text = answer_text(item["answer"], book.language)
            losses.append(Loss(words, text, _why_not(book, key), entity, remote_id))
    placed.update(_contact_values(book, payload))
    return list(placed.values()), losses


def _contact_values(book: Book, payload: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], FieldValue]]:
    """What the contact form asked beyond name, phone and e-mail, where the map has a field for it."""
    entity = book.entities.get("contact", "")
    for key, text in extras(payload.get("contact") or {}):
        remote_id = str(book.contact_map.get(key) or book.contact_map.get(part_of(key), ""))
        if target := book.fields.get((entity, remote_id)):
            yield (entity, remote_id), FieldValue(target, key, text)


def _why_not(book: Book, key: tuple[str, str]) -> str:
    if not key[0]:
        return "this CRM has no such record"
    if is_wish(key[1]):
        return "the field is still to be made"
    return "the field was deleted in the CRM" if key in book.gone_fields else "the CRM has no such field"


def _plain(value: Any, language: str) -> str | tuple[str, ...]:
    """The texts of an answer; a single one that came alone is no list."""
    texts = tuple(filter(None, (answer_text(leaf, language) for leaf in leaves(value))))
    return texts if len(texts) > 1 or isinstance(value, list) else "".join(texts)


def _tags(book: Book) -> Iterator[Tag]:
    for entity, item in book.tags_to_add:
        kind = book.entities.get(entity)
        if isinstance(item, int) and item in book.tags:
            yield book.tags[item]
        elif isinstance(item, str) and kind:
            yield Tag(kind, item)
