"""What each CRM makes of a row: by the rules' mapping and the connector's own layout of a lead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connectors.amocrm import records as amocrm
from connectors.amocrm.facts import Facts as AmoFacts
from connectors.bitrix24 import records as bitrix24
from connectors.bitrix24.portal import Facts as BitrixFacts
from connectors.coercion import written
from connectors.draft import LeadDraft, Target, UnplacedValue
from connectors.envybox import records as envybox
from connectors.registry import connector_class
from connectors.solos import records as solos
from connectors.solos.options import SolosOptions
from connectors.text import tidy
from rules.mapping.drafting import Progress, draft_for
from rules.mapping.rule_snapshot import RuleSnapshot
from tests.corpus.rows import OPTIONS, Row

FIELD = "70"
CONTACT = ("phone", "email")
Placed = tuple[str, Iterable[UnplacedValue]]


@dataclass(frozen=True, slots=True)
class Crm:
    """``types``: its own word for each type of the corpus; what it has no word for goes into a text field.

    ``place`` gives what the field holds, in the corpus' form, and what was told.
    """

    name: str
    types: Mapping[str, str]
    text: str
    place: Callable[[Row, LeadDraft], Placed]
    is_money_foreign: bool = False  # takes sums in other currencies than the account's
    countries: tuple[str, ...] = ()  # whose sums it can tell; empty for all
    decimals: int | None = None  # of the lead's price; None where it has no such field

    def run(self, row: Row) -> Placed:
        return self.place(row, self._draft(row))

    def takes(self, row: Row) -> bool:
        """Has the CRM a field of this kind?"""
        if row.type == "price":
            return self.decimals is not None
        is_sum = row.type in ("number", "money")
        return not (is_sum and self.countries) or row.country in self.countries

    def expected(self, row: Row) -> str:
        """What the field must hold; empty for nothing."""
        if row.type in CONTACT:
            return row.value
        if row.type == "price":
            return written(round(Decimal(row.value), self.decimals)) if row.value else ""
        if row.type not in self.types:
            return " ".join(tidy(text_of(row)).split())
        is_foreign = row.type == "money" and " " in row.value
        return "" if is_foreign and not self.is_money_foreign else row.value

    def _draft(self, row: Row) -> LeadDraft:
        entities = connector_class(self.name).can.entities
        lead = entities.get("deal", entities["lead"]) if self.name == "bitrix24" else entities["lead"]
        kind = self.types.get(row.type, self.text)
        options = OPTIONS if row.type in ("choice", "choices") and row.type in self.types else ()
        target = Target(lead, FIELD, "Field", kind, "UF_CRM_1", options, multiple=row.type == "choices")
        snapshot = RuleSnapshot(
            rule_id=1,
            quiz_id=42,
            entities={"lead": lead},
            region=row.country,
            questions=(("lead", "1", FIELD),),
            fields={(lead, FIELD): target},
        )
        return draft_for(snapshot, body_of(row), Progress("qz1", datetime(2026, 1, 2, tzinfo=UTC)))


def body_of(row: Row) -> dict[str, Any]:
    """The body of ``POST /answers`` that says it."""
    if row.type in CONTACT:
        return {"contact": {"name": "Анна", row.type: row.answer}}
    if row.type == "price":
        return {"price": row.answer}
    return {"answers": [{"questionID": "1", "question": "Field?", "answer": row.answer}]}


def text_of(row: Row) -> str:
    """What a text field holds."""
    snapshot = RuleSnapshot(1, 42, {"lead": "l"}, "RU", questions=(("lead", "1", FIELD),))
    snapshot.fields[("l", FIELD)] = Target("l", FIELD, "Field", "text")  # type: ignore[index]
    (value,) = draft_for(snapshot, body_of(row), Progress("qz1", datetime(2026, 1, 2, tzinfo=UTC))).values
    return value.text


def in_amocrm(row: Row, draft: LeadDraft) -> Placed:
    payload = amocrm.pack(draft, AmoFacts(zone=row.zone, currency=row.currency))
    if row.type == "price":
        return str(payload.lead.attributes.get("price", "")), payload.losses
    record, key = (payload.contact, row.type.upper()) if row.type in CONTACT else (payload.lead, FIELD)
    entries = [one.body["values"] for one in record.entries if one.key == key] if record else []
    values = entries[0] if entries else []
    if row.type in ("choice", "choices"):
        return " ".join(str(value["enum_id"]) for value in values), payload.losses
    return " ".join(_amo_value(row, value["value"]) for value in values), payload.losses


def _amo_value(row: Row, value: Any) -> str:
    if row.type == "date":
        return datetime.fromtimestamp(value, row.zone).date().isoformat()
    if row.type == "datetime":
        return datetime.fromtimestamp(value, row.zone).isoformat()
    return ("yes" if value else "no") if row.type == "yes_no" else str(value)


def in_bitrix24(row: Row, draft: LeadDraft) -> Placed:
    payload = bitrix24.payload_of(draft, BitrixFacts(zone=row.zone, currency=row.currency))
    if row.type == "price":
        price = payload.record.head.get("OPPORTUNITY", "")
        return written(Decimal(price)) if price else "", payload.losses
    if row.type in CONTACT:
        rows = payload.contact.head.get(row.type.upper(), []) if payload.contact else []
        return " ".join(one["VALUE"] for one in rows), payload.losses
    value = next((entry.value for entry in payload.record.entries), "")
    if row.type == "money" and value:
        amount, _, currency = value.partition("|")
        value = written(Decimal(amount)) + ("" if currency == row.currency else f" {currency}")
    if row.type == "yes_no" and value != "":
        value = "yes" if value else "no"
    return " ".join(value) if isinstance(value, list) else " ".join(str(value).split()), payload.losses


def in_envybox(row: Row, draft: LeadDraft) -> Placed:
    payload = envybox.pack(draft)
    if row.type in CONTACT:
        kinds = ("mobile_phone", "email")
        more = [one["value"] for one in payload.head.get("contact_data", []) if one["type"] in kinds]
        found = [*filter(None, [payload.values.get(row.type)]), *more]
        return " ".join(f"+{one}" if row.type == "phone" else one for one in found), payload.losses
    value = next((entry.value for entries in payload.entries.values() for entry in entries), "")
    if isinstance(value, list):
        return " ".join(value), payload.losses
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return written(Decimal(str(value))) if is_number else " ".join(value.split()), payload.losses


def in_solos(row: Row, draft: LeadDraft) -> Placed:
    payload = solos.pack(draft, SolosOptions())
    extra = payload.lead["extra"]
    if row.type in CONTACT:
        more = extra.get(f"{row.type}s", "").split(", ")
        return " ".join(filter(None, [payload.lead[row.type], *more])), payload.losses
    return " ".join(extra.get("UF_CRM_1", "").split()), payload.losses


CRMS = (
    Crm(
        "amocrm",
        {
            "number": "numeric",
            "money": "monetary",
            "date": "date",
            "datetime": "date_time",
            "yes_no": "checkbox",
            "choice": "select",
            "choices": "multiselect",
            "url": "url",
        },
        "text",
        in_amocrm,
        decimals=0,
    ),
    Crm(
        "bitrix24",
        {
            "number": "double",
            "money": "money",
            "date": "date",
            "datetime": "datetime",
            "yes_no": "boolean",
            "choice": "enumeration",
            "choices": "enumeration",
            "url": "url",
        },
        "string",
        in_bitrix24,
        is_money_foreign=True,
        decimals=2,
    ),
    Crm(
        "envybox",
        {"number": "1", "money": "9", "choice": "3", "choices": "3"},
        "2",
        in_envybox,
        countries=("RU",),
    ),
    Crm("solos", {}, "string", in_solos),
)
