"""User fields: answers as their values (pure), and fields that rules want made (reference 4.5, 4.6).

Formats: apidocs.bitrix24.com, api-reference/crm/universal/user-defined-fields
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

from connectors import coercion, dates
from connectors.base import FieldWish
from connectors.bitrix24.client import Budget, Command, ask, rows, send
from connectors.bitrix24.errors import NO_RIGHTS
from connectors.bitrix24.lists import field_row, list_command
from connectors.coercion import ONE_VALUE, Unfit, written
from connectors.draft import Target
from connectors.errors import ConnectorError, Refused
from connectors.http import HttpClient
from connectors.messages import joined, message
from connectors.rows import FieldRow
from connectors.text import shorten, tidy

LONGEST_TEXT = 20_000  # no bound is documented
JOINED = frozenset({"string", "address", "crm_pena_tag"})
CHOICES = frozenset({"enumeration", "crm_status"})
ALONE = frozenset({"integer", "double", "boolean", "date", "datetime", "money"})  # two of them are not one


@dataclass(frozen=True, slots=True)
class Fit:
    """The value of one field, None for an empty answer. ``but`` says what of the answer did not fit."""

    value: Any
    but: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What a converter may look at: one text, the field, the portal's time zone and currency."""

    text: str
    target: Target
    zone: tzinfo = UTC
    currency: str = ""


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
    converter = TO_BITRIX.get(target.type)
    if converter is None:
        raise Unfit(
            message("a field of type {type} can't be filled by an answer", type=target.type or "unknown")
        )
    if not target.multiple and target.type in JOINED:
        clean = [", ".join(clean)]
    if not target.multiple and target.type in ALONE and len(clean) > 1:
        raise Unfit(ONE_VALUE)
    return _gather(converter, [Given(text, target, zone, currency) for text in clean], target.multiple)


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
        return Fit(values, joined("; ", *faults))
    if len(values) > 1:
        faults[ONE_VALUE] = None
    return Fit(values[0], joined("; ", *faults))


def _choose(texts: list[str], target: Target) -> Fit:
    """Ids: texts are not matched by the portal, and unknown ids are not refused (reference 4.5)."""
    read = coercion.choices(texts, target.options)
    ids = [option.remote_id for option in read.needed()]
    if target.multiple:
        return Fit(ids, read.but)
    return Fit(ids[0], joined("; ", read.but, ONE_VALUE if len(ids) > 1 else ""))


# -- one function a format ------------------------------------------------------------------------------


def _text(given: Given) -> str:
    return shorten(given.text, LONGEST_TEXT)


def _whole(given: Given) -> str:
    return written(coercion.number([given.text], currency=given.currency, whole=True).needed())


def _decimal(given: Given) -> str:
    return written(coercion.number([given.text], currency=given.currency).needed())


def _money(given: Given) -> str:
    """A bad shape is refused with the whole record; without a currency the portal's base one counts."""
    read = coercion.money([given.text], foreign=True).needed()
    currency = read.currency or given.currency
    return f"{read.amount:.2f}|{currency}" if currency else f"{read.amount:.2f}"


def _yes_no(given: Given) -> int:
    """1 and 0: the classic methods read ``N`` as true (reference 4.3)."""
    return int(coercion.yes_no([given.text]).needed())


def _day(given: Given) -> str:
    """An unparsable date would be dropped without a word (reference 4.1)."""
    return dates.day([given.text], given.zone).needed().isoformat()


def _date_time(given: Given) -> str:
    moment = dates.moment([given.text], given.zone).needed()
    return moment.astimezone(given.zone).isoformat(timespec="seconds")


def _url(given: Given) -> str:
    return coercion.web_address([given.text]).needed()


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
    **dict.fromkeys(("number", "numeric", "range", "rating"), "double"),
    "integer": "integer",
    **dict.fromkeys(("select", "radio", "radiobutton", "variant", "images", "emoji"), "enumeration"),
    **dict.fromkeys(("multiselect", "checkboxes"), "enumeration"),
    **dict.fromkeys(("checkbox", "boolean"), "boolean"),
    **dict.fromkeys(("date", "birthday"), "date"),
    **dict.fromkeys(("datetime", "date_time"), "datetime"),
    **dict.fromkeys(("url", "file", "link"), "url"),
    "money": "money",
}
SEVERAL = frozenset({"multiselect", "checkboxes"})
Key = tuple[str, str, str, bool]


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
    http_client: HttpClient, budget: Budget, lang: str, wishes: Sequence[FieldWish], known: Sequence[Target]
) -> list[Target]:
    """Aligned with ``wishes``: what is known, else what the portal has by now, else newly made fields."""
    found = {key_of(target): target for target in known}
    entities = list(dict.fromkeys(wish.entity for wish in wishes if _key(wish) not in found))
    if entities:
        found |= {key_of(target): target for target in fresh(http_client, budget, lang, entities)}
    missing = {_key(wish): wish for wish in wishes if _key(wish) not in found}
    if missing:
        ask(http_client, [_add(wish) for wish in missing.values()], budget)
        found |= {key_of(target): target for target in fresh(http_client, budget, lang, entities)}
    return [_made(found, wish) for wish in wishes]


