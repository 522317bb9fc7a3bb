"""Records of solOS: its rows, projects and what belongs to them as values, a draft as a lead. Pure.

No answer of API v2 is documented, so rows are read in every plausible form (reference 4): numbers may be
texts, references ids or objects, built-in keys flat or nested. A lead has the seven keys of the vendor's
sample (reference 3): few fields and a free list beside them (``extra``), where nearly everything goes, and a
comment for people, which ends with the external id.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.custom_fields import one_per_field, unfillable
from connectors.draft import FieldValue, LeadDraft, Placement, Problem, Target, UnplacedValue
from connectors.messages import message
from connectors.note_texts import lost
from connectors.solos.options import SOURCE, SolosOptions
from connectors.text import shorten, tidy

Row = Mapping[str, Any]
ENVELOPES = ("payload", "data", "result", "items", "response", "projects", "rows")
EMPTY: tuple[Any, ...] = (None, "", [], {})

# -- rows ------------------------------------------------------------------------------------------------


def rows_of(body: Any) -> list[Row] | None:
    """The rows of a list, bare or in an envelope; None where there is nothing like one."""
    if isinstance(body, list):
        return [row for row in body if isinstance(row, Mapping)]
    if not isinstance(body, Mapping):
        return None
    for key in ENVELOPES:
        if isinstance(body.get(key), list):
            return rows_of(body[key])
    inner = [body[key] for key in ENVELOPES if isinstance(body.get(key), Mapping)]
    deeper = next((rows for one in inner if (rows := rows_of(one)) is not None), None)
    return deeper if deeper is not None or not _is_empty_envelope(body) else []


def record_of(body: Any) -> Row | None:
    """One record, None where there is none: an object with an id, alone, in a list or in an envelope."""
    if isinstance(body, list):
        return record_of(body[0]) if len(body) == 1 else None
    if not isinstance(body, Mapping):
        return None
    if number(body.get("id")):
        return body
    found = (record_of(body[key]) for key in ENVELOPES if isinstance(body.get(key), (Mapping, list)))
    return next((one for one in found if one is not None), None)


def is_empty(body: Any) -> bool:
    """An empty list, null, or an envelope around either."""
    return body in EMPTY or (isinstance(body, Mapping) and _is_empty_envelope(body))


def _is_empty_envelope(body: Row) -> bool:
    known = [key for key in ENVELOPES if key in body]
    return bool(known) and all(body[key] in EMPTY for key in known)


def id_in(body: Any, paths: Sequence[str]) -> str:
    """The first id that a path like ``payload.0.id`` leads to; empty where none does."""
    return next((found for path in paths if (found := _at(body, path))), "")


def _at(body: Any, path: str) -> str:
    for part in path.split("."):
        if isinstance(body, Mapping):
            body = body.get(part)
        elif isinstance(body, list) and part.isdecimal() and int(part) < len(body):
            body = body[int(part)]
        else:
            return ""
    return str(number(body) or "")


def number(value: Any) -> int:
    """A whole number, be it a text; 0 for what is none. A reference may be an object with an id."""
    if isinstance(value, Mapping):
        value = value.get("id")
    if isinstance(value, bool):
        return 0
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0


def name_in(value: Any) -> str:
    """The name that a reference carries, where it is an object."""
    found = value.get("name") or value.get("title") if isinstance(value, Mapping) else ""
    return found.strip() if isinstance(found, str) else ""


def text_of(value: Any) -> str:
    """null, "" and missing are the same."""
    return "" if value is None else str(value).strip()


def all_text(row: Row | Sequence[Row]) -> str:
    """All texts of an answer as one, to search in."""
    return json.dumps(row, ensure_ascii=False, default=str)


def pattern_of(uid: str) -> re.Pattern[str]:
    """An external id within a text, whole."""
    return re.compile(rf"(?<![\w-]){re.escape(uid)}(?![\w-])")


# -- projects and what belongs to them (API v2) ----------------------------------------------------------

BUILT_IN = (
    "id", "created", "sales_funnel_id", "step_id", "user_id", "group_id", "price", "currency_id",
    "deleted", "participants_user_id", "participants_group_id",
)  # fmt: skip
NESTS = ("buildin_data", "builtin_data", "data")


@dataclass(frozen=True, slots=True)
class Project:
    """``data`` are the customer's own fields, ``names`` what references were called: (key, id) -> name.

    ``deleted`` is None where the row doesn't say. What a row doesn't have is 0 or empty.
    """

    id: int
    funnel: int = 0
    step: int = 0
    user: int = 0
    group: int = 0
    price: str = ""
    created: str = ""
    deleted: bool | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[tuple[str, int], str] = field(default_factory=dict)
    raw: Row = field(default_factory=dict)

    @classmethod
    def read(cls, row: Row) -> Project:
        """Flat, or built-in keys and the customer's own in objects of their own."""
        flat = dict(_flat(row))
        return cls(
            id=number(flat.get("id")),
            funnel=number(flat.get("sales_funnel_id")),
            step=number(flat.get("step_id")),
            user=number(flat.get("user_id")),
            group=number(flat.get("group_id")),
            price=text_of(flat.get("price")),
            created=text_of(flat.get("created")),
            deleted={"1": True, "0": False}.get(text_of(flat.get("deleted"))),
            data={key: value for key, value in flat.items() if key not in BUILT_IN},
            names={(key, number(one)): name for key, one in flat.items() if (name := name_in(one))},
            raw=row,
        )

    def name(self, key: str) -> str:
        """What a reference (``user_id``) is called, where the row says it."""
        return {name: word for (name, _), word in self.names.items()}.get(key, "")


