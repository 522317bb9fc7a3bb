"""One draft laid out as a lead: the seven keys of the vendor's sample (reference 3, 5.2). Pure.

A lead has few fields and a free list beside them (``extra``), so nearly everything goes there, and a
comment for people, which ends with our mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.coercion import tidy
from connectors.draft import FieldValue, LeadDraft, Placement, Problem, Target, UnplacedValue
from connectors.joining import one_per_field
from connectors.note_texts import lost
from connectors.solos.choices import SOURCE
from connectors.solos.options import SolosOptions
from connectors.solos.shapes import number
from connectors.solos.texts import LIMITS, cut

ENTITY = "projects"  # fields are those of projects, which leads become
TYPES = frozenset({"string", "number", "date", "reference", "list"})


@dataclass(frozen=True, slots=True)
class Parcel:
    payload: Mapping[str, Any]
    losses: tuple[UnplacedValue, ...]
    problems: tuple[Problem, ...]


def pack(draft: LeadDraft, options: SolosOptions) -> Parcel:
    values, taken = one_per_field(filter(_fits, draft.values), holds_several)
    losses = (*draft.losses, *_unplaced(draft.values), *taken)
    payload: dict[str, Any] = {
        "user_id": number(draft.placement.performer),
        **_person(draft),
        "reference_id": number(draft.placement.choices.get(SOURCE)),
        "comment": comment(draft, losses),
        "extra": extra(draft, values, losses),
    }
    filled = {key: value for key, value in payload.items() if value not in ("", 0) or key in LIMITS}
    renamed = {options.names.get(key, key): value for key, value in filled.items()}
    return Parcel({**renamed, **options.constants}, losses, tuple(_problems(draft.placement)))


def comment(draft: LeadDraft, losses: tuple[UnplacedValue, ...]) -> str:
    """What a person should read first; whatever is cut off stands whole in ``extra``."""
    mark = f"[{draft.uid}]"
    text = "\n\n".join(part for part in (tidy(lost(losses, draft.language)), tidy(draft.note)) if part)
    return f"{cut(text, LIMITS['comment'] - len(mark) - 1)}\n{mark}".strip()


def extra(
    draft: LeadDraft, values: Iterable[FieldValue], losses: tuple[UnplacedValue, ...]
) -> dict[str, str]:
    """Everything, as texts; a field's answer under the field's own code. Our keys win."""
    fields = ((value.target.code or value.target.remote_id, value.text) for value in values)
    pairs = [*draft.more.items(), *fields, *draft.utm.items(), *_about(draft)]
    pairs.append(("lost", lost(losses, draft.language)))
    clean = ((tidy(str(key)), tidy(str(value))) for key, value in pairs)
    return {key: value for key, value in clean if key and value}


def _person(draft: LeadDraft) -> dict[str, str]:
    return {key: cut(text, LIMITS[key]) for key, text in _whole(draft).items()}


def _whole(draft: LeadDraft) -> dict[str, str]:
    """Who answered, as a lead would say it without limits."""
    person = draft.person
    name = person.name or draft.title or draft.visit.quiz_title
    known = {"name": name, "phone": next(iter(person.phones), ""), "email": next(iter(person.emails), "")}
    return {key: tidy(text) for key, text in known.items()}


def _about(draft: LeadDraft) -> Iterator[tuple[str, str]]:
    person, visit, place = draft.person, draft.visit, draft.placement
    yield "answers", draft.note
    yield "title", draft.title
    yield from ((f"full_{key}", text) for key, text in _whole(draft).items() if len(text) > LIMITS[key])
    yield "phones", ", ".join(person.phones[1:])
    yield "emails", ", ".join(person.emails[1:])
    yield from person.messengers.items()
    yield "city", person.city
    yield "company", draft.company
    yield "price", draft.price
    yield "tags", ", ".join(dict.fromkeys(tag.name for tag in draft.tags))
    yield "sales_funnel_id", place.pipeline
    yield "step_id", place.step
    yield "quiz_id", visit.quiz_id
    yield "quiz_title", visit.quiz_title
    yield "page", visit.page
    yield "referrer", visit.referrer
    yield from visit.client_ids.items()
    yield "quiz_result_id", draft.uid


def _unplaced(values: tuple[FieldValue, ...]) -> Iterator[UnplacedValue]:
    for value in values:
        if not _fits(value):
            reason = f"a field of type {value.target.type or 'unknown'} can't be filled by an answer"
            target = value.target
            yield UnplacedValue(value.question, value.text, reason, target.entity, target.remote_id)


def holds_several(target: Target) -> bool:
    return target.type in ("string", "list")


def _fits(value: FieldValue) -> bool:
    return value.target.entity == ENTITY and value.target.type in TYPES


def _problems(place: Placement) -> Iterator[Problem]:
    """Ids are numbers in solOS; what is none is left out and told."""
    if place.performer and not number(place.performer):
        yield Problem("bad_performer", "The responsible person is no user of solOS.", "PerformerID")
    source = place.choices.get(SOURCE)
    if source and not number(source):
        yield Problem("bad_source", "The source of the lead is not a number.", "SourceID")
