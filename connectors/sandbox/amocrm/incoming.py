"""Incoming leads ("unsorted"): forms that wait for a person to accept them (reference 4.10)."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.amocrm.drafts import Reader
from connectors.sandbox.amocrm.errors import Errors, validation_failed
from connectors.sandbox.amocrm.hal import Call, hal, page, problem, refuse
from connectors.sandbox.amocrm.model import Card
from connectors.sandbox.amocrm.store import create, take_in
from connectors.sandbox.amocrm.writes import request_id
from connectors.sandbox.core import Reply

FORM = {"form_id": str, "form_name": str, "form_page": str, "ip": str, "form_sent_at": int, "referer": str}
KEYS = {"source_uid", "source_name", "metadata", "pipeline_id", "created_at", "request_id", "_embedded"}
NAMES: dict[type, str] = {str: "string", int: "int"}


@dataclass
class Entry:
    uid: str
    lead_id: int
    category: str
    metadata: dict[str, Any]
    pipeline_id: int
    created_at: int
    source_uid: str = ""
    source_name: str = ""
    contacts: list[int] = field(default_factory=list)
    companies: list[int] = field(default_factory=list)
    fingerprint: str = ""


def check_metadata(metadata: Any, errors: Errors, *, category: bool) -> None:
    if not isinstance(metadata, dict):
        errors.add("InvalidType", "This value should be of type array.")
        return
    kind = metadata.get("category", "forms") if category else "forms"
    if kind not in ("forms", "sip"):
        errors.no_choice("category")
    if kind != "forms":
        return  # the reference has no list of a call's keys
    known = FORM | {"category": str}
    for key, value in metadata.items():
        if key not in known:
            errors.add("FieldNotExpected", "This field was not expected.", key)
        elif not isinstance(value, known[key]) or isinstance(value, bool):
            errors.add("InvalidType", f"This value should be of type {NAMES[known[key]]}.", key)


def register(call: Call, lead: Card, metadata: dict[str, Any], **more: Any) -> Entry:
    entry = Entry(
        uid=secrets.token_hex(30),
        lead_id=lead.id,
        category=metadata.get("category", "forms"),
        metadata=metadata,
        pipeline_id=lead["pipeline_id"],
        created_at=lead["created_at"],
        **more,
    )
    lead.incoming = entry.uid
    call.account.unsorted[entry.uid] = entry
    if entry.fingerprint:
        call.account.unsorted_marks.add(entry.fingerprint)
    return entry


# -- POST …/forms ------------------------------------------------------------------------------------


def add_forms(call: Call) -> Reply:
    rows = call.rows()
    all_errors = [Errors(request_id(row, index)) for index, row in enumerate(rows)]
    plans = [_plan(call, row, errors) for row, errors in zip(rows, all_errors, strict=True)]
    if any(all_errors):
        return validation_failed(all_errors)
    made = [
        _store(call, row, plan, e.request_id) for row, plan, e in zip(rows, plans, all_errors, strict=True)
    ]
    links = call.href(call.request.path)
    return hal({"_total_items": len(made), "_links": links, "_embedded": {"unsorted": made}})


def _plan(call: Call, row: dict[str, Any], errors: Errors) -> dict[str, Any]:
    for key in row.keys() - KEYS:
        errors.add("FieldNotExpected", "This field was not expected.", key)
    for key in ("source_uid", "source_name", "metadata"):
        if key not in row:
            errors.add("FieldMissing", "This field is missing.", key)
    if "metadata" in row:
        with errors.under("metadata"):
            check_metadata(row["metadata"], errors, category=False)
            for key in FORM.keys() - row["metadata"].keys() if isinstance(row["metadata"], dict) else ():
                errors.add("FieldMissing", "This field is missing.", key)
    pipeline_id = row.get("pipeline_id", call.account.main_pipeline.id)
    if pipeline_id not in call.account.pipelines:
        errors.no_choice("pipeline_id")
    mark = _fingerprint(row)
    if mark in call.account.unsorted_marks:
        errors.no_choice("source_uid")  # identical entries are refused; the code is UNCONFIRMED
    return {"pipeline_id": pipeline_id, "fingerprint": mark, **_drafts(call, row, errors)}


def _fingerprint(row: dict[str, Any]) -> str:
    told = {key: value for key, value in row.items() if key != "request_id"}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _drafts(call: Call, row: dict[str, Any], errors: Errors) -> dict[str, Any]:
    reader, embedded = Reader(call.account, call.box.switches), row.get("_embedded") or {}
    found: dict[str, Any] = {"leads": [], "contacts": [], "companies": []}
    for kind, drafts in found.items():
        with errors.under("_embedded", kind):
            for index, item in enumerate(embedded.get(kind) or []):
                with errors.under(index):
                    drafts.append(reader.read(kind, item, errors))
            if len(drafts) > 1:
                errors.add("TooMany", "This collection should contain 1 element or less.")
    if not found["leads"]:
        found["leads"].append(reader.read("leads", {"name": "Заявка с сайта"}, errors))
    return found


def _store(call: Call, row: dict[str, Any], plan: dict[str, Any], mark: str) -> dict[str, Any]:
    pipeline = call.account.pipelines[plan["pipeline_id"]]
    draft = plan["leads"][0]
    draft.props |= {"pipeline_id": pipeline.id, "status_id": pipeline.incoming.id}
    if "created_at" in row:
        draft.props["created_at"] = row["created_at"]
    lead = create(call, draft)
    others = {kind: [create(call, one) for one in plan[kind]] for kind in ("contacts", "companies")}
    for kind, cards in others.items():
        for card in cards:
            card.hidden = True
            call.account.link(lead, card, **({"is_main": True} if kind == "contacts" else {}))
    ids = {kind: [card.id for card in cards] for kind, cards in others.items()}
    told = {key: row[key] for key in ("source_uid", "source_name")}
    entry = register(call, lead, row["metadata"], fingerprint=plan["fingerprint"], **told, **ids)
    body = _view(call, entry)
    kept = {key: body[key] for key in ("uid", "account_id", "_links", "_embedded")}
    return {"request_id": mark, **kept}


# -- reading, accepting, declining -------------------------------------------------------------------


def _view(call: Call, entry: Entry) -> dict[str, Any]:
    embedded = {
        "leads": [{"id": entry.lead_id}],
        "contacts": [{"id": number} for number in entry.contacts],
        "companies": [{"id": number} for number in entry.companies],
    }
    return {
        "uid": entry.uid,
        "source_uid": entry.source_uid,
        "source_name": entry.source_name,
        "category": entry.category,
        "pipeline_id": entry.pipeline_id,
        "created_at": entry.created_at,
        "metadata": entry.metadata,
        "account_id": call.account.id,
        "_links": call.href(f"/api/v4/leads/unsorted/{entry.uid}"),
        "_embedded": embedded,
    }


def _known(call: Call) -> Entry:
    entry: Entry | None = call.account.unsorted.get(call.uid)
    if entry is None:
        raise refuse(404, "Not Found")
    return entry


def listing(call: Call) -> Reply:
    return page(call, "unsorted", call.account.unsorted.values(), lambda entry: _view(call, entry))


def one(call: Call) -> Reply:
    return hal(_view(call, _known(call)))


def accept(call: Call) -> Reply:
    entry = _known(call)
    wanted = call.object() if call.request.body.strip() else {}
    lead = call.account.tables["leads"][entry.lead_id]
    pipeline, status_id = call.account.pipelines[lead["pipeline_id"]], wanted.get("status_id")
    status = pipeline.status(status_id) if status_id else pipeline.first
    user = call.account.users.get(wanted.get("user_id", call.user.id))
    if status is None or status.type == 1 or user is None or not user.is_active:
        return problem(400, "Request validation failed")
    body = _view(call, entry)
    lead.props["responsible_user_id"] = user.id
    take_in(call, lead, status.id)
    return hal(body)


def decline(call: Call) -> Reply:
    """The lead goes to the bin."""
    body = _view(call, _known(call))
    entry = call.account.forget_unsorted(call.uid)
    call.account.tables["leads"][entry.lead_id].props["is_deleted"] = True
    return hal(body)


def link_chat(call: Call) -> Reply:
    _known(call)
    return problem(400, "Only chats can be linked")


def summary(call: Call) -> Reply:
    entries = call.account.unsorted.values()
    categories = {name: {"total": sum(e.category == name for e in entries)} for name in ("forms", "sip")}
    return hal({"total": len(entries), "accepted": 0, "declined": 0, "categories": categories})


def not_here(call: Call) -> Reply:
    """Only forms and calls can be created: POST /leads/unsorted itself is 405 (I#69)."""
    return problem(405, "Method Not Allowed")