@dataclass(frozen=True, slots=True)
class Stage:
    """A row of P4; what it means is UNCONFIRMED."""

    step: int
    date: str
    user: int
    raw: Row

    @classmethod
    def read(cls, row: Row) -> Stage:
        return cls(number(row.get("step_id") or row.get("id")), _date(row), number(row.get("user_id")), row)

    @property
    def name(self) -> str:
        return name_in(self.raw.get("step_id")) or name_in(self.raw)


@dataclass(frozen=True, slots=True)
class Payment:
    """``income`` is None where the row doesn't say which way the money went."""

    id: int
    income: bool | None
    amount: str
    date: str

    @classmethod
    def read(cls, row: Row) -> Payment:
        income = {"1": True, "0": False}.get(text_of(row.get("type")))
        amount = text_of(row.get("sum")) or text_of(row.get("price"))
        return cls(number(row.get("id")), income, amount, _date(row))


@dataclass(frozen=True, slots=True)
class Good:
    name: str
    count: str
    price: str

    @classmethod
    def read(cls, row: Row) -> Good:
        return cls(*(text_of(row.get(key)) for key in ("name", "count", "price")))


@dataclass(frozen=True, slots=True)
class Checklist:
    name: str
    done: bool
    deadline: str

    @classmethod
    def read(cls, row: Row) -> Checklist:
        done = text_of(row.get("done")) or text_of(row.get("closed"))
        return cls(text_of(row.get("name")), done in ("1", "True"), text_of(row.get("deadline")))


def _flat(row: Row) -> Iterator[tuple[str, Any]]:
    yield from ((key, value) for key, value in row.items() if key not in NESTS)
    for nest in NESTS:
        inner = row.get(nest)
        yield from inner.items() if isinstance(inner, Mapping) else ()


def _date(row: Row) -> str:
    return text_of(row.get("date")) or text_of(row.get("created"))


# -- the lead (API v1) -----------------------------------------------------------------------------------

ENTITY = "projects"  # fields are those of projects, which leads become
TYPES = frozenset({"string", "number", "date", "reference", "list"})
LIMITS = {"name": 100, "phone": 50, "email": 100, "comment": 1000}  # characters, as the sample cuts (3)
CUT = ".."  # its mark


