"""What only a person at the portal, or time, can do: the Bitrix24 part of the control API."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from connectors.sandbox.bitrix24 import staff
from connectors.sandbox.bitrix24.model import Portal, UserField

if TYPE_CHECKING:
    from connectors.sandbox.bitrix24.sandbox import BitrixSandbox

Arguments = dict[str, Any]
SETTABLE = ("plan", "profile", "mode", "deleted", "overloaded", "status", "name")
APP = ("client_id", "client_secret", "redirect_uri", "events_url", "name")


def run(box: BitrixSandbox, operation: str, arguments: Arguments) -> Any:
    """LookupError for an unknown operation, portal or object."""
    if operation == "integration":
        return _integration(box, arguments)
    if operation not in OPERATIONS:
        raise LookupError(f"no such operation: {operation}; there are integration, {', '.join(OPERATIONS)}")
    return OPERATIONS[operation](box, portal_of(box, arguments), arguments)


def portal_of(box: BitrixSandbox, arguments: Arguments) -> Portal:
    """By `account`: id, name or member_id; without it, the first one."""
    wanted = str(arguments.get("account", next(iter(box.portals), "")))
    for portal in box.portals.values():
        if wanted in (str(portal.id), portal.subdomain, portal.host, portal.member_id):
            return portal
    raise LookupError(f"no such portal: {wanted}")


def _integration(box: BitrixSandbox, arguments: Arguments) -> Any:
    """The app card, as its owner would change it; answers what it says."""
    for name, value in arguments.items():
        if name not in APP:
            raise LookupError(f"{name} can't be set")
        setattr(box.app, name, value)
    box.apps[box.app.client_id] = box.app
    return {name: getattr(box.app, name) for name in APP if name != "client_secret"}


def _revoke(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> Any:
    return {"revoked": box.revoke(portal, arguments.get("client_id"))}


def _expire(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> None:
    box.expire(portal)


def _issue(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> Any:
    return box.issue_tokens(portal, portal.users.get(arguments.get("user_id", 0)))


def _install(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> None:
    box.install(portal)


def _uninstall(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> None:
    box.uninstall(portal, clean=bool(arguments.get("clean")))


def _update_app(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> None:
    box.update_app(portal, new_token=bool(arguments.get("new_token")))


def _forge(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> None:
    box.forge_uninstall(portal, str(arguments.get("application_token", "guessed")))


def _rename(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> Any:
    box.rename(portal, arguments["subdomain"], arguments.get("port"))
    return {"subdomain": portal.subdomain, "host": portal.host, "port": portal.port}


def _deactivate_user(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> None:
    portal.users[arguments["user_id"]].active = bool(arguments.get("active", False))


def _delete_field(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> None:
    fields = portal.fields[arguments.get("entity", "CRM_DEAL")]
    if fields.pop(arguments["field"], None) is None:
        raise LookupError("no such field")


def _delete_step(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> None:
    if portal.statuses.remove(arguments["entity_id"], arguments["status_id"]) is None:
        raise LookupError("no such step")


def _delete_pipeline(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> None:
    number = int(arguments["pipeline_id"])
    if number == 0 or portal.categories[2].pop(number, None) is None:
        raise LookupError("no such pipeline that can be deleted")
    portal.statuses.by_entity.pop(f"DEAL_STAGE_{number}", None)


def _change(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> None:
    """{"set": {...}}: plan, profile, mode, deleted, overloaded, status, name."""
    for name, value in arguments.get("set", {}).items():
        if name not in SETTABLE:
            raise LookupError(f"{name} can't be set; {', '.join(SETTABLE)} can")
        setattr(portal, name, value)


def _webhook(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> Any:
    return {"webhook": portal.add_webhook(portal.users.get(arguments.get("user_id", 0)))}


def _state(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> Any:
    """What a test needs to know to write a rule: ids of people, pipelines, steps and fields."""
    steps = portal.statuses.by_entity.items()
    return {
        "id": portal.id,
        "subdomain": portal.subdomain,
        "host": portal.host,
        "port": portal.port,
        "member_id": portal.member_id,
        "users": {user.id: user.full_name for user in portal.users.values()},
        "pipelines": {row.id: row.name for row in portal.categories[2].values()},
        "statuses": {entity: {row.status_id: row.name for row in rows.values()} for entity, rows in steps},
        "fields": {owner: [_field(row) for row in rows.values()] for owner, rows in portal.fields.items()},
        "counts": {kind: len(table) for kind, table in portal.tables.items()},
    }


def _field(field: UserField) -> Arguments:
    options = {option.id: option.value for option in field.options}
    row = {"id": field.id, "name": field.name, "label": field.label, "type": field.type}
    return row | {"multiple": field.multiple, "options": options}


def _end_task(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> None:
    """The activity `task_id` is done, or `delete`d."""
    if arguments.get("delete"):
        del portal.activities[int(arguments["task_id"])]
        return
    portal.activities[int(arguments["task_id"])] |= {"COMPLETED": "Y", "STATUS": "2"}


OPERATIONS: dict[str, Callable[[BitrixSandbox, Portal, Arguments], Any]] = {
    "revoke": _revoke,
    "expire": _expire,
    "issue_tokens": _issue,
    "install": _install,
    "uninstall": _uninstall,
    "update_app": _update_app,
    "forge_uninstall": _forge,
    "rename": _rename,
    "deactivate_user": _deactivate_user,
    "delete_field": _delete_field,
    "delete_step": _delete_step,
    "delete_pipeline": _delete_pipeline,
    "move_record": staff.move,
    "delete_record": staff.delete,
    "copy_record": staff.copy,
    "convert_lead": staff.convert_lead,
    "end_task": _end_task,
    "change": _change,
    "webhook": _webhook,
    "state": _state,
}
