"""Rows as Envybox writes them: moments without a zone, ids as strings or numbers, PHP's empty arrays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.sandbox.envybox.contacts import phone_digits
from connectors.sandbox.envybox.model import (
    CLIENT,
    CUSTOM,
    DEAL,
    LEAD,
    SERVICE,
    Card,
    Client,
    Contact,
    Crm,
    Deal,
    Input,
    Lead,
    Log,
    Task,
)

BORN = "2020-01-01 10:00:00"  # of what the account was set up with
HOURS = {"UTC": 0, "Moscow": 3}
PLAIN = ("status_code", "limit", "offset", "max_colls_contacts")
LEAD_COLUMNS = (
    *("id", "parent_id", "stage_id", "user_id", "employee_id", "department_id", "pipeline_id"),
    *("deal_pipeline_id", "deal_stage_id", "inbox_type_id"),
)
# Rows of leads and the list of clients are shown with texts; where the scan lost the digits, numbers are INF.
PRINT_TEXTS = frozenset({"lead/get", "lead/search", "lead/list", "client/list"})
OWNER = {LEAD: "lead_id", CLIENT: "client_id", DEAL: "deal_id"}


def moment(at: float | None, switches: Mapping[str, Any]) -> str | None:
    if at is None:
        return None
    local = datetime.fromtimestamp(at, UTC) + timedelta(hours=HOURS[switches["zone"]])
    return f"{local:%Y-%m-%d %H:%M:%S}"


def styled(value: Any, as_texts: bool, key: str = "") -> Any:
    """Ids, counts and flags as texts, or as numbers; columns that are texts by themselves stay so."""
    if isinstance(value, dict):
        return {name: styled(one, as_texts, name) for name, one in value.items()}
    if isinstance(value, list):
        return [styled(one, as_texts) for one in value]
    if isinstance(value, bool):
        value = int(value)
    return str(value) if as_texts and isinstance(value, int) and key not in PLAIN else value


def prints_texts(method: str, switches: Mapping[str, Any]) -> bool:
    """Does this method print ids and flags as texts? Examples are from different years (reference 1.6)."""
    return switches["ids"] == "strings" or (switches["ids"] == "printed" and method in PRINT_TEXTS)


class Writer:
    """Writes the rows of one account."""

    def __init__(self, crm: Crm, switches: Mapping[str, Any]) -> None:
        self.crm, self.switches = crm, switches

    def dates(self, row: Any, *more: str) -> dict[str, Any]:
        names = ("created_at", "updated_at", "deleted_at", *more)
        dates = {name: getattr(row, name, None) for name in names}
        dates["updated_at"] = dates["updated_at"] or dates["created_at"]
        return {name: moment(at, self.switches) for name, at in dates.items()}

    def lead(self, lead: Lead) -> dict[str, Any]:
        stage = self.crm.stage(lead.stage_id)
        return {
            **{name: getattr(lead, name) for name in LEAD_COLUMNS},
            "crm_id": self.crm.id,
            "old_employee_id": None,
            "it_reaction": 0,
            "in_call": 0,
            "link_client_id": lead.client_id or None,
            "status": 1 if lead.deals else 2,
            "stage": stage.name if stage else "",
            "stage_color": stage.color if stage else "",
            "status_id": stage.status_id if stage else 0,
            "name": lead.service.get("name", ""),
            "phone": lead.service.get("phone", ""),
            "mask": None,
            "email": lead.service.get("email", ""),
            "values": self.values(lead, LEAD),
            "deals": [str(deal) for deal in lead.deals],
            **self.dates(lead, "stage_updated_at"),
        }

    def deal(self, deal: Deal, *, full: bool = True) -> dict[str, Any]:
        names = ("id", "pipeline_id", "client_id", "stage_id", "user_id", "employee_id", "department_id")
        row = {name: getattr(deal, name) for name in (*names, "inbox_type_id")} | {"crm_id": self.crm.id}
        row |= {"old_employee_id": None, "it_reaction": 0, "with_event": 0}
        row |= self.dates(deal, "stage_updated_at")
        if not full:
            return row
        stage = self.crm.stage(deal.stage_id)
        owner = self.crm.clients.get(deal.client_id)
        return row | {
            "stage_name": stage.name if stage else "",
            "stage": stage.name if stage else "",
            "stage_color": stage.color if stage else "",
            "status_id": stage.status_id if stage else 0,
            "name": deal.service.get("name", ""),
            "client_name": owner.service.get("name", "") if owner else "",
            "connected_lead_id": deal.leads,
            "values": self.values(deal, DEAL),
        }

    def client(self, client: Client) -> dict[str, Any]:
        rows = self.contacts(client)
        first = {group: next((r["value"] for r in rows if r["group_id"] == group), "") for group in (1, 2)}
        return {
            "id": client.id,
            "crm_id": self.crm.id,
            "name": client.service.get("name", ""),
            "phone": first[1],
            "email": first[2],
            "values": self.values(client, CLIENT),
            "contacts": rows,
            "deals": [self.deal(one, full=False) for one in self.deals_of(client)],
            **self.dates(client),
        }

    def deals_of(self, client: Client) -> list[Deal]:
        deals = (self.crm.deals[number] for number in client.deals)
        return [deal for deal in deals if deal.deleted_at is None]

    def contacts(self, client: Client) -> list[dict[str, Any]]:
        return [row for contact in client.contacts for row in self.contact(client, contact)]

    def contact(self, client: Client, contact: Contact) -> list[dict[str, Any]]:
        """A row for each phone and e-mail, all with the person's id."""
        channels = [(1, 1, phone_digits(one)) for one in contact.phones] + [
            (4, 2, one) for one in contact.emails
        ]
        base = {"id": contact.id, "crm_id": self.crm.id, "client_id": client.id, "name": contact.name}
        base |= {
            "birthday": contact.more.get("birthday"),
            "primary": contact is client.contacts[0],
            "addon": "",
            "element_note": None,
        }
        return [
            {**base, "type_id": kind, "value": value, "group_id": group, **self.dates(contact)}
            for kind, group, value in channels
        ]

    def values(self, card: Card, element: int) -> dict[str, Any]:
        service = self.crm.inputs[element, SERVICE].values()
        known = {one.name_id: self.value(card, one, card.service.get(one.name_id)) for one in service}
        custom = self.crm.inputs[element, CUSTOM]
        own = {
            custom[number].name_id: self.value(card, custom[number], value)
            for number, value in card.custom.items()
            if number in custom
        }
        return {
            "service": {name: row for name, row in known.items() if row["value"] not in (None, "")},
            "custom": own or [],
        }

    def value(self, card: Card, one: Input, value: Any) -> dict[str, Any]:
        only_leads = {"generated": 0} if one.element == LEAD else {}
        return {
            "id": card.id * 100 + one.id % 100,
            "crm_id": self.crm.id,
            OWNER[one.element]: card.id,
            "input_id": one.id,
            "type_id": one.type_id,
            "value": value,
            "mask": None,
            **only_leads,
            "name": one.name,
            "name_id": one.name_id,
            **self.dates(card),
        }

    def input(self, one: Input) -> dict[str, Any]:
        """A field; those of the CRM lack what belongs to an account."""
        row: dict[str, Any] = {"id": one.id, "name": one.name, "name_id": one.name_id, "type_id": one.type_id}
        row |= {"crm_element_id": one.element, "group_id": 1, "required": one.required, "value": ""}
        row |= {"description": "", "position": one.id % 100}
        row |= {"created_at": BORN, "updated_at": BORN, "deleted_at": moment(one.deleted_at, self.switches)}
        if one.value_type == SERVICE:
            return row
        shown = ("show_in_card", "show_in_element", "show_in_create", "show_in_inbox", "show_all_pipelines")
        return row | {
            "crm_id": self.crm.id,
            "pipeline_id": one.pipeline_id,
            "addon": one.addon,
            "use_in_pipeline": one.use_in_pipeline,
            "required_stage_id": None,
            "transfer_type_id": None,
            "transfer_input_id": one.transfer_input_id,
            **dict.fromkeys(shown, 1),
        }

    def log(self, log: Log) -> dict[str, Any]:
        return {
            "id": log.id,
            "crm_id": self.crm.id,
            "crm_element_id": log.element,
            "element_id": log.element_id,
            "type_id": log.type_id,
            "data": log.data,
            "user_id": log.user_id,
            "employee_id": log.employee_id,
            "level": 1,
            **self.dates(log),
        }

    def task(self, task: Task, now: float) -> dict[str, Any]:
        return {
            "id": task.id,
            "crm_id": self.crm.id,
            "crm_element_id": DEAL,
            "element_id": task.deal_id,
            "type_id": 1,
            "priority": 0,
            "end_time": None,
            "duration": 0,
            "user_id": self.crm.user_id,
            "from_employee_id": 0,
            "required": 0,
            "it_reaction": 0,
            "time": moment(task.time, self.switches) if task.time else None,
            "to_employee_id": task.employee_id,
            "to_department_id": task.department_id,
            "comment": task.comment,
            "success": task.success,
            "no_time": not task.time,
            "is_overdue": bool(task.time and task.time < now),
            **self.dates(task),
        }