@dataclass(frozen=True, slots=True)
class Payload:
    """``lead`` is the request's ``payload``; ``losses`` are those of the rules and of the layout."""

    lead: Mapping[str, Any]
    losses: tuple[UnplacedValue, ...]
    problems: tuple[Problem, ...]


def pack(draft: LeadDraft, options: SolosOptions) -> Payload:
    """Lay a draft out as a lead (reference 5.2)."""
    values, crowded = one_per_field(filter(_fits, draft.values), holds_several)
    losses = (*draft.losses, *_unfit(draft.values), *crowded)
    lead: dict[str, Any] = {
        "user_id": number(draft.placement.performer),
        **{key: shorten(text, LIMITS[key], CUT) for key, text in _person(draft).items()},
        "reference_id": number(draft.placement.choices.get(SOURCE)),
        "comment": _comment(draft, losses),
        "extra": _extra(draft, values, losses),
    }
    filled = {key: value for key, value in lead.items() if value not in ("", 0) or key in LIMITS}
    renamed = {options.names.get(key, key): value for key, value in filled.items()}
    return Payload({**renamed, **options.constants}, losses, tuple(_problems(draft.placement)))


def holds_several(target: Target) -> bool:
    """Can this field hold the answers to several questions?"""
    return target.type in ("string", "list")


def _comment(draft: LeadDraft, losses: tuple[UnplacedValue, ...]) -> str:
    """What a person should read first; whatever is cut off stands whole in ``extra``."""
    last_line = f"[{draft.uid}]"
    text = "\n\n".join(part for part in (tidy(lost(losses, draft.language)), tidy(draft.note)) if part)
    return f"{shorten(text, LIMITS['comment'] - len(last_line) - 1, CUT)}\n{last_line}".strip()


def _extra(
    draft: LeadDraft, values: Iterable[FieldValue], losses: tuple[UnplacedValue, ...]
) -> dict[str, str]:
    """Everything, as texts; a field's answer under the field's own code. Our keys win."""
    fields = ((value.target.code or value.target.remote_id, value.text) for value in values)
    pairs = [*draft.more.items(), *fields, *draft.utm.items(), *_about(draft)]
    pairs.append(("lost", lost(losses, draft.language)))
    clean = ((tidy(str(key)), tidy(str(value))) for key, value in pairs)
    return {key: value for key, value in clean if key and value}


def _person(draft: LeadDraft) -> dict[str, str]:
    """Who answered, uncut."""
    person = draft.person
    name = person.name or draft.title or draft.visit.quiz_title
    known = {"name": name, "phone": next(iter(person.phones), ""), "email": next(iter(person.emails), "")}
    return {key: tidy(text) for key, text in known.items()}


def _about(draft: LeadDraft) -> Iterator[tuple[str, str]]:
    person, visit, place = draft.person, draft.visit, draft.placement
    yield "answers", draft.note
    yield "title", draft.title
    yield from ((f"full_{key}", text) for key, text in _person(draft).items() if len(text) > LIMITS[key])
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


def _fits(value: FieldValue) -> bool:
    return value.target.entity == ENTITY and value.target.type in TYPES


def _unfit(values: Iterable[FieldValue]) -> Iterator[UnplacedValue]:
    for value in (value for value in values if not _fits(value)):
        yield value.unplaced(str(unfillable(value.target)))


def _problems(place: Placement) -> Iterator[Problem]:
    """Ids are numbers in solOS; what is none is left out and told."""
    if place.performer and not number(place.performer):
        yield Problem("bad_performer", message("The responsible person is no user of solOS."), "PerformerID")
    source = place.choices.get(SOURCE)
    if source and not number(source):
        yield Problem("bad_source", message("The source of the lead is not a number."), "SourceID")