def fresh(http_client: HttpClient, budget: Budget, lang: str, entities: Sequence[str]) -> list[Target]:
    """The fields as they are now: only a list tells the ids of a field's choices."""
    return [target(row) for row in _rows(http_client, budget, lang, entities)]


def own_fields(http_client: HttpClient, budget: Budget, lang: str) -> dict[str, dict[str, str]]:
    """``OWN_FIELDS`` as facts, ``{word: {record type: name}}``: found by name, else made where we may."""
    have = {(row.entity, row.code) for row in _rows(http_client, budget, lang, TAGGED)}
    wanted = [(entity, own) for own in OWN_FIELDS.values() for entity in own.entities]
    missing = [(entity, own) for entity, own in wanted if (entity, own.name) not in have]
    outcomes = send(http_client, [_add_own(entity, own) for entity, own in missing], budget)
    for (entity, own), outcome in zip(missing, outcomes, strict=True):
        if not isinstance(outcome, ConnectorError):
            have.add((entity, own.name))
        elif outcome.code != NO_RIGHTS:
            raise outcome
    return {
        word: {entity: own.name for entity in own.entities if (entity, own.name) in have}
        for word, own in OWN_FIELDS.items()
    }


def target(row: FieldRow) -> Target:
    return Target(row.entity, row.remote_id, row.name, row.type, row.code, row.options, row.multiple)


def key_of(target: Target) -> Key:
    return target.entity, _loose(target.name), target.type, target.multiple


def type_of(wish: FieldWish) -> str:
    """A list without choices can't be filled: its answers go into a text."""
    kind = TYPES.get(wish.question_type.lower(), "string")
    return "string" if kind == "enumeration" and not _choices(wish) else kind


def _rows(http_client: HttpClient, budget: Budget, lang: str, entities: Iterable[str]) -> list[FieldRow]:
    entities = list(entities)
    replies = ask(http_client, [list_command(entity, lang) for entity in entities], budget)
    pairs = zip(entities, replies, strict=True)
    return [field_row(entity, row) for entity, reply in pairs for row in rows(reply) if row.get("ID")]


def _key(wish: FieldWish) -> Key:
    return wish.entity, _loose(_label(wish)), type_of(wish), _multiple(wish)


def _loose(name: str) -> str:
    return " ".join(name.split()).casefold()


def _label(wish: FieldWish) -> str:
    return shorten(tidy(wish.name), LONGEST_LABEL) or "Quiz"


def _multiple(wish: FieldWish) -> bool:
    return wish.question_type.lower() in SEVERAL and type_of(wish) == "enumeration"


def _choices(wish: FieldWish) -> list[str]:
    return list(dict.fromkeys(filter(None, map(tidy, wish.choices))))


def _add(wish: FieldWish) -> Command:
    body: dict[str, Any] = {
        "FIELD_NAME": _field_name(wish),
        "USER_TYPE_ID": type_of(wish),
        "LABEL": _label(wish),
        "MULTIPLE": "Y" if _multiple(wish) else "N",
    }
    if body["USER_TYPE_ID"] == "enumeration":
        body["LIST"] = [{"VALUE": text, "SORT": n * 10} for n, text in enumerate(_choices(wish), start=1)]
    return _command(wish.entity, body)


def _field_name(wish: FieldWish) -> str:
    """At most 20 characters, as old portals want it."""
    digest = hashlib.sha256("|".join(map(str, _key(wish))).encode()).hexdigest()
    return f"UF_CRM_Q{digest[:10].upper()}"


def _add_own(entity: str, own: OwnField) -> Command:
    body = {"FIELD_NAME": own.name, "USER_TYPE_ID": "string", "LABEL": own.label, "MULTIPLE": "Y"}
    return _command(entity, body)


def _command(entity: str, body: Mapping[str, Any]) -> Command:
    word = entity.removeprefix("CRM_").lower()
    return Command(f"crm.{word}.userfield.add", {"fields": body}, safe=False, why="a field")


def _made(found: Mapping[Key, Target], wish: FieldWish) -> Target:
    try:
        return found[_key(wish)]
    except KeyError:
        raise Refused(
            message("Bitrix24 did not make the field “{wish_name}”", wish_name=wish.name),
            code="field_not_made",
        ) from None
