"""Custom fields: answers as their values (pure), and making fields that are missing (reference 4.7, 4.8).

Formats: amocrm.ru/developers/content/crm_platform/custom-fields, "examples of filling".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import partial
from typing import Any

from connectors import coercion, dates
from connectors import text as texts
from connectors.amocrm.errors import CRM
from connectors.amocrm.lists import SEVERAL, embedded, field_row, fields
from connectors.base import FieldWish
from connectors.coercion import Unfit, written
from connectors.contact import email_key
from connectors.custom_fields import (
    CHOICE,
    CHOICES,
    FLAG,
    LINK,
    MOMENT,
    NUMBER,
    Given,
    by_type,
    choices_of,
    cut,
    make_fields,
)
from connectors.draft import Target
from connectors.errors import ConnectorError, Unclear
from connectors.http import HttpClient
from connectors.messages import message
from connectors.rows import FieldRow
from connectors.text import shorten

JOINED = frozenset({"text", "textarea", "streetaddress", "smart_address", "tracking_data", "legal_entity"})
LONGEST_TEXT = 255  # over 256 is refused although the UI takes it: amocrm-api-php issues 224, 400
LONGEST_AREA = 60_000  # no bound is documented
KEEP_EMOJI = True  # four-byte characters cut a text in 2021 (issue 221); today's behaviour is unconfirmed
FOUR_BYTES = re.compile(r"[\U00010000-\U0010FFFF]")


@dataclass(frozen=True, slots=True)
class Fit:
    """The ``values`` of one field. ``but`` says what of the answer did not fit, if anything."""

    values: tuple[dict[str, Any], ...]
    but: str = ""


def holds_several(target: Target) -> bool:
    """Can this field hold the answers to several questions: texts one after another, several values?"""
    return target.type in JOINED or target.type in SEVERAL


def chooses(target: Target) -> bool:
    """A phone's kinds (``multitext``) are no options to answer with."""
    return TO_AMO.get(target.type) in (_select, _multiselect) and bool(target.options)


def convert(texts: Iterable[str], target: Target, zone: tzinfo = UTC, currency: str = "") -> Fit:
    """The values to send; none for an empty answer. Raises ``Unfit``."""
    clean = tuple(text for text in (tidy(t) for t in texts) if text)
    if not clean:
        return Fit(())
    return by_type(TO_AMO, target)(Given(clean, target, zone, currency))


def tidy(text: str) -> str:
    """What a database can't keep is taken out, and the white space around."""
    return texts.tidy(text if KEEP_EMOJI else FOUR_BYTES.sub("", text))


def one_value(value: Any, but: str = "") -> Fit:
    return Fit(({"value": value},), but)


# -- one function a format ------------------------------------------------------------------------------


def _text(given: Given) -> Fit:
    return one_value(*cut(given.text, LONGEST_TEXT))


def _area(given: Given) -> Fit:
    return one_value(*cut(given.text, LONGEST_AREA))


def _number(given: Given) -> Fit:
    return one_value(written(coercion.number(given.texts, currency=given.currency).needed()))


def _money(given: Given) -> Fit:
    return one_value(written(coercion.money(given.texts, currency=given.currency).needed().amount))


def _checkbox(given: Given) -> Fit:
    return one_value(coercion.yes_no(given.texts).needed())


def _url(given: Given) -> Fit:
    read = coercion.web_address(given.texts)
    return one_value(read.needed(), read.but)


def _day(given: Given) -> Fit:
    day = dates.day(given.texts, given.zone).needed()
    return one_value(int(dates.noon(day, given.zone).timestamp()))


def _date_time(given: Given) -> Fit:
    return one_value(int(dates.moment(given.texts, given.zone).needed().timestamp()))


def _select(given: Given) -> Fit:
    fit = _multiselect(given)
    if len(fit.values) > 1:
        return Fit(fit.values[:1], message("the field takes one choice"))
    return fit


def _multiselect(given: Given) -> Fit:
    """Ids instead of texts: a text must equal the option to the letter (issues 115, 275)."""
    options = [option for option in given.target.options if option.remote_id.isdigit()]
    read = coercion.choices(given.texts, options)
    return Fit(tuple({"enum_id": int(option.remote_id)} for option in read.needed()), read.but)


def _multitext(given: Given) -> Fit:
    """Phones, e-mails and messengers; the kind is WORK where the field has one."""
    kind = {"PHONE": "WORK", "EMAIL": "WORK", "IM": "OTHER"}.get(given.target.code)
    if given.target.code == "EMAIL" and not all(map(email_key, given.texts)):
        raise Unfit(message("not an e-mail address"))
    extra = {"enum_code": kind} if kind else {}
    texts = [shorten(text, LONGEST_TEXT) for text in given.texts]
    return Fit(tuple({"value": text, **extra} for text in dict.fromkeys(texts)))


