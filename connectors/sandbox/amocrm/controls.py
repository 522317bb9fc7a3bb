"""What only a person in the account, or time, can do: the amoCRM part of the control API."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from connectors.sandbox.amocrm import staff
from connectors.sandbox.amocrm.model import Account, DupControl, Field

if TYPE_CHECKING:
    from connectors.sandbox.amocrm.sandbox import AmoSandbox

Arguments = dict[str, Any]


def run(box: AmoSandbox, operation: str, arguments: Arguments) -> Any:
    """LookupError for an unknown operation, account or object."""
    if operation == "integration":
        return _integration(box, arguments)
    if operation not in OPERATIONS:
        raise LookupError(f"no such operation: {operation}; there are integration, {', '.join(OPERATIONS)}")
    return OPERATIONS[operation](box, account_of(box, arguments), arguments)


def account_of(box: AmoSandbox, arguments: Arguments) -> Account:
    """By `account`: id or subdomain; without it, the first one."""
    wanted = arguments.get("account", next(iter(box.accounts), None))
    found = box.accounts.get(wanted) if isinstance(wanted, int) else box.by_subdomain.get(str(wanted))
    if found is None:
        raise LookupError(f"no such account: {wanted}")
    return found


def _revoke(box: AmoSandbox, account: Account, arguments: Arguments) -> Any:
    return {"revoked": box.revoke(account, arguments.get("client_id"))}


def _expire(box: AmoSandbox, account: Account, arguments: Arguments) -> Any:
    box.expire(account)


def _issue(box: AmoSandbox, account: Account, arguments: Arguments) -> Any:
    return box.issue_tokens(account, account.users.get(arguments.get("user_id", 0)))


def _uninstall(box: AmoSandbox, account: Account, arguments: Arguments) -> Any:
    return {"hook_status": box.uninstall(account)}


def _rename(box: AmoSandbox, account: Account, arguments: Arguments) -> Any:
    box.rename(account, arguments["subdomain"], arguments.get("port"))
    return {"subdomain": account.subdomain, "host": account.host, "port": account.port}


def _delete_field(box: AmoSandbox, account: Account, arguments: Arguments) -> Any:
    if account.fields[arguments.get("entity", "leads")].remove(arguments["field_id"]) is None:
        raise LookupError("no such field")


def _deactivate_user(box: AmoSandbox, account: Account, arguments: Arguments) -> Any:
    account.users[arguments["user_id"]].is_active = bool(arguments.get("active", False))


def _delete_step(box: AmoSandbox, account: Account, arguments: Arguments) -> Any:
    """Its leads go to the first stage (reference 3.3)."""
    pipeline = account.pipelines[arguments["pipeline_id"]]
    status = pipeline.status(arguments["step_id"])
    if status is None or not status.is_editable:
        raise LookupError("no such step that can be deleted")
    pipeline.statuses.remove(status)
    for lead in account.leads.values():
        if (lead["pipeline_id"], lead["status_id"]) == (pipeline.id, status.id):
            lead.props["status_id"] = pipeline.first.id


def _change(box: AmoSandbox, account: Account, arguments: Arguments) -> Any:
    """Attributes of the account: customers_mode, is_unsorted_on, is_api_filter_enabled, tariff_ended…"""
    allowed = {
        "customers_mode", "is_unsorted_on", "is_api_filter_enabled", "tariff_ended", "blocked", "timezone",
        "country", "name",
    }  # fmt: skip
    for name, value in arguments.get("set", {}).items():
        if name not in allowed:
            raise LookupError(f"{name} can't be set")
        setattr(account, name, value)
    if not account.blocked:
        box.limits.forget(account.id)


def _dup_control(box: AmoSandbox, account: Account, arguments: Arguments) -> Any:
    chosen = {name: value for name, value in arguments.items() if name != "account"}
    if chosen.get("statuses") is not None:
        chosen["statuses"] = {(pair[0], pair[1]) for pair in chosen["statuses"]}
    account.dup_control = DupControl(**{"enabled": True, **chosen})


def _state(box: AmoSandbox, account: Account, arguments: Arguments) -> Any:
    """What a test needs to know to write a rule: ids of people, pipelines, steps, fields. ``pairs``: how many
    were ever given out."""
    return {
        "id": account.id,
        "subdomain": account.subdomain,
        "host": account.host,
        "port": account.port,
        "users": {user.id: user.name for user in account.users.values()},
        "pipelines": {
            pipeline.id: {status.id: status.name for status in pipeline.statuses}
            for pipeline in account.pipelines.values()
        },
        "fields": {kind: [_field(one) for one in fields] for kind, fields in account.fields.items()},
        "tags": {
            kind: {tag.id: tag.name for tag in tags.by_id.values()} for kind, tags in account.tags.items()
        },
        "counts": {kind: len(cards) for kind, cards in account.tables.items()},
        "pairs": sum(pair.account_id == account.id for pair in box.tokens.by_access.values()),
    }


def _field(field: Field) -> Arguments:
    enums = {enum.id: enum.value for enum in field.enums or ()}
    return {"id": field.id, "name": field.name, "type": field.type, "code": field.code, "enums": enums}


def _end_task(box: AmoSandbox, account: Account, arguments: Arguments) -> None:
    """`task_id` is done, with a `result`; or `delete`d."""
    if arguments.get("delete"):
        del account.tasks[arguments["task_id"]]
        return
    task = account.tasks[arguments["task_id"]]
    task.is_completed, task.result = True, str(arguments.get("result", ""))
    task.updated_at = box.clock.unix()


def _integration(box: AmoSandbox, arguments: Arguments) -> Any:
    """The settings of our integration, as its owner would change them; answers what they are."""
    allowed = {"client_id", "client_secret", "redirect_uri", "uninstall_url", "kind", "name"}
    for name, value in arguments.items():
        if name not in allowed:
            raise LookupError(f"{name} can't be set")
        setattr(box.integration, name, value)
    box.integrations[box.integration.client_id] = box.integration
    shown = ("client_id", "redirect_uri", "uninstall_url", "kind", "name")
    return {name: getattr(box.integration, name) for name in shown}


OPERATIONS: dict[str, Callable[[AmoSandbox, Account, Arguments], Any]] = {
    "revoke": _revoke,
    "expire": _expire,
    "issue_tokens": _issue,
    "uninstall": _uninstall,
    "rename": _rename,
    "delete_field": _delete_field,
    "deactivate_user": _deactivate_user,
    "delete_step": _delete_step,
    "move_lead": staff.move,
    "delete_lead": staff.delete,
    "restore_lead": staff.restore,
    "merge_leads": staff.merge,
    "copy_lead": staff.copy,
    "import_contacts": staff.import_contacts,
    "delete_contact": staff.delete_contact,
    "restore_contact": staff.restore_contact,
    "merge_contacts": staff.merge_contacts,
    "change_phone": staff.change_phone,
    "end_task": _end_task,
    "change": _change,
    "dup_control": _dup_control,
    "state": _state,
}
