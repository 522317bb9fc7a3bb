"""Answers in a CRM's custom fields, and fields that rules want made: what the CRMs share about both.

How a type's values look is the CRM's own table (``connectors/<crm>/fields.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import Any, TypeVar

from connectors.base import FieldWish
from connectors.coercion import Unfit
from connectors.draft import FieldValue, Target, UnplacedValue
from connectors.errors import Refused
from connectors.messages import message
from connectors.text import shorten, tidy

T = TypeVar("T")
TAKEN = message("another answer already fills the field")
# The quiz's words for questions, in groups that no CRM tells apart.
NUMBER = ("number", "numeric", "range", "rating")
CHOICE = ("select", "radio", "radiobutton", "variant", "images", "emoji")
CHOICES = ("multiselect", "checkboxes")
FLAG = ("checkbox", "boolean")
MOMENT = ("datetime", "date_time")
LINK = ("url", "file", "link")


def one_per_field(
    values: Iterable[FieldValue], holds_several: Callable[[Target], bool]
) -> tuple[list[FieldValue], list[UnplacedValue]]:
    """One value for each field, in their order, and what had no room beside it.

    ``holds_several`` is ``Connector.holds_several``.
    """
    found: dict[tuple[str, str], FieldValue] = {}
    losses: list[UnplacedValue] = []
    for value in values:
        target = value.target
        first = found.setdefault((target.entity, target.remote_id), value)
        if first is value:
            continue
        if holds_several(target):
            both = f"{first.question}; {value.question}"
            found[target.entity, target.remote_id] = replace(
                first, question=both, value=(*first.texts, *value.texts)
            )
        else:
            losses.append(value.unplaced(TAKEN))
    return list(found.values()), losses


@dataclass(frozen=True, slots=True)
class Fit:
    """The value of one field, None for an empty answer. ``unproven``: a choice that we could not check.

    ``but`` says what of the answer did not fit.
    """

    value: Any
    unproven: bool = False
    but: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What a converter may look at: the answer's texts, the field, the account's time zone and currency."""

    texts: tuple[str, ...]
    target: Target
    zone: tzinfo = UTC
    currency: str = ""

    @property
    def text(self) -> str:
        return ", ".join(self.texts)


def cut(text: str, longest: int) -> tuple[str, str]:
    """The text, at most so long, and what of it is missing."""
    short = shorten(text, longest)
    return short, "" if short == text else message("shortened to {length} characters", length=longest)


def unfillable(target: Target) -> Unfit:
    """Nobody knows how an answer looks in a field of this type."""
    return Unfit(
        message("a field of type {type} can't be filled by an answer", type=target.type or "unknown")
    )


def by_type(table: Mapping[str, T], target: Target) -> T:
    """The entry of the field's type. Raises ``Unfit`` where there is none."""
    if target.type not in table:
        raise unfillable(target)
    return table[target.type]


def fit_values(
    values: Iterable[FieldValue],
    convert: Callable[[FieldValue], Fit],
    holds_several: Callable[[Target], bool],
) -> tuple[list[tuple[FieldValue, Fit]], list[UnplacedValue]]:
    """What goes into fields, one value for each, and what of the answers does not."""
    joined, losses = one_per_field(values, holds_several)
    fitting: list[tuple[FieldValue, Fit]] = []
    for value in joined:
        try:
            fit = convert(value)
        except Unfit as exc:
            fit = Fit(None, but=str(exc))
        losses += [value.unplaced(fit.but)] if fit.but else []
        fitting += [(value, fit)] if fit.value is not None else []
    return fitting, losses


# -- making fields ------------------------------------------------------------------------------------------


def choices_of(wish: FieldWish, longest: int) -> list[str]:
    """Each once."""
    return list(dict.fromkeys(filter(None, (shorten(tidy(text), longest) for text in wish.choices))))


def make_fields(
    crm: str,
    wishes: Sequence[FieldWish],
    known: Iterable[Target],
    *,
    as_made: Callable[[FieldWish], Target],
    read: Callable[[Sequence[str]], Iterable[Target]],
    make: Callable[[Sequence[FieldWish]], Iterable[Target]],
) -> list[Target]:
    """Aligned with ``wishes``: what is ``known``, else what the CRM has by now, else newly made fields.

    ``as_made`` is the field that a wish becomes, without its id, ``read`` those of some types of record.
    Raises like any call, and ``Refused`` where a field is not there after all.
    """
    found = {key_of(one): one for one in known}

    def missing() -> list[FieldWish]:
        return list({key: wish for wish in wishes if (key := key_of(as_made(wish))) not in found}.values())

    if lacking := missing():
        entities = list(dict.fromkeys(wish.entity for wish in lacking))
        found |= {key_of(one): one for one in read(entities)}
    if lacking := missing():
        found |= {key_of(one): one for one in make(lacking)}
    if lacking := missing():
        words = message("{crm} did not make the field “{wish_name}”", crm=crm, wish_name=lacking[0].name)
        raise Refused(words, code="field_not_made")
    return [found[key_of(as_made(wish))] for wish in wishes]


def key_of(field: Target) -> tuple[str, str, str, bool]:
    """One field of a name and kind is enough."""
    return field.entity, " ".join(field.name.split()).casefold(), field.type, field.multiple
