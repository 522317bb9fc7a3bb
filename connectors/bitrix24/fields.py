"""User fields: answers as their values (pure), and fields that rules want made (reference 4.5, 4.6).

Formats: apidocs.bitrix24.com, api-reference/crm/universal/user-defined-fields
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import partial
from typing import Any

from connectors import coercion, dates
from connectors.base import FieldWish
from connectors.bitrix24.client import Command, Portal, rows
from connectors.bitrix24.errors import CRM
from connectors.bitrix24.lists import field_row, list_command
from connectors.coercion import ONE_VALUE, Unfit, written
from connectors.custom_fields import (
    CHOICE,
    FLAG,
    LINK,
    MOMENT,
    NUMBER,
    Fit,
    Given,
    by_type,
    choices_of,
    key_of,
    make_fields,
)
from connectors.custom_fields import CHOICES as SEVERAL
from connectors.draft import Target
from connectors.errors import NO_RIGHTS, ConnectorError
from connectors.messages import joined
from connectors.rows import FieldRow
from connectors.text import shorten, tidy

LONGEST_TEXT = 20_000  # no bound is documented
JOINED = frozenset({"string", "address", "crm_pena_tag"})
CHOICES = frozenset({"enumeration", "crm_status"})
ALONE = frozenset({"integer", "double", "boolean", "date", "datetime", "money"})  # two of them are not one


def holds_several(target: Target) -> bool:
    """Can this field hold the answers to several questions?"""
    return target.multiple or target.type in JOINED


def chooses(target: Target) -> bool:
    return target.type in CHOICES and bool(target.options)


def convert(texts: Iterable[str], target: Target, zone: tzinfo = UTC, currency: str = "") -> Fit:
    """The value to send: one, or an array for a multiple field. Raises ``Unfit``."""
    clean = [text for text in map(tidy, texts) if text]
    if not clean:
        return Fit(None)
    if target.type in CHOICES:
        return _choose(clean, target)
    converter = by_type(TO_BITRIX, target)
    if not target.multiple and target.type in JOINED:
        clean = [", ".join(clean)]
    if not target.multiple and target.type in ALONE and len(clean) > 1:
        raise Unfit(ONE_VALUE)
    return _gather(converter, [Given((text,), target, zone, currency) for text in clean], target.multiple)


def _gather(converter: Callable[[Given], Any], given: list[Given], multiple: bool) -> Fit:
    """What fits, each once; what does not is told. Raises ``Unfit`` where nothing fits."""
    values: list[Any] = []
    faults: dict[str, None] = {}
    for one in given:
        try:
            value = converter(one)
        except Unfit as exc:
            faults[str(exc)] = None
        else:
            values += [value] if value not in values else []
    if not values:
        raise Unfit(joined("; ", *faults))
    if multiple:
        return Fit(values, but=joined("; ", *faults))
    if len(values) > 1:
        faults[ONE_VALUE] = None
    return Fit(values[0], but=joined("; ", *faults))


def _choose(texts: list[str], target: Target) -> Fit:
    """Ids: texts are not matched by the portal, and unknown ids are not refused (reference 4.5)."""
    read = coercion.choices(texts, target.options)
    ids = [option.remote_id for option in read.needed()]
    if target.multiple:
        return Fit(ids, but=read.but)
    return Fit(ids[0], but=joined("; ", read.but, ONE_VALUE if len(ids) > 1 else ""))


# -- one function a format ------------------------------------------------------------------------------


def _text(given: Given) -> str:
    return shorten(given.text, LONGEST_TEXT)


def _whole(given: Given) -> str:
    return written(coercion.number(given.texts, currency=given.currency, whole=True).needed())


def _decimal(given: Given) -> str:
    return written(coercion.number(given.texts, currency=given.currency).needed())


def _money(given: Given) -> str:
    """A bad shape is refused with the whole record; without a currency the portal's base one counts."""
    read = coercion.money(given.texts, foreign=True).needed()
    currency = read.currency or given.currency
    return f"{read.amount:.2f}|{currency}" if currency else f"{read.amount:.2f}"


def _yes_no(given: Given) -> int:
    """1 and 0: the classic methods read ``N`` as true (reference 4.3)."""
    return int(coercion.yes_no(given.texts).needed())


def _day(given: Given) -> str:
    """An unparsable date would be dropped without a word (reference 4.1)."""
    return dates.day(given.texts, given.zone).needed().isoformat()


def _date_time(given: Given) -> str:
    moment = dates.moment(given.texts, given.zone).needed()
    return moment.astimezone(given.zone).isoformat(timespec="seconds")


def _url(given: Given) -> str:
    return coercion.web_address(given.texts).needed()


def _address(given: Given) -> str:
    """``text|lat;lng``: a bar of the answer's own would be read as coordinates."""
    return given.text.replace("|", "/")


TO_BITRIX: dict[str, Callable[[Given], Any]] = {
    "string": _text,
    "integer": _whole,
    "double": _decimal,
    "boolean": _yes_no,
    "date": _day,
    "datetime": _date_time,
    "money": _money,
    "url": _url,
    "address": _address,
    "crm_pena_tag": _text,
}

