"""From checked drafts to stored cards (reference 4.2 to 4.5)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.amocrm.drafts import Draft
from connectors.sandbox.amocrm.hal import Call
from connectors.sandbox.amocrm.model import LOST, SINGULAR, WON, Card

CLEARS = ("closed_at", "loss_reason_id", "visitor_uid")


def create(call: Call, draft: Draft) -> Card:
    account, now = call.account, call.now
    props: dict[str, Any] = {
        "name": "",
        "responsible_user_id": call.user.id,
        "group_id": 0,
        "created_by": call.user.id,
        "updated_by": call.user.id,
        "created_at": now,
        "updated_at": now,
        "closest_task_at": None,
        "is_deleted": False,
    }
    props |= _own_defaults(call, draft) | draft.props
    card = Card(draft.kind, call.box.ids.next(draft.kind), props)
    _name(card)
    _apply(call, card, draft)
    account.tables[draft.kind].insert(card, call.box.clock.now())
    call.box.happened(account, f"add_{SINGULAR[draft.kind]}", card, call.user.id)
    return card


def _own_defaults(call: Call, draft: Draft) -> dict[str, Any]:
    if draft.kind == "contacts":
        return {"first_name": "", "last_name": ""}
    if draft.kind == "customers":
        return {"next_price": 0, "next_date": None, "periodicity": None, "status_id": None, "ltv": 0}
    if draft.kind != "leads":
        return {}
    closed = call.now if draft.props.get("status_id") in (WON, LOST) else None
    return {"price": 0, "closed_at": closed, "loss_reason_id": None, "score": None, "labor_cost": None}


def _name(card: Card) -> None:
    if card.kind == "contacts" and not card.props["name"]:
        parts = (card.props["first_name"], card.props["last_name"])
        card.props["name"] = " ".join(part for part in parts if part)
    if card.kind == "leads" and not card.props["name"]:
        card.props["name"] = f"Сделка #{card.id}"


def _rename(card: Card, draft: Draft) -> None:
    if "first_name" in draft.props or "last_name" in draft.props:
        card.props["name"] = ""
        _name(card)


def update(call: Call, card: Card, draft: Draft) -> Card:
    """Changes only what is given; moves an incoming lead out of incoming (reference 4.3)."""
    before = dict(card.props)
    draft.props.setdefault("updated_at", call.now)
    draft.props.setdefault("updated_by", call.user.id)
    draft.props.pop("created_at", None)
    card.props.update(draft.props)
    if card.kind == "contacts" and "name" not in draft.props:
        _rename(card, draft)
    if card.kind == "leads":
        _moved(call, card, before)
    _apply(call, card, draft)
    call.account.tables[card.kind].touched(card, call.box.clock.now())
    call.box.happened(call.account, f"update_{SINGULAR[card.kind]}", card, call.user.id)
    return card


def _moved(call: Call, card: Card, before: dict[str, Any]) -> None:
    if card.incoming:
        take_in(call, card)
    if card["responsible_user_id"] != before["responsible_user_id"]:
        call.box.happened(call.account, "responsible_lead", card, call.user.id, before)
    if card["status_id"] == before["status_id"] and card["pipeline_id"] == before["pipeline_id"]:
        return
    closed = card["status_id"] in (WON, LOST)
    card.props["closed_at"] = call.now if closed else None
    call.box.happened(call.account, "status_lead", card, call.user.id, before)


def take_in(call: Call, card: Card, status_id: int | None = None) -> None:
    """An incoming lead becomes an ordinary one: a real stage, its contact visible."""
    pipeline = call.account.pipelines[card["pipeline_id"]]
    status = pipeline.status(status_id or card["status_id"])
    if status is None or status.type == 1:
        status = pipeline.first
    card.props["status_id"] = status.id
    if card.incoming in call.account.unsorted:
        call.account.forget_unsorted(card.incoming)
    card.incoming = None
    for kind in ("contacts", "companies"):
        for number in card.linked(kind):
            call.account.tables[kind][number].hidden = False


def _apply(call: Call, card: Card, draft: Draft) -> None:
    for number, items in draft.values.items():
        if items is None:
            card.values.pop(number, None)
        else:
            card.values[number] = items
    if draft.tags is not None:
        card.tags = dict.fromkeys(tag_ids(call, card.kind, draft.tags))
        if draft.old is None and call.box.switches["complex_first_tag_only"]:
            card.tags = dict.fromkeys(list(card.tags)[:1])
    card.tags |= dict.fromkeys(tag_ids(call, card.kind, draft.tags_to_add))
    for number in tag_ids(call, card.kind, draft.tags_to_delete):
        card.tags.pop(number, None)


def tag_ids(call: Call, kind: str, items: list[dict[str, Any]]) -> list[int]:
    known = call.account.tags[kind].by_id
    found = []
    for item in items:
        if "id" in item:
            found += [item["id"]] if item["id"] in known else []
        else:
            found.append(call.box.tag(call.account, kind, item["name"], item.get("color")).id)
    return found
