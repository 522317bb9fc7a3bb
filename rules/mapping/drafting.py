"""A rule applied to an answer: what the connector is asked to create. Pure.

A value that fits nowhere never costs the lead: it becomes an ``UnplacedValue`` and stands in the note. A body
may have any shape: here is read what looks as it should, and ``rules.mapping.note`` tells all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from connectors.coercion import leaves
from connectors.contact import COMPANY, EMAIL, LONGEST_USUAL_KEY, PHONE, full_name, named, part_of
from connectors.draft import FieldValue, LeadDraft, Placement, Tag, Task, UnplacedValue, Visit
from connectors.errors import RuleNeedsFixing
from connectors.messages import RU, message, translate
from connectors.note_texts import name_of
from rules.mapping.checks import blocking_problem
from rules.mapping.note import answer_text, read_note
from rules.mapping.payload import KNOWN, normalised
from rules.mapping.person import extras, read_person, text_of
from rules.mapping.routes import values_of
from rules.mapping.rule_snapshot import RuleSnapshot, is_wish
from rules.mapping.values import answers_of, utm_of

LONGEST_TITLE = 250
TEST = message("TEST")
TO_DO = message("Look at the new lead")  # where the answer has nothing for all that the text asks for
TAGGED = ("lead", "deal")  # kinds of record that bear the mark of a test as a tag, too
OTHER_PHONES = ("work_phone", "home_phone")  # phones like any other, and those for CRMs that tell them apart
# Other names for what only some CRMs have a place for (``LeadDraft.more``).
MORE = {
    "job_title": "position",
    "должность": "position",
    "инн": "inn",
    "рабочий_телефон": "work_phone",
    "домашний_телефон": "home_phone",
    "регион": "region",
    "time_zone": "timezone",
    "часовой_пояс": "timezone",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a delivery has come: its mark, what was made, and what we know of its person.

    ``assigned``: who looks after its lead is decided. ``now``: when the lead is made, from which on a task's
    time runs; as if at once where nobody says. ``ours`` as in ``Repeated``.
    """

    uid: str
    answered_at: datetime
    steps: Mapping[str, str] = field(default_factory=dict)
    look_first: bool = False
    known_contact: str = ""
    assigned: bool = False
    now: datetime | None = None
    ours: Mapping[str, str] = field(default_factory=dict)


def draft_for(snapshot: RuleSnapshot, payload: Mapping[str, Any], progress: Progress) -> LeadDraft:
    """The draft of one answer. Raises ``RuleNeedsFixing`` where the lead would land in the wrong place."""
    if problem := blocking_problem(snapshot):
        raise RuleNeedsFixing(
            problem.message, code=problem.code, problem=problem, remedy=message("Save the rule again.")
        )
    return unchecked_draft(snapshot, payload, progress)


def unchecked_draft(snapshot: RuleSnapshot, payload: Mapping[str, Any], progress: Progress) -> LeadDraft:
    """The same by a rule that may have led into the wrong place since."""
    seen = normalised(payload)
    contact = seen.get("contact") or {}
    person, unread = read_person(contact, snapshot.region)
    values, unplaced = _values(snapshot, seen)
    title = quiz_title(snapshot, seen)
    on_repeat = snapshot.on_repeat
    own = _written(snapshot, payload, title, progress.answered_at)
    return LeadDraft(
        uid=progress.uid,
        title=own.title[:LONGEST_TITLE] or lead_title(title, contact, snapshot.language),
        visit=_visit(snapshot, seen, title, progress.answered_at),
        person=person,
        company=text_of(contact, COMPANY),
        price=own.sum or ", ".join(answer_text(leaf) for leaf in leaves(seen.get("price"))),
        placement=_placement(snapshot),
        values=(*values, *own.values),
        tags=tuple(_tags(snapshot)),
        utm=utm_of(seen),
        more=more_of(seen),
        note="\n\n".join(filter(None, (own.note, read_note(payload, title, snapshot.language)))),
        task=_task(snapshot, own.task, progress),
        language=snapshot.language,
        losses=(*unread, *unplaced, *own.losses),
        journal=progress.steps,
        look_first=progress.look_first,
        known_contact=progress.known_contact,
        existing=snapshot.existing,
        asks_owner=snapshot.responsible.own and not progress.assigned,
        repeated=on_repeat.asked(snapshot.pipeline, progress.answered_at, progress.ours)
        if on_repeat
        else None,
    )


