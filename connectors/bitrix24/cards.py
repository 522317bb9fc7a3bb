"""One record to be made: its own fields, and the answers in user fields, each movable on its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Any

from connectors.bitrix24.batch import Command
from connectors.bitrix24.fields import convert, holds_several
from connectors.coercion import Unfit
from connectors.draft import FieldValue, UnplacedValue
from connectors.joining import one_per_field
from connectors.text import tidy

WORDS = {"CRM_DEAL": "deal", "CRM_LEAD": "lead", "CRM_CONTACT": "contact", "CRM_COMPANY": "company"}
MAIL_WORDS = ("e-mail", "email", "почт")
NO_CODE = "the field's name in requests is not known; refresh the list of fields"


@dataclass(frozen=True, slots=True)
class FieldEntry:
    """A value of one user field and the answer it carries."""

    code: str
    value: Any
    question: str = ""
    text: str = ""
    field_id: str = ""

    def loss(self, entity: str, reason: str) -> UnplacedValue:
        return UnplacedValue(self.question or self.code, self.text, reason, entity, self.field_id)


@dataclass(slots=True)
class Card:
    """``entity`` is Bitrix24's word for the record type (CRM_DEAL)."""

    entity: str
    head: dict[str, Any]
    pieces: list[FieldEntry] = field(default_factory=list)

    @property
    def word(self) -> str:
        return WORDS[self.entity]

    def add(self, piece: FieldEntry) -> None:
        """A list of texts in a field of ours, behind what a rule puts there."""
        own = next((one for one in self.pieces if one.code == piece.code), None)
        if own:
            self.pieces.remove(own)
            value, text = [*_listed(own.value), *piece.value], f"{own.text}; {piece.text}"
            piece = replace(own, value=value, text=text)
        self.pieces.append(piece)

    def command(self, **links: Any) -> Command:
        """``crm.deal.add`` and its siblings; ``links`` are what is known only by now."""
        values = {piece.code: piece.value for piece in self.pieces}
        given = {**self.head, **values, **{name: value for name, value in links.items() if value}}
        return Command(f"crm.{self.word}.add", {"fields": given}, safe=False, why=f"the {self.word}")

    def strip(self, complaint: str) -> list[UnplacedValue]:
        """After a refusal: take out the values it names, or else all that the record can do without."""
        words = complaint.lower()
        named = [piece for piece in self.pieces if piece.code.lower() in words]
        if not named and any(word in words for word in MAIL_WORDS):
            return self._cut("EMAIL", complaint)
        taken = named or self.pieces
        self.pieces = [piece for piece in self.pieces if piece not in taken]
        losses = [piece.loss(self.entity, complaint) for piece in taken]
        return losses or [*self._cut("EMAIL", complaint), *self._cut("IM", complaint)]

    def lost_whole(self, reason: str) -> list[UnplacedValue]:
        """What the card would have carried, for a portal that won't have it at all."""
        said = [
            UnplacedValue(
                name.lower(), entry["VALUE"] if isinstance(entry, dict) else str(entry), reason, self.entity
            )
            for name in ("NAME", "TITLE", "PHONE", "EMAIL", "IM")
            for entry in _listed(self.head.get(name))
        ]
        return [*said, *(piece.loss(self.entity, reason) for piece in self.pieces)]

    def _cut(self, name: str, complaint: str) -> list[UnplacedValue]:
        entries = self.head.pop(name, [])
        return [UnplacedValue(name.lower(), entry["VALUE"], complaint, self.entity) for entry in entries]


def fill(
    card: Card, values: Iterable[FieldValue], zone: tzinfo, currency: str
) -> tuple[list[FieldEntry], list[UnplacedValue]]:
    """The answers meant for this record, and what of them fits nowhere."""
    own, losses = one_per_field(
        (value for value in values if value.target.entity == card.entity), holds_several
    )
    pieces: dict[str, FieldEntry] = {}
    for value in own:
        try:
            piece, but = _piece(value, zone, currency)
        except Unfit as exc:
            losses.append(_loss(value, str(exc)))
            continue
        if but:
            losses.append(_loss(value, but))
        if piece.value is not None:
            pieces[piece.code] = piece
    return list(pieces.values()), losses


def multifield(texts: Iterable[str], kind: str = "WORK") -> list[dict[str, str]]:
    """Phones, e-mails and messengers as Bitrix24 keeps them (reference 4.2)."""
    return [{"VALUE": text, "VALUE_TYPE": kind} for text in dict.fromkeys(map(tidy, texts)) if text]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _piece(value: FieldValue, zone: tzinfo, currency: str) -> tuple[FieldEntry, str]:
    fit = convert(value.texts, value.target, zone, currency)
    if not value.target.code:
        raise Unfit(NO_CODE)
    piece = FieldEntry(value.target.code, fit.value, value.question, value.text, value.target.remote_id)
    return piece, fit.but


def _loss(value: FieldValue, reason: str) -> UnplacedValue:
    return UnplacedValue(value.question, value.text, reason, value.target.entity, value.target.remote_id)
