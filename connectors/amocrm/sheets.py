"""One card's part of a request: its head, its field values and its tags, each movable on its own.

A refusal names a place ("custom_fields_values.3.field_id"); a sheet remembers which answer stands there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from connectors.amocrm.facts import Facts
from connectors.amocrm.fields import JOINED, SEVERAL, Fit, convert
from connectors.coercion import Unfit
from connectors.draft import FieldValue, Tag, Target, UnplacedValue

MOST_VALUES = 40  # a lead, a contact and a company in /leads/complex take 40 values each (reference 4.2)


@dataclass(slots=True)
class FieldEntry:
    """One entry of ``custom_fields_values`` and the answer it carries. ``kind``: answer, mark, tracking."""

    entry: dict[str, Any]
    question: str = ""
    text: str = ""
    kind: str = "answer"

    @property
    def key(self) -> str:
        return str(self.entry.get("field_id") or self.entry.get("field_code"))

    def loss(self, entity: str, reason: str) -> UnplacedValue:
        return UnplacedValue(self.question or self.key, self.text, reason, entity, self.key)


@dataclass(slots=True)
class Sheet:
    """A card to be made: ``entity`` is amoCRM's word (leads, contacts, companies, customers)."""

    entity: str
    head: dict[str, Any] = field(default_factory=dict)
    pieces: list[FieldEntry] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    by_name: set[str] = field(default_factory=set)  # tags whose id was refused

    def body(self) -> dict[str, Any]:
        """The card as amoCRM takes it, with as many values as it takes at once."""
        body = dict(self.head)
        if self.pieces:
            body["custom_fields_values"] = [piece.entry for piece in self.pieces[:MOST_VALUES]]
        if self.tags:
            body["_embedded"] = {"tags": [self._tag(tag) for tag in self.tags]}
        return body

    def rest(self) -> list[FieldEntry]:
        """What did not go in and is sent by PATCH afterwards."""
        return self.pieces[MOST_VALUES:]

    def drop(self, key: str) -> FieldEntry | None:
        """Take the value of a field out."""
        found = next((piece for piece in self.pieces if piece.key == key), None)
        if found:
            self.pieces.remove(found)
        return found

    def _tag(self, tag: Tag) -> dict[str, Any]:
        """By id or by name: both at once double tags (amocrm-api-php issue 257)."""
        if tag.remote_id.isdigit() and tag.name not in self.by_name:
            return {"id": int(tag.remote_id)}
        return {"name": tag.name}


def fill(
    entity: str, values: Iterable[FieldValue], facts: Facts
) -> tuple[list[FieldEntry], list[UnplacedValue]]:
    """The answers of one card as pieces, one a field, and what does not fit."""
    pieces: dict[str, FieldEntry] = {}
    losses: list[UnplacedValue] = []
    for value in values:
        if value.target.entity == entity:
            losses += _place(pieces, value, facts)
    return list(pieces.values()), losses


def _place(pieces: dict[str, FieldEntry], value: FieldValue, facts: Facts) -> list[UnplacedValue]:
    target = value.target
    if not (target.code or target.remote_id.isdigit()):
        return [_loss(value, "the field is unknown in amoCRM")]
    try:
        fit = convert(value.texts, target, facts.zone, facts.currency)
    except Unfit as exc:
        return [_loss(value, str(exc))]
    if not fit.values:
        return []
    taken = pieces.get(address(target))
    if taken is None:
        pieces[address(target)] = FieldEntry(entry(target, fit.values), value.question, value.text)
    elif not _join(taken, value, fit):
        return [_loss(value, "another answer already fills the field")]
    return [_loss(value, fit.but)] if fit.but else []


def address(target: Target) -> str:
    """Phone and e-mail fields go by their code, which person and rule may both fill; the rest by id."""
    return target.code if target.type == "multitext" and target.code else target.remote_id or target.code


def entry(target: Target, values: Iterable[dict[str, Any]]) -> dict[str, Any]:
    where = address(target)
    name = {"field_id": int(where)} if where.isdigit() else {"field_code": where}
    return {**name, "values": list(values)}


def _join(taken: FieldEntry, value: FieldValue, fit: Fit) -> bool:
    """A second answer for the same field: added where the type can hold it."""
    values = taken.entry["values"]
    if value.target.type in SEVERAL:
        values.extend(new for new in fit.values if new not in values)
    elif value.target.type in JOINED and isinstance(values[0].get("value"), str):
        both = convert([values[0]["value"], value.text], value.target)
        if both.but:
            return False
        values[0] = {**values[0], **both.values[0]}
    else:
        return False
    taken.text = f"{taken.text}, {value.text}"
    return True


def _loss(value: FieldValue, reason: str) -> UnplacedValue:
    return UnplacedValue(value.question, value.text, reason, value.target.entity, value.target.remote_id)