@dataclass(slots=True)
class _Written:
    """What the rule's own texts say of one answer."""

    title: str = ""
    note: str = ""
    sum: str = ""
    task: str = ""
    values: list[FieldValue] = field(default_factory=list)
    losses: list[UnplacedValue] = field(default_factory=list)


def _written(snapshot: RuleSnapshot, payload: Mapping[str, Any], title: str, at: datetime) -> _Written:
    own, texts, follow_up = _Written(), snapshot.texts, snapshot.follow_up
    if not texts and follow_up is None:
        return own
    values, quiz = values_of(snapshot, payload, at), {"title": title, "id": str(snapshot.quiz_id)}
    for name, text in (*texts.single(), ("task", follow_up.text if follow_up else None)):
        if text:
            written, losses = text.write(values, quiz)
            setattr(own, name, written)
            own.losses += losses
    for entity, remote_id, text in texts.values:
        written, losses = text.write(values, quiz)
        own.losses += losses
        key = (snapshot.entities.get(entity, ""), remote_id)
        target = snapshot.fields.get(key)
        if written and target:
            own.values.append(FieldValue(target, target.name, written))
        elif written:
            own.losses.append(UnplacedValue(text.what, written, _why_not(snapshot, key), entity, remote_id))
    return own


def _task(snapshot: RuleSnapshot, text: str, progress: Progress) -> Task | None:
    """The rule's task. Somebody who left the CRM has none: it goes to whoever looks after the lead."""
    if not (follow_up := snapshot.follow_up):
        return None
    made_at = (progress.now or progress.answered_at).astimezone(snapshot.zone)
    performer = follow_up.performer if snapshot.has_alive(follow_up.performer) else ""
    words = text or translate(TO_DO, snapshot.language)
    return Task(words, follow_up.due(made_at), performer, follow_up.department, follow_up.type)


def marked_as_test(draft: LeadDraft, entities: Mapping[str, str]) -> LeadDraft:
    """The draft of a test answer, told from customers' own by its title, its note and a tag; none of
    theirs gets a note for it."""
    word = translate(TEST, draft.language)
    tags = (Tag(entities[record], word.lower()) for record in TAGGED if record in entities)
    title, note = f"{word}: {draft.title}"[:LONGEST_TITLE], f"{word}\n\n{draft.note}"
    task = replace(draft.task, text=f"{word}: {draft.task.text}") if draft.task else None
    return replace(draft, title=title, note=note, task=task, tags=(*draft.tags, *tags), repeated=None)


def quiz_title(snapshot: RuleSnapshot, payload: Mapping[str, Any]) -> str:
    """What a person calls the quiz."""
    sent = (payload.get("quiz") or {}).get("title")
    return str(sent or snapshot.quiz.get("title") or f"№ {snapshot.quiz_id}")


def lead_title(title: str, contact: Mapping[str, Any], language: str = RU) -> str:
    """``Окна: Анна`` — the quiz, and whoever answered."""
    who = full_name(contact) or text_of(contact, PHONE) or text_of(contact, EMAIL)
    return (f"{title}: {who}" if who else f"{name_of('quiz', language)} {title}")[:LONGEST_TITLE]


