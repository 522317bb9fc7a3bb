"""Making, changing and removing records, with the fallbacks a portal applies silently (reference 4.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from connectors.sandbox.bitrix24.call import Call
from connectors.sandbox.bitrix24.errors import Refused, core_error
from connectors.sandbox.bitrix24.moments import iso, read_moment
from connectors.sandbox.bitrix24.specs import MULTIFIELDS, Spec, has_multifields, standard
from connectors.sandbox.bitrix24.store import Record
from connectors.sandbox.bitrix24.values import Dropped, read
from connectors.sandbox.bitrix24.views import spec_of

EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s.]{2,}$")
DEFAULT_TYPES = {"PHONE": "WORK", "EMAIL": "WORK", "WEB": "WORK", "IM": "OTHER", "LINK": "OTHER"}
NAMES = {"lead": "Lead", "deal": "Deal", "quote": "Quote", "smart_invoice": "Invoice", "company": "Company"}


@dataclass
class Draft:
    """Fields that passed: `props` by classic name, `multi` rows by TYPE_ID."""

    props: dict[str, Any] = field(default_factory=dict)
    multi: list[dict[str, Any]] = field(default_factory=list)


def draft(call: Call, kind: str, fields: dict[str, Any], universal: bool = False) -> Draft:
    """Unknown, read-only and unparsable fields are dropped, and the record is made all the same."""
    made = Draft()
    for name, raw in fields.items():
        if name in MULTIFIELDS and has_multifields(kind):
            made.multi += _communications(name, raw)
            continue
        spec = spec_of(call.portal, kind, name)
        if spec is not None and "r" not in spec.flags:
            _take(call, made, spec, raw, universal)
    return made


def _take(call: Call, made: Draft, spec: Spec, raw: Any, universal: bool) -> None:
    try:
        made.props[spec.name] = read(call, spec, raw, universal)
    except Dropped:
        return


def _communications(type_id: str, raw: Any) -> list[dict[str, Any]]:
    """A bad e-mail fails the whole call; an entry without value is skipped (4.2)."""
    found = []
    for row in raw.values() if isinstance(raw, dict) else raw if isinstance(raw, list) else ():
        if not isinstance(row, dict):
            continue
        value = str(row.get("VALUE") or "").strip()
        if type_id == "EMAIL" and value and not EMAIL.match(value):
            raise core_error("Неверный e-mail")
        kind = str(row.get("VALUE_TYPE") or DEFAULT_TYPES[type_id])
        entry = {"ID": str(row.get("ID", "")), "VALUE_TYPE": kind, "VALUE": value, "TYPE_ID": type_id}
        found.append(entry | {"DELETE": str(row.get("DELETE", "")).upper() == "Y"})
    return found


def need_mandatory(call: Call, kind: str, made: Draft) -> None:
    """The docs say mandatory user fields are enforced, the core skips it (4.3): a switch."""
    if not call.switches["mandatory_enforced"]:
        return
    for row in call.portal.user_fields(kind).values():
        if row.mandatory and made.props.get(row.name) in (None, "", []):
            text = f"Обязательное поле «{row.label}» не заполнено"
            raise Refused(400, "CRM_FIELD_ERROR_REQUIRED", text)


def create(call: Call, kind: str, made: Draft, events: bool = True) -> Record:
    portal, number = call.portal, call.portal.next(kind)
    record = Record(kind, number, _defaults(call, kind, number))
    record.props |= {name: value for name, value in made.props.items() if name not in LINKS}
    _link(call, record, made)
    _settle(call, record, made)
    if not record.props.get("ASSIGNED_BY_ID"):
        record.props["ASSIGNED_BY_ID"] = call.user.id
    _communicate(call, record, made.multi)
    portal.tables[kind].insert(record)
    call.box.communications(portal).add(record)
    if events:
        call.box.happened(portal, f"ONCRM{kind.upper()}ADD", number, call.auth)
    return record


LINKS = ("CONTACT_IDS", "CONTACT_ID", "COMPANY_IDS")


def _defaults(call: Call, kind: str, number: int) -> dict[str, Any]:
    now = iso(call.portal, call.now)
    props: dict[str, Any] = {"DATE_CREATE": now, "DATE_MODIFY": now, "OPENED": True}
    props |= {"CREATED_BY_ID": call.user.id, "MODIFY_BY_ID": call.user.id}
    if kind in NAMES:
        props["TITLE"] = f"{NAMES[kind]} #{number}"
    if kind in ("lead", "deal", "quote", "smart_invoice"):
        props |= {"OPPORTUNITY": 0.0, "CURRENCY_ID": call.portal.currency, "IS_MANUAL_OPPORTUNITY": False}
    if kind == "deal":
        today = read_moment(call.portal, now[:10])
        assert today is not None
        props |= {"BEGINDATE": today.isoformat(), "CLOSEDATE": (today + timedelta(days=7)).isoformat()}
        props |= {"CATEGORY_ID": 0, "STAGE_ID": "", "IS_NEW": True, "LEAD_ID": None}
    return props


def _link(call: Call, record: Record, made: Draft) -> None:
    """The first contact is the primary one; contacts that don't exist are left out."""
    if "CONTACT_IDS" in made.props or "CONTACT_ID" in made.props:
        wanted = made.props.get("CONTACT_IDS")
        single = made.props.get("CONTACT_ID")
        numbers = wanted if wanted is not None else [single] if single else []
        record.people = [n for n in dict.fromkeys(numbers) if n in call.portal.contacts]
    if record.kind == "contact" and ("COMPANY_IDS" in made.props or "COMPANY_ID" in made.props):
        many = made.props.get("COMPANY_IDS") or [made.props.get("COMPANY_ID")]
        record.companies = [n for n in dict.fromkeys(many) if n in call.portal.companies]
    if record.kind != "contact" and record.props.get("COMPANY_ID") not in call.portal.companies:
        record.props["COMPANY_ID"] = None


