"""What only a person in Envybox's interface can do: the Envybox part of the control API."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from connectors.sandbox.envybox.call import Call
from connectors.sandbox.envybox.conversion import take
from connectors.sandbox.envybox.deals import put
from connectors.sandbox.envybox.model import CUSTOM, DEAL, Crm
from connectors.sandbox.envybox.seed import add_input

if TYPE_CHECKING:
    from connectors.sandbox.envybox.sandbox import EnvySandbox

Arguments = dict[str, Any]
SETTABLE = ("name", "webhook_url", "key")


def run(box: EnvySandbox, operation: str, arguments: Arguments) -> Any:
    """LookupError for an unknown operation, account or object."""
    if operation not in OPERATIONS:
        raise LookupError(f"no such operation: {operation}; there are {', '.join(OPERATIONS)}")
    return OPERATIONS[operation](box, crm_of(box, arguments), arguments)


def crm_of(box: EnvySandbox, arguments: Arguments) -> Crm:
    """By `account`: id, name or host; without it, the first one."""
    wanted = str(arguments.get("account", next(iter(box.crms), "")))
    for crm in box.crms.values():
        if wanted in (str(crm.id), crm.subdomain, crm.host):
            return crm
    raise LookupError(f"no such account: {wanted}")


def _key(box: EnvySandbox, crm: Crm, arguments: Arguments) -> Any:
    return {"api_key": crm.key}


def _revoke(box: EnvySandbox, crm: Crm, arguments: Arguments) -> Any:
    """The owner makes a new key: the old one is wrong from now on."""
    crm.key = secrets.token_hex(16)
    return {"api_key": crm.key}


def _change(box: EnvySandbox, crm: Crm, arguments: Arguments) -> None:
    for name, value in arguments.items():
        if name in SETTABLE:
            setattr(crm, name, value)
        elif name != "account":
            raise LookupError(f"{name} can't be set")


def _delete(box: EnvySandbox, crm: Crm, arguments: Arguments) -> None:
    """`kind` (lead, deal, client, pipeline, stage, input, inbox_type) and `id`: a soft deletion."""
    number = int(arguments["id"])
    rows: dict[str, Any] = {"lead": crm.leads, "deal": crm.deals, "client": crm.clients}
    rows |= {"pipeline": crm.pipelines, "inbox_type": crm.inbox_types}
    rows["stage"] = {key: stage for line in crm.pipelines.values() for key, stage in line.stages.items()}
    rows["input"] = {key: one for fields in crm.inputs.values() for key, one in fields.items()}
    if number not in rows.get(arguments["kind"], {}):
        raise LookupError(f"no such {arguments['kind']}: {number}")
    rows[arguments["kind"]][number].deleted_at = box.clock.now()


def _take(box: EnvySandbox, crm: Crm, arguments: Arguments) -> Any:
    """Somebody takes the lead `id` into work; `employee_id` is who, else the deal is open to all."""
    call, employee = Call(box, crm, {}), int(arguments.get("employee_id", 0))
    lead = crm.leads[int(arguments["id"])]
    lead = crm.leads[lead.parent_id] if lead.parent_id else lead
    if lead.deals or lead.deleted_at is not None:
        raise LookupError(f"lead {lead.id} can't be taken into work")
    return {"deal_id": take(call, lead, crm.user_id if employee else 0, employee).id}


def _move(box: EnvySandbox, crm: Crm, arguments: Arguments) -> None:
    """Somebody moves the deal `id` to the stage `stage_id`, of whichever funnel."""
    stage = int(arguments["stage_id"])
    line = next((line for line in crm.lines(DEAL) if stage in line.stages), None)
    if line is None:
        raise LookupError(f"no such stage: {stage}")
    put(Call(box, crm, {}), crm.deals[int(arguments["id"])], line, stage)


def _forget(box: EnvySandbox, crm: Crm, arguments: Arguments) -> None:
    """Gone without a trace: a row of main/data that is there in one call and not in the next."""
    rows: dict[str, Any] = {"employee": crm.employees, "inbox_type": crm.inbox_types}
    rows |= {"pipeline": crm.pipelines}
    for (_, kind), fields in crm.inputs.items():
        if kind == CUSTOM and int(arguments["id"]) in fields:
            del fields[int(arguments["id"])]
            return
    if int(arguments["id"]) not in rows.get(arguments["kind"], {}):
        raise LookupError(f"no such {arguments['kind']}: {arguments['id']}")
    del rows[arguments["kind"]][int(arguments["id"])]


def _manual(box: EnvySandbox, crm: Crm, arguments: Arguments) -> None:
    """Whether people may change the stages of a funnel by hand."""
    crm.pipelines[int(arguments["id"])].manual = bool(arguments["allowed"])


def _add_input(box: EnvySandbox, crm: Crm, arguments: Arguments) -> Any:
    made = add_input(crm, int(arguments["element"]), str(arguments["name"]), int(arguments.get("type_id", 2)))
    return {"id": made.id}


def _close_task(box: EnvySandbox, crm: Crm, arguments: Arguments) -> None:
    for task in crm.tasks:
        if task.id == int(arguments["id"]):
            task.success = True


OPERATIONS: dict[str, Callable[[Any, Crm, Arguments], Any]] = {
    "key": _key,
    "revoke": _revoke,
    "change": _change,
    "delete": _delete,
    "take": _take,
    "move": _move,
    "forget": _forget,
    "manual": _manual,
    "add_input": _add_input,
    "close_task": _close_task,
}
