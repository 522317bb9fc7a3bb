"""Taking a lead into work: the client, the deal, and what the deal's history keeps (reference 4.2, 5)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.envybox.call import Call
from connectors.sandbox.envybox.errors import Refused
from connectors.sandbox.envybox.logs import write_log
from connectors.sandbox.envybox.model import DEAL, LEAD, Client, Contact, Deal, Lead, Task
from connectors.sandbox.envybox.show import moment

COPIED = (
    *("name", "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"),
    *("google_client_id", "yandex_client_id"),
)
ATTACHED_LOG, FROM_LEAD_LOG = 14, 2014


def start(call: Call) -> dict[str, Any]:
    """lead/start; the child of a merge leads to its parent."""
    lead = call.lead()
    lead = call.crm.leads[lead.parent_id] if lead.parent_id else lead
    if lead.deleted_at is not None:
        raise Refused("NO_LEAD")
    if lead.deals:
        raise Refused("IN_WORK")
    user, employee = _who(call, lead)
    deal = take(call, lead, user, employee)
    result = {"lead_id": lead.id, "user_id": user, "employee_id": employee}
    return {"result": {**result, "client_id": deal.client_id, "deal_id": deal.id}}


def _who(call: Call, lead: Lead) -> tuple[int, int]:
    """Both 0: nobody. An employee needs the administrator's id, too; the administrator is employee 0."""
    if not call.has("user_id") and not call.has("employee_id"):
        return lead.user_id, lead.employee_id
    user, employee = call.number("user_id"), call.number("employee_id")
    if employee and (employee not in call.crm.employees or user != call.crm.user_id):
        raise Refused("BAD_REQUEST")
    if user and user != call.crm.user_id:
        raise Refused("BAD_REQUEST")
    return user, employee


def take(call: Call, lead: Lead, user: int, employee: int) -> Deal:
    crm, now = call.crm, call.now
    client = _known_client(call, lead)
    stage = "Существующий клиент" if client else "Новый клиент"
    client = client or _new_client(call, lead)
    service = {name: lead.service[name] for name in COPIED if name in lead.service}
    deal = Deal(
        id=crm.new_id(),
        created_at=now,
        stage_updated_at=now,
        service=service,
        client_id=client.id,
        pipeline_id=lead.deal_pipeline_id,
        stage_id=lead.deal_stage_id,
        user_id=user,
        employee_id=employee,
        inbox_type_id=lead.inbox_type_id,
        leads=[lead.id],
        tags=list(dict.fromkeys(lead.tags)),
    )
    crm.deals[deal.id] = deal
    if words := call.switches["task_of_start"]:
        crm.tasks.append(Task(crm.new_id(), deal.id, int(now) + 3600, words, employee, created_at=now))
    client.deals.append(deal.id)
    lead.deals.append(deal.id)
    lead.client_id, lead.updated_at, lead.stage_updated_at = client.id, now, now
    lead.stage_id = crm.pipelines[lead.pipeline_id].named(stage).id
    _transfer(call, lead, deal, client)
    _remember(call, lead, deal, client)
    call.box.happened(crm, "create_deal", deal.id)
    return deal


def _known_client(call: Call, lead: Lead) -> Client | None:
    found = sorted({call.crm.clients_of[key] for key in lead.keys if key in call.crm.clients_of})
    alive = [call.crm.clients[number] for number in found if call.crm.clients[number].deleted_at is None]
    return alive[0] if alive else None


def _new_client(call: Call, lead: Lead) -> Client:
    name = lead.service.get("name") or lead.service.get("phone") or lead.service.get("email") or "Без имени"
    client = add_client(call, name)
    phones = [lead.service["phone"]] if lead.service.get("phone") else []
    emails = [lead.service["email"]] if lead.service.get("email") else []
    contact = Contact(call.crm.new_id(), client.id, name, phones, emails, created_at=call.now)
    contact.more = {str(row.get("type")): row.get("value") for row in lead.contacts}
    client.contacts.append(contact)
    reachable(call, client, lead.keys)
    return client


def add_client(call: Call, name: str) -> Client:
    client = Client(call.crm.new_id(), call.now, {"name": name})
    call.crm.clients[client.id] = client
    return client


def reachable(call: Call, client: Client, keys: Any) -> None:
    client.keys |= set(keys)
    for key in keys:
        call.crm.clients_of.setdefault(key, client.id)


def _transfer(call: Call, lead: Lead, deal: Deal, client: Client) -> None:
    """A lead's field may name the client's or deal's field that it is copied into."""
    for number, value in lead.custom.items():
        target = call.crm.inputs[LEAD, 2][number].transfer_input_id
        if target in call.crm.inputs[DEAL, 2]:
            deal.custom[target] = value
        elif target is not None:
            client.custom[target] = value


def _remember(call: Call, lead: Lead, deal: Deal, client: Client) -> None:
    """The deal's history names the lead, with all its text; merged ones likewise."""
    children = [call.crm.leads[number] for number in lead.merged]
    for one in (lead, *children):
        data = {
            "lead_id": one.id,
            "lead_name": one.service.get("name", ""),
            "comment": _whole_text(one),
            "lead_create_date": moment(one.created_at, call.switches),
            "user": _user(call, deal),
        }
        write_log(call, DEAL, deal.id, FROM_LEAD_LOG, data)
    said = {"text": "Прикреплён к клиенту", "client_id": client.id, "deal_id": deal.id}
    write_log(call, LEAD, lead.id, ATTACHED_LOG, {**said, "client_name": client.service["name"]})


def _whole_text(lead: Lead) -> str:
    names = ("name", "phone", "email", "comment", "timezone")
    return "\n".join(str(lead.service[name]) for name in names if lead.service.get(name))


def _user(call: Call, deal: Deal) -> dict[str, str]:
    person = call.crm.employees.get(deal.employee_id)
    return {"img": "", "name": person.name if person else "Администратор", "profession": ""}