# -- stages -------------------------------------------------------------------------------------------


def stage_entity(record: Record) -> str:
    """The dictionary of a record's stages; pipeline 0 has no number (3.3)."""
    if record.kind == "lead":
        return "STATUS"
    if record.kind == "quote":
        return "QUOTE_STATUS"
    if record.kind == "smart_invoice":
        return "SMART_INVOICE_STAGE_7"
    number = record.props.get("CATEGORY_ID") or 0
    return f"DEAL_STAGE_{number}" if number else "DEAL_STAGE"


def stage_field(kind: str) -> str:
    return "STATUS_ID" if kind in ("lead", "quote") else "STAGE_ID"


def _settle(call: Call, record: Record, made: Draft) -> None:
    """An unknown pipeline becomes 0, a stage foreign to the pipeline becomes its first (4.1)."""
    if record.kind in ("contact", "company"):
        return
    portal, name = call.portal, stage_field(record.kind)
    if record.kind == "deal" and record.props["CATEGORY_ID"] not in portal.categories[2]:
        record.props["CATEGORY_ID"] = 0
    entity = stage_entity(record)
    stages = portal.statuses.by_entity.get(entity, {})
    if record.props.get(name) not in stages:
        record.props[name] = portal.statuses.first(entity)
    stage = stages.get(record.props[name])
    semantics = (stage.semantics if stage else None) or "P"
    record.props["STATUS_SEMANTIC_ID" if record.kind == "lead" else "STAGE_SEMANTIC_ID"] = semantics
    if record.kind == "deal":
        record.props["CLOSED"] = semantics != "P"


# -- changes ------------------------------------------------------------------------------------------


def update(call: Call, record: Record, made: Draft, universal: bool = False) -> None:
    """Only a universal method moves a deal to another pipeline (4.7)."""
    before = record.props.get("CATEGORY_ID")
    frozen = [name for name, spec in standard(record.kind).items() if "i" in spec.flags]
    skipped = (*LINKS, *(() if universal else frozen))
    record.props |= {name: value for name, value in made.props.items() if name not in skipped}
    record.props |= {"DATE_MODIFY": iso(call.portal, call.now), "MODIFY_BY_ID": call.user.id}
    _link(call, record, made)
    _settle(call, record, made)
    communications = call.box.communications(call.portal)
    communications.remove(record)
    _communicate(call, record, made.multi)
    communications.add(record)
    call.portal.tables[record.kind].touched(record)
    call.box.happened(call.portal, f"ONCRM{record.kind.upper()}UPDATE", record.id, call.auth)
    if record.props.get("CATEGORY_ID") != before and record.kind == "deal":
        call.box.happened(call.portal, "ONCRMDEALMOVETOCATEGORY", record.id, call.auth)


def _communicate(call: Call, record: Record, rows: list[dict[str, Any]]) -> None:
    """A row with a known ID is changed or deleted, one without is added (4.2)."""
    known = {row["ID"]: row for row in record.multi}
    for row in rows:
        delete, old = row.pop("DELETE"), known.get(row["ID"])
        if old is not None and (delete or not row["VALUE"]):
            record.multi.remove(old)
        elif old is not None:
            old.update(row)
        elif row["VALUE"] and not delete:
            record.multi.append(row | {"ID": str(call.portal.next("multifield"))})


def remove(call: Call, record: Record) -> None:
    call.portal.tables[record.kind].remove(record.id)
    call.box.communications(call.portal).remove(record)
    call.box.happened(call.portal, f"ONCRM{record.kind.upper()}DELETE", record.id, call.auth)