def _address(given: Given) -> Fit:
    return Fit(({"value": shorten(given.text, LONGEST_TEXT), "enum_code": "address_line_1"},))


def _legal_entity(given: Given) -> Fit:
    return one_value({"name": shorten(given.text, LONGEST_TEXT)})


TO_AMO: dict[str, Callable[[Given], Fit]] = {
    "text": _text,
    "textarea": _area,
    "numeric": _number,
    "price": _money,
    "monetary": _money,
    "checkbox": _checkbox,
    "url": _url,
    "date": _day,
    "birthday": _day,
    "date_time": _date_time,
    "select": _select,
    "radiobutton": _select,
    "category": _select,
    "multiselect": _multiselect,
    "multitext": _multitext,
    "smart_address": _address,
    "streetaddress": _text,
    "tracking_data": _text,
    "legal_entity": _legal_entity,
}


# -- making fields ------------------------------------------------------------------------------------------

MARK_NAME = "Quiz answer id"
MARK_CODE = "QUIZ_UID"
AT_ONCE = 50  # the vendor states no maximum
LISTS = frozenset({"select", "multiselect", "radiobutton"})
# The quiz's word for a question -> amoCRM's type. An unknown word becomes a long text, which takes anything.
TYPES = {
    **dict.fromkeys(("text", "string", "name", "phone", "email"), "text"),
    **dict.fromkeys((*NUMBER, "integer"), "numeric"),
    **dict.fromkeys(CHOICE, "select"),
    **dict.fromkeys(CHOICES, "multiselect"),
    **dict.fromkeys(FLAG, "checkbox"),
    "date": "date",
    **dict.fromkeys(MOMENT, "date_time"),
    "birthday": "birthday",
    **dict.fromkeys(LINK, "url"),
}


def create_fields(
    http_client: HttpClient, wishes: Sequence[FieldWish], known: Sequence[Target]
) -> list[Target]:
    """``Connector.create_fields``."""

    def make(missing: Sequence[FieldWish]) -> Iterator[Target]:
        for entity in dict.fromkeys(wish.entity for wish in missing):
            bodies = [_body(wish) for wish in missing if wish.entity == entity]
            for start in range(0, len(bodies), AT_ONCE):
                made = _post(http_client, entity, bodies[start : start + AT_ONCE])
                yield from (row.target for row in made)

    return make_fields(CRM, wishes, known, as_made=as_made, read=partial(fresh, http_client), make=make)


def fresh(http_client: HttpClient, entities: Sequence[str]) -> list[Target]:
    return [row.target for page in fields(http_client, entities) for row in page]


def mark_field(http_client: HttpClient, lead_fields: Iterable[FieldRow]) -> str:
    """The id of our text field on leads: found by its code, else by its name, else made."""
    texts = [row for row in lead_fields if row.type == "text"]
    by_code = [row for row in texts if row.code == MARK_CODE]
    ours = by_code or [row for row in texts if row.name == MARK_NAME and row.details.get("is_api_only")]
    if ours:
        return min((row.remote_id for row in ours), key=int)
    body = {"name": MARK_NAME, "type": "text", "code": MARK_CODE, "is_api_only": True}
    made = _post(http_client, "leads", [body])
    if not made:
        raise Unclear(message("amoCRM's answer doesn't name the field it made"), code="no_reply")
    return made[0].remote_id


def has_field(http_client: HttpClient, entity: str, field_id: int) -> bool:
    """Is the field still there? Raises like any call."""
    try:
        return bool(http_client.call("GET", f"/api/v4/{entity}/custom_fields/{field_id}"))
    except ConnectorError as error:
        if error.code == "http_404":
            return False
        raise


def as_made(wish: FieldWish) -> Target:
    """A list without choices can't be made: its answers go into a text."""
    kind = TYPES.get(wish.question_type.lower(), "textarea")
    kind = "text" if kind in LISTS and not choices_of(wish, LONGEST_TEXT) else kind
    name = shorten(tidy(wish.name), LONGEST_TEXT) or "Quiz"
    return Target(wish.entity, "", name, kind, multiple=kind in SEVERAL)


def _body(wish: FieldWish) -> dict[str, Any]:
    field = as_made(wish)
    body: dict[str, Any] = {"name": field.name, "type": field.type}
    if field.type in LISTS:
        choices = enumerate(choices_of(wish, LONGEST_TEXT), start=1)
        body["enums"] = [{"value": choice, "sort": sort} for sort, choice in choices]
    return body


def _post(http_client: HttpClient, entity: str, bodies: Sequence[dict[str, Any]]) -> list[FieldRow]:
    """Unsafe: a lost answer is ``Unclear``, and the next try finds the field in the fresh list."""
    reply = http_client.call("POST", f"/api/v4/{entity}/custom_fields", json=list(bodies))
    return [field_row(entity, row) for row in embedded(reply, "custom_fields")]
