"""The leads and deals a portal holds, in words: for people, demo tables and tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.sandbox.bitrix24.model import Portal
from connectors.sandbox.bitrix24.records import stage_entity, stage_field
from connectors.sandbox.bitrix24.specs import MULTIFIELDS
from connectors.sandbox.bitrix24.store import Record
from connectors.sandbox.core import Reply, Request
from connectors.sandbox.page import COLUMNS, document, lead_row, table

SHOWN = 200
OWNER_TYPES = {"lead": 1, "deal": 2}
PATHS = {"deal": "deals", "lead": "leads"}


def ledger(portal: Portal) -> Iterator[dict[str, Any]]:
    for kind in ("lead", "deal"):
        for record in portal.tables[kind].values():
            yield row(portal, record)


def row(portal: Portal, record: Record) -> dict[str, Any]:
    deal, props = record.kind == "deal", record.props
    pipeline = portal.categories[2].get(props["CATEGORY_ID"]) if deal else None
    stage = portal.statuses.by_entity.get(stage_entity(record), {}).get(props[stage_field(record.kind)])
    responsible = portal.users.get(props["ASSIGNED_BY_ID"])
    fields = _fields(portal, record)
    return {
        "id": record.id,
        "kind": record.kind,
        "account": portal.subdomain,
        "account_id": portal.id,
        "name": props["TITLE"],
        "price": props.get("OPPORTUNITY"),
        "pipeline_id": props["CATEGORY_ID"] if deal else None,
        "pipeline": pipeline.name if pipeline else "Лиды",
        "step_id": props[stage_field(record.kind)],
        "step": stage.name if stage else None,
        "responsible_id": props["ASSIGNED_BY_ID"],
        "responsible": responsible.full_name if responsible else None,
        "created_at": props["DATE_CREATE"],
        "origin": [props.get("ORIGINATOR_ID"), props.get("ORIGIN_ID")],
        "lead_id": props.get("LEAD_ID"),
        "source": props.get("SOURCE_ID"),
        "type": props.get("TYPE_ID"),
        "contact": _person(portal, record),
        "company": _company(portal, record),
        "tags": _tags(portal, record),
        "fields": fields,
        "utm": {name: value for name, value in props.items() if name.startswith("UTM_") and value},
        "notes": _notes(portal, record),
        "tasks": _tasks(portal, record),
    }


def _shown(portal: Portal, record: Record, name: str) -> Any:
    """An option by its text, whatever else as it is."""
    field = portal.user_fields(record.kind)[name]
    options = {option.id: option.value for option in field.options}
    value = record.props[name]
    if isinstance(value, list):
        return [options.get(one, one) if field.options else one for one in value]
    return options.get(value, value)


def _fields(portal: Portal, record: Record) -> dict[str, Any]:
    known = portal.user_fields(record.kind)
    filled = (name for name, value in record.props.items() if name in known and value not in (None, "", []))
    return {known[name].label: _shown(portal, record, name) for name in filled}


def _tags(portal: Portal, record: Record) -> list[str]:
    """There are no tags in Bitrix24: multiple fields with that word in the label stand for them (4.6)."""
    names = [row.name for row in portal.user_fields(record.kind).values() if "тег" in row.label.lower()]
    return [str(tag) for name in names for tag in record.props.get(name) or ()]


def _person(portal: Portal, record: Record) -> dict[str, Any] | None:
    if not record.people:
        own = {name: record.props.get(name) for name in ("NAME", "LAST_NAME") if record.props.get(name)}
        return _card(portal, record, own) if record.multi or own else None
    contact = portal.contacts.get(record.people[0])
    if contact is None:
        return None
    name = " ".join(filter(None, (contact.props.get("NAME"), contact.props.get("LAST_NAME"))))
    return {"id": contact.id, "name": name} | _card(portal, contact, {})


def _card(portal: Portal, record: Record, names: dict[str, Any]) -> dict[str, Any]:
    found = {kind: record.communications(kind) for kind in MULTIFIELDS}
    lines = {kind: ", ".join(values) for kind, values in found.items() if values}
    own = _fields(portal, record) if record.kind != "lead" else {}
    return names | lines | own


def _company(portal: Portal, record: Record) -> dict[str, Any] | None:
    company = portal.companies.get(record.props.get("COMPANY_ID") or 0)
    if company is None:
        text = record.props.get("COMPANY_TITLE")
        return {"name": text} if text else None
    return {"id": company.id, "name": company.props.get("TITLE")} | _card(portal, company, {})


def _notes(portal: Portal, record: Record) -> list[str]:
    texts = [record.props.get("COMMENTS"), record.props.get("SOURCE_DESCRIPTION")]
    comments = portal.timeline.get((record.kind, record.id), ())
    return [str(text) for text in texts if text] + [row["COMMENT"] for row in comments]


def _tasks(portal: Portal, record: Record) -> list[dict[str, Any]]:
    owner = (str(OWNER_TYPES[record.kind]), str(record.id))
    return [
        {
            "id": int(row["ID"]),
            "title": row["SUBJECT"],
            "text": row["DESCRIPTION"],
            "due": row["DEADLINE"],
            "responsible": portal.users[int(row["RESPONSIBLE_ID"])].full_name,
            "done": row["COMPLETED"] == "Y",
        }
        for row in portal.activities.values()
        if (row["OWNER_TYPE_ID"], row["OWNER_ID"]) == owner
    ]


def record_page(portal: Portal, request: Request) -> Reply:
    """/crm/deal/details/<id>/ as the interface has it, and everything on the front page."""
    parts = [part for part in request.path.split("/") if part]
    if request.method == "GET" and (not parts or parts == ["crm"]):
        rows = [lead_row(one) for one in list(ledger(portal))[: -SHOWN - 1 : -1]]
        return Reply.html(200, document(f"{portal.name}: лиды и сделки", table(COLUMNS, rows)))
    kind = parts[1] if len(parts) == 4 and parts[0] == "crm" and parts[2] == "details" else ""
    record = portal.tables[kind].get(int(parts[3])) if kind in PATHS and parts[3].isdigit() else None
    if record is None:
        return Reply.html(404, document("Битрикс24", "<p>Страница не найдена.</p>"))
    return Reply.html(200, document(f"{kind} {record.id}", table(COLUMNS, [lead_row(row(portal, record))])))