# -- making fields, never a second one of the same name: it follows from what the field is for, so that a
# repeat after a lost answer meets itself

TAGGED = ("CRM_DEAL", "CRM_LEAD", "CRM_CONTACT", "CRM_COMPANY")
TRACKED = ("CRM_DEAL", "CRM_LEAD")
LONGEST_LABEL = 250
# The quiz's word for a question -> Bitrix24's type. An unknown word becomes a text, which takes anything.
TYPES = {
    **dict.fromkeys(NUMBER, "double"),
    "integer": "integer",
    **dict.fromkeys((*CHOICE, *SEVERAL), "enumeration"),
    **dict.fromkeys(FLAG, "boolean"),
    **dict.fromkeys(("date", "birthday"), "date"),
    **dict.fromkeys(MOMENT, "datetime"),
    **dict.fromkeys(LINK, "url"),
    "money": "money",
}


@dataclass(frozen=True, slots=True)
class OwnField:
    """A multiple text of ours for what Bitrix24 has no field for, on each of these record types."""

    name: str
    label: str
    entities: tuple[str, ...]


# By the word under which the facts keep where they are.
OWN_FIELDS = {
    "tag_fields": OwnField("UF_CRM_QUIZ_TAGS", "Теги квиза", TAGGED),
    "tracking_fields": OwnField("UF_CRM_QUIZ_TRACK", "Аналитика квиза", TRACKED),
}


def create_fields(
    portal: Portal, lang: str, wishes: Sequence[FieldWish], known: Sequence[Target]
) -> list[Target]:
    """``Connector.create_fields``."""

    def make(missing: Sequence[FieldWish]) -> list[Target]:
        """Only a list tells the ids of a new field's choices."""
        portal.ask([_add(wish) for wish in missing])
        return fresh(portal, lang, dict.fromkeys(wish.entity for wish in missing))

    return make_fields(CRM, wishes, known, as_made=as_made, read=partial(fresh, portal, lang), make=make)


def fresh(portal: Portal, lang: str, entities: Iterable[str]) -> list[Target]:
    """The fields as they are now."""
    return [row.target for row in _rows(portal, lang, entities)]


def own_fields(portal: Portal, lang: str) -> dict[str, dict[str, str]]:
    """``OWN_FIELDS`` as facts, ``{word: {record type: name}}``: found by name, else made where we may."""
    have = {(row.entity, row.code) for row in _rows(portal, lang, TAGGED)}
    wanted = [(entity, own) for own in OWN_FIELDS.values() for entity in own.entities]
    missing = [(entity, own) for entity, own in wanted if (entity, own.name) not in have]
    outcomes = portal.send([_add_own(entity, own) for entity, own in missing])
    for (entity, own), outcome in zip(missing, outcomes, strict=True):
        if not isinstance(outcome, ConnectorError):
            have.add((entity, own.name))
        elif outcome.code != NO_RIGHTS:
            raise outcome
    return {
        word: {entity: own.name for entity in own.entities if (entity, own.name) in have}
        for word, own in OWN_FIELDS.items()
    }


def as_made(wish: FieldWish) -> Target:
    """A list without choices can't be filled: its answers go into a text."""
    kind = TYPES.get(wish.question_type.lower(), "string")
    kind = "string" if kind == "enumeration" and not choices_of(wish, LONGEST_TEXT) else kind
    several = wish.question_type.lower() in SEVERAL and kind == "enumeration"
    return Target(wish.entity, "", shorten(tidy(wish.name), LONGEST_LABEL) or "Quiz", kind, multiple=several)


def _rows(portal: Portal, lang: str, entities: Iterable[str]) -> list[FieldRow]:
    entities = list(entities)
    replies = portal.ask([list_command(entity, lang) for entity in entities])
    pairs = zip(entities, replies, strict=True)
    return [field_row(entity, row) for entity, reply in pairs for row in rows(reply) if row.get("ID")]


def _add(wish: FieldWish) -> Command:
    field = as_made(wish)
    body: dict[str, Any] = {
        "FIELD_NAME": _field_name(field),
        "USER_TYPE_ID": field.type,
        "LABEL": field.name,
        "MULTIPLE": "Y" if field.multiple else "N",
    }
    if field.type == "enumeration":
        choices = enumerate(choices_of(wish, LONGEST_TEXT), start=1)
        body["LIST"] = [{"VALUE": text, "SORT": number * 10} for number, text in choices]
    return _command(wish.entity, body)


def _field_name(field: Target) -> str:
    """At most 20 characters, as old portals want it."""
    digest = hashlib.sha256("|".join(map(str, key_of(field))).encode()).hexdigest()
    return f"UF_CRM_Q{digest[:10].upper()}"


def _add_own(entity: str, own: OwnField) -> Command:
    body = {"FIELD_NAME": own.name, "USER_TYPE_ID": "string", "LABEL": own.label, "MULTIPLE": "Y"}
    return _command(entity, body)


def _command(entity: str, body: Mapping[str, Any]) -> Command:
    word = entity.removeprefix("CRM_").lower()
    return Command(f"crm.{word}.userfield.add", {"fields": body}, safe=False, why="a field")
