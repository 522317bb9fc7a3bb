"""What people do in the interface, where the API has no word for it (reference 4.3, 5.3, 7, 11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.amocrm.model import LOST, WON, Account, Card

if TYPE_CHECKING:
    from connectors.sandbox.amocrm.sandbox import AmoSandbox

MOVABLE = {"step_id": "status_id", "pipeline_id": "pipeline_id", "price": "price"} | {
    "loss_reason_id": "loss_reason_id",
    "user_id": "responsible_user_id",
}


def move(box: AmoSandbox, account: Account, arguments: dict[str, Any]) -> None:
    """Another step, pipeline, sum or responsible person; a reason only together with a loss (4.3)."""
    lead = _lead(account, arguments)
    before = dict(lead.props)
    lead.props |= {MOVABLE[name]: value for name, value in arguments.items() if name in MOVABLE}
    closed = lead["status_id"] in (WON, LOST)
    lead.props |= {"closed_at": box.clock.unix() if closed else None, "updated_at": box.clock.unix()}
    if lead["status_id"] != LOST:
        lead.props["loss_reason_id"] = None
    account.leads.touched(lead, box.clock.now())
    changed = {name for name in before if lead.props[name] != before[name]}
    if changed & {"status_id", "pipeline_id"}:
        box.happened(account, "status_lead", lead, account.admin.id, before)
    if "responsible_user_id" in changed:
        box.happened(account, "responsible_lead", lead, account.admin.id, before)
    box.happened(account, "update_lead", lead, account.admin.id)


def delete(box: AmoSandbox, account: Account, arguments: dict[str, Any]) -> None:
    """Into the bin, from which it can be taken."""
    lead = _lead(account, arguments)
    lead.props["is_deleted"] = True
    box.happened(account, "delete_lead", lead, account.admin.id)


def restore(box: AmoSandbox, account: Account, arguments: dict[str, Any]) -> None:
    lead = _lead(account, arguments)
    lead.props["is_deleted"] = False
    box.happened(account, "restore_lead", lead, account.admin.id)


def merge(box: AmoSandbox, account: Account, arguments: dict[str, Any]) -> None:
    """`lead_id` goes into `into`, which keeps its own values and takes those that it lacks (5.3)."""
    gone, kept = _lead(account, arguments), account.leads[arguments["into"]]
    kept.values = {**gone.values, **kept.values}
    kept.props["updated_at"] = box.clock.unix()
    account.leads.touched(kept, box.clock.now())
    gone.props["is_deleted"], gone.hidden = True, True  # not even in the bin
    box.happened(account, "delete_lead", gone, account.admin.id)
    box.happened(account, "update_lead", kept, account.admin.id)


def copy(box: AmoSandbox, account: Account, arguments: dict[str, Any]) -> dict[str, int]:
    """Another lead with the same fields, contacts and step, made just now."""
    lead, now = _lead(account, arguments), box.clock.unix()
    props = {**lead.props, "created_at": now, "updated_at": now}
    values = {number: list(items) for number, items in lead.values.items()}
    card = Card("leads", box.ids.next("leads"), props, values, dict(lead.tags))
    account.leads.insert(card, box.clock.now())
    for (kind, number), told in lead.links.items():
        account.link(card, account.tables[kind][number], **told)
    box.happened(account, "add_lead", card, account.admin.id)
    return {"lead_id": card.id}


def _lead(account: Account, arguments: dict[str, Any]) -> Card:
    lead: Card = account.leads[arguments["lead_id"]]
    return lead


# -- contacts ---------------------------------------------------------------------------------------------


def import_contacts(box: AmoSandbox, account: Account, arguments: dict[str, Any]) -> None:
    """So many a day ago, from a file: `phone` has a place for the number, counted from `first`."""
    field, first = account.fields["contacts"].by_code["PHONE"], arguments.get("first", 1)
    now = box.clock.unix() - 24 * 3600
    for number in range(first, first + arguments["count"]):
        props: dict[str, Any] = {"name": f"Контакт {number}", "first_name": "", "last_name": ""}
        props |= {"responsible_user_id": account.admin.id, "group_id": 0, "is_deleted": False}
        props |= {"created_by": account.admin.id, "updated_by": account.admin.id, "closest_task_at": None}
        props |= {"created_at": now, "updated_at": now}
        card = Card("contacts", box.ids.next("contacts"), props)
        card.values[field.id] = [{"value": str(arguments["phone"]).format(number), "enum_code": "WORK"}]
        account.contacts.insert(card, box.clock.now())


def delete_contact(box: AmoSandbox, account: Account, arguments: dict[str, Any]) -> None:
    contact: Card = account.contacts[arguments["contact_id"]]
    contact.props["is_deleted"] = True
    box.happened(account, "delete_contact", contact, account.admin.id)


def restore_contact(box: AmoSandbox, account: Account, arguments: dict[str, Any]) -> None:
    contact: Card = account.contacts[arguments["contact_id"]]
    contact.props["is_deleted"] = False
    box.happened(account, "restore_contact", contact, account.admin.id)


def change_phone(box: AmoSandbox, account: Account, arguments: dict[str, Any]) -> None:
    """Another phone in place of all that there are. Whether that moves `updated_at` is UNCONFIRMED."""
    contact: Card = account.contacts[arguments["contact_id"]]
    field = account.fields["contacts"].by_code["PHONE"]
    contact.values[field.id] = [{"value": str(arguments["phone"]), "enum_code": "WORK"}]
    _changed(box, account, contact, "phone_is_a_change")
    box.list_event(account, f"custom_field_{field.id}_value_changed", contact, account.admin.id)


def merge_contacts(box: AmoSandbox, account: Account, arguments: dict[str, Any]) -> None:
    """`contact_id` goes into `into`, which takes its phones, e-mails and leads."""
    gone, kept = account.contacts[arguments["contact_id"]], account.contacts[arguments["into"]]
    for number, items in gone.values.items():
        has = {item["value"] for item in kept.values.get(number, [])}
        kept.values[number] = kept.values.get(number, []) + [i for i in items if i["value"] not in has]
    for (kind, number), told in list(gone.links.items()):
        other = account.tables[kind][number]
        account.unlink(gone, other)
        account.link(kept, other, **told)
    gone.props["is_deleted"], gone.hidden = True, True
    _changed(box, account, kept, "merge_is_a_change")
    merged = [{"entity": {"id": card.id, "type": "contact"}} for card in (gone, kept)]
    box.list_event(account, "entity_merged", kept, account.admin.id, value_before=merged)


def _changed(box: AmoSandbox, account: Account, contact: Card, switch: str) -> None:
    if box.switches[switch]:
        contact.props["updated_at"] = box.clock.unix()
    account.contacts.touched(contact, box.clock.now())
    box.happened(account, "update_contact", contact, account.admin.id)