def more_of(payload: Mapping[str, Any]) -> dict[str, str]:
    """What was told beside the usual, by snake-cased names: in the contact, or at the top of the body."""
    contact = payload.get("contact") or {}
    beyond = {key for key, _ in extras(contact)}
    found: dict[str, str] = {}
    for place, known in ((contact, contact.keys() - beyond), (payload, KNOWN)):
        for key, value in place.items():
            name = _snake(key)
            name = MORE.get(name, name)
            if (key not in known or name in OTHER_PHONES) and (text := answer_text(named(value))):
                found.setdefault(name, text)
    return found


def _visit(snapshot: RuleSnapshot, payload: Mapping[str, Any], title: str, received: datetime) -> Visit:
    return Visit(
        answered_at=received,
        quiz_id=str(snapshot.quiz_id),
        quiz_title=title,
        page=answer_text(payload.get("page")),
        referrer=answer_text(payload.get("referrer")),
        ip=answer_text(payload.get("ip")),
        client_ids=payload.get("clientIDs") or {},
    )


def _placement(snapshot: RuleSnapshot) -> Placement:
    performer = snapshot.performer if snapshot.has_alive(snapshot.performer) else ""
    kind = next((seen.kind for one, seen in snapshot.named if seen and one.what == "steps" and one.vital), "")
    return Placement(performer, snapshot.pipeline, snapshot.step, kind, snapshot.choices)


def _values(
    snapshot: RuleSnapshot, payload: Mapping[str, Any]
) -> tuple[list[FieldValue], list[UnplacedValue]]:
    """One value for each question and field; several for one field are the connector's to unite."""
    answers = answers_of(payload, snapshot.language)
    values: list[FieldValue] = []
    losses: list[UnplacedValue] = []
    for entity, question, remote_id in dict.fromkeys(snapshot.questions):
        if question not in answers:
            continue
        words, value = answers[question]
        key = (snapshot.entities.get(entity, ""), remote_id)
        if target := snapshot.fields.get(key):
            plain = FieldValue(target, words, value)
            choice = snapshot.choice_fields.get((entity, question, remote_id))
            filled = choice.filled(plain) if choice else plain
            values += [filled] if filled else []
        else:
            text = answer_text(value, snapshot.language)
            losses.append(UnplacedValue(words, text, _why_not(snapshot, key), entity, remote_id))
    return [*values, *_contact_values(snapshot, payload)], losses


def _contact_values(snapshot: RuleSnapshot, payload: Mapping[str, Any]) -> Iterator[FieldValue]:
    """What the contact form asked beyond name, phone and e-mail, where the map has a field for it."""
    entity = snapshot.entities.get("contact", "")
    for key, text in extras(payload.get("contact") or {}):
        remote_id = str(snapshot.contact_map.get(key) or snapshot.contact_map.get(part_of(key), ""))
        if target := snapshot.fields.get((entity, remote_id)):
            yield FieldValue(target, key, text)


def _why_not(snapshot: RuleSnapshot, key: tuple[str, str]) -> str:
    if not key[0]:
        return message("this CRM has no such record")
    if is_wish(key[1]):
        return message("the field is still to be made")
    if key in snapshot.gone_fields:
        return message("the field was deleted in the CRM")
    return message("the CRM has no such field")


def _snake(key: str) -> str:
    """``workPhone`` and ``Work phone`` are ``work_phone``."""
    return _usual_snake(key) if len(key) <= LONGEST_USUAL_KEY else _snaked(key)


def _snaked(key: str) -> str:
    words = re.sub(r"(?<=[a-zа-я0-9])(?=[A-ZА-Я])", "_", key.strip())
    return re.sub(r"[\s_-]+", "_", words).lower()


_usual_snake = lru_cache(maxsize=4096)(_snaked)


def _tags(snapshot: RuleSnapshot) -> Iterator[Tag]:
    for entity, item in snapshot.tags_to_add:
        kind = snapshot.entities.get(entity)
        if isinstance(item, int) and item in snapshot.tags:
            yield snapshot.tags[item]
        elif isinstance(item, str) and kind:
            yield Tag(kind, item)
