"""main/data: everything about the account in one answer, the key included (reference 4.1)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.envybox.call import Call
from connectors.sandbox.envybox.model import CLIENT, CUSTOM, DEAL, LEAD, Pipeline
from connectors.sandbox.envybox.show import BORN, Writer, moment


def main_data(call: Call) -> dict[str, Any]:
    crm, switches = call.crm, call.switches
    body = {
        "id": crm.id,
        "user_id": crm.user_id,
        "callback_id": 7000 + crm.id,
        "name": crm.name,
        "api_key": crm.key,
        **_dates(call, None),
        "inbox_types": [_inbox(call, one) for one in crm.inbox_types.values()],
        switches["employees_key"]: [_employee(one) for one in crm.employees.values()],
        "lead": _element(call, LEAD),
        "client": {"custom_fields": _inputs(call, CLIENT)},
        "deal": _element(call, DEAL),
    }
    return {switches["wrapper"]: body} if switches["wrapper"] else body


def _employee(person: Any) -> dict[str, Any]:
    return {**vars(person), "user_logo": "", "crm_phone_number": None}


def _inbox(call: Call, one: Any) -> dict[str, Any]:
    own = {"crm_id": call.crm.id, "edit": True, "editing": False, "edit_id": None}
    return {**vars(one), **own, **_dates(call, one.deleted_at)}


def _dates(call: Call, deleted_at: float | None) -> dict[str, Any]:
    return {"created_at": BORN, "updated_at": BORN, "deleted_at": moment(deleted_at, call.switches)}


def _element(call: Call, element: int) -> dict[str, Any]:
    return {
        "pipelines": [_line(call, line) for line in call.crm.lines(element)],
        "custom_fields": _inputs(call, element),
    }


def _line(call: Call, line: Pipeline) -> dict[str, Any]:
    stages = {
        str(stage.id): {**vars(stage), "pipeline_id": line.id, "no_delete": 0}
        | ({"type_id": 1} if line.element == LEAD else {})
        | _dates(call, stage.deleted_at)
        for stage in line.stages.values()
    }
    return {
        "id": line.id,
        "crm_id": call.crm.id,
        "crm_element_id": line.element,
        "name": line.name,
        "allow_manual_change_stage": line.manual,
        "primary": line.primary,
        **_dates(call, line.deleted_at),
        "stages": stages,
    }


def _inputs(call: Call, element: int) -> list[dict[str, Any]]:
    writer = Writer(call.crm, call.switches)
    more = {"id_group": 1, "group_name": "Основное", "group_position": 1}
    more |= {"group_pipeline_id": None, "edit_variant": False}
    return [writer.input(one) | more for one in call.crm.inputs[element, CUSTOM].values()]
