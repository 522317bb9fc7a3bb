"""How a lead comes in: at once, through the queue, merged with an earlier one (reference 4.2, 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.envybox.call import Call, to_int
from connectors.sandbox.envybox.contacts import keys_of, phone_digits
from connectors.sandbox.envybox.conversion import take
from connectors.sandbox.envybox.errors import Refused
from connectors.sandbox.envybox.logs import write_log
from connectors.sandbox.envybox.model import CUSTOM, DEAL, LEAD, Crm, Lead

if TYPE_CHECKING:
    from connectors.sandbox.envybox.sandbox import EnvySandbox

TEXTS = ("name", "email", "comment", "google_client_id", "yandex_client_id")
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
REGIONS = {"Москва": "UTC+03:00", "Новосибирская область": "UTC+07:00", "Казахстан": "UTC+05:00"}
MERGED_LOG = 15


def set_lead(call: Call) -> dict[str, Any]:
    """lead/set: the id at once, and the parent's where there is one."""
    check(call)
    lead = make(call, call.switches["merge_lag"])
    return {"id": lead.id, "parent_id": lead.parent_id}


def queue_lead(call: Call) -> dict[str, Any]:
    """lead/workset: no id; the queue makes it later, never beside an equal one."""
    check(call)
    call.crm.queue.append((call.now + call.switches["workset_delay"], call.params))
    return {}


def catch_up(box: EnvySandbox, crm: Crm) -> None:
    """What the queue and the automatic intake owe by now."""
    now = box.clock.now()
    due = [params for at, params in crm.queue if at <= now]
    crm.queue = [(at, params) for at, params in crm.queue if at > now]
    for params in due:
        make(Call(box, crm, params), 0.0)
    ready = [lead_id for at, lead_id in crm.intake if at <= now]
    crm.intake = [(at, lead_id) for at, lead_id in crm.intake if at > now]
    for lead in (crm.leads[lead_id] for lead_id in ready):
        if not lead.deals and lead.deleted_at is None:
            take(Call(box, crm, {}), lead, lead.user_id, lead.employee_id)


def check(call: Call) -> None:
    values = call.object("values")
    if call.text("method") != "create" or not values:
        raise Refused("BAD_REQUEST")
    if call.switches["no_contacts"] == "refuse" and not (values.get("phone") or values.get("email")):
        raise Refused("BAD_REQUEST")
    known: dict[str, dict[int, Any]] = {
        "pipeline_id": call.crm.pipelines,
        "employee_id": call.crm.employees,
        "inbox_type_id": call.crm.inbox_types,
    }
    for name, rows in known.items():
        if call.number(name) and call.number(name) not in rows and call.switches["unknown_ids"] == "refuse":
            raise Refused("BAD_REQUEST")


def make(call: Call, lag: float) -> Lead:
    crm, now = call.crm, call.now
    lead = _lead(call)
    parent = _parent(crm, lead, now - lag)
    crm.leads[lead.id] = lead
    for key in lead.keys:
        crm.leads_of[key].append(lead.id)
    if parent:
        _merge(call, lead, parent)
    elif call.switches["auto_intake"]:
        crm.intake.append((now + call.switches["auto_intake"], lead.id))
    call.box.happened(crm, "create_lead", lead.id)
    return lead


def _lead(call: Call) -> Lead:
    crm, values = call.crm, call.object("values")
    own = crm.primary(LEAD)
    line = crm.pipelines.get(call.number("pipeline_id")) or crm.primary(DEAL)
    stage = call.number("stage_id") if call.switches["lead_stage_id"] else 0
    inbox = call.number("inbox_type_id")
    lead = Lead(
        id=crm.new_id(),
        created_at=call.now,
        stage_updated_at=call.now,
        stage_id=own.first.id,
        pipeline_id=own.id,
        deal_pipeline_id=line.id,
        deal_stage_id=stage if stage in line.stages else line.first.id,
        employee_id=call.number("employee_id") if call.number("employee_id") in crm.employees else 0,
        inbox_type_id=inbox if inbox in crm.inbox_types else next(iter(crm.inbox_types)),
        tags=[str(tag) for tag in call.params.get("tags") or []],
        contacts=call.rows("contact_data"),
        record_link=call.text("record_link"),
        visit_id=call.number("visit_id"),
    )
    lead.user_id = crm.user_id if lead.employee_id else 0
    lead.service = _service(call, values)
    known = crm.inputs[LEAD, CUSTOM]
    for row in values.get("custom") or []:
        if isinstance(row, dict) and to_int(row.get("input_id")) in known:
            lead.custom[to_int(row["input_id"])] = row.get("value")
    more = [row for row in lead.contacts if row.get("type") in ("work_phone", "mobile_phone", "home_phone")]
    mails = [row.get("value") for row in lead.contacts if row.get("type") == "email"]
    phones = [values.get("phone"), *(row.get("value") for row in more)]
    lead.keys = keys_of(phones, [values.get("email"), *mails])
    return lead


def _service(call: Call, values: dict[str, Any]) -> dict[str, Any]:
    """The time zone wins over the region, the region over the visit; UTC+03:00 is the default."""
    found = {name: str(values[name]) for name in (*TEXTS, *UTM) if values.get(name) not in (None, "")}
    if values.get("phone"):
        found["phone"] = phone_digits(values["phone"])
    region = call.text("region") or (
        "Москва" if call.number("visit_id") and not call.text("timezone") else ""
    )
    if region:
        found["ip_place_id"] = region
    found["timezone"] = call.text("timezone") or REGIONS.get(region, "UTC+03:00")
    return found


def _parent(crm: Crm, lead: Lead, before: float) -> Lead | None:
    """An earlier lead of the same person that nobody took into work yet."""
    numbers = sorted({number for key in lead.keys for number in crm.leads_of.get(key, ())})
    for other in (crm.leads[number] for number in numbers):
        if not (other.deals or other.parent_id or other.deleted_at) and other.created_at <= before:
            return other
    return None


def _merge(call: Call, lead: Lead, parent: Lead) -> None:
    lead.parent_id = parent.id
    parent.merged.append(lead.id)
    parent.tags += [tag for tag in lead.tags if tag not in parent.tags]
    text, where = lead.service.get("comment", ""), call.switches["merge_comment"]
    data = {"lead_id": lead.id}
    if where == "log":
        data["comment"] = lead.service.pop("comment", "")
    if where == "parent":
        parent.service["comment"] = "\n".join(filter(None, (parent.service.get("comment"), text)))
        lead.service.pop("comment", None)
    write_log(call, LEAD, parent.id, MERGED_LOG, data)
