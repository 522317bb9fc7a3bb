"""What only a person in the CRM can do: the solOS part of the control API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from connectors.sandbox.solos import console
from connectors.sandbox.solos.model import Account, Project

if TYPE_CHECKING:
    from connectors.sandbox.solos.sandbox import SolosSandbox

Arguments = dict[str, Any]
SETTABLE = ("hook_url", "own_host")
ACTIONS: dict[str, Callable[..., Any]] = {
    "add_project": console.add_project,
    "convert": console.convert,
    "move": console.move,
    "add_action": console.add_action,
    "add_payment": console.add_payment,
    "add_good": console.add_good,
    "add_checklist": console.add_checklist,
    "delete": console.delete,
    "delete_lead": console.delete_lead,
}
EVENTS = {"add_project": "projects.add", "convert": "projects.add", "move": "projects.move"}


def run(box: SolosSandbox, operation: str, arguments: Arguments) -> Any:
    """LookupError for an unknown operation, account or object."""
    rest = dict(arguments)
    account = account_of(box, rest.pop("account", None))
    if operation in ACTIONS:
        return act(box, account, operation, **rest)
    if operation not in OPERATIONS:
        names = ", ".join((*OPERATIONS, *ACTIONS))
        raise LookupError(f"no such operation: {operation}; there are {names}")
    return OPERATIONS[operation](box, account, rest)


def act(box: SolosSandbox, account: Account, operation: str, **arguments: Any) -> Any:
    """An action of the console, and the webhook that goes with it."""
    made = ACTIONS[operation](account, box.clock.now(), **arguments)
    if operation in EVENTS:
        number = made.id if isinstance(made, Project) else arguments["project_id"]
        box.happened(account, EVENTS[operation], "projects", number)
    return asdict(made) if isinstance(made, Project) else made


def account_of(box: SolosSandbox, wanted: Any) -> Account:
    """By id, name or host; without it, the first one."""
    for account in box.accounts.values():
        if wanted is None or str(wanted) in (str(account.id), account.subdomain, account.host):
            return account
    raise LookupError(f"no such account: {wanted}")


def _keys(box: SolosSandbox, account: Account, arguments: Arguments) -> Any:
    """The pair that the CRM's settings page shows."""
    return {"token": account.token, "secret": account.secret}


def _revoke(box: SolosSandbox, account: Account, arguments: Arguments) -> None:
    account.revoke()


def _change(box: SolosSandbox, account: Account, arguments: Arguments) -> None:
    """{"set": {...}}: hook_url, own_host."""
    for name, value in arguments.get("set", {}).items():
        if name not in SETTABLE:
            raise LookupError(f"{name} can't be set; {', '.join(SETTABLE)} can")
        setattr(account, name, value)


def _state(box: SolosSandbox, account: Account, arguments: Arguments) -> Any:
    """What a test needs to know to write a rule."""
    return {
        "id": account.id,
        "subdomain": account.subdomain,
        "host": account.host,
        "port": account.port,
        "users": account.users,
        "pipelines": account.funnels,
        "steps": {number: dict(steps) for number, steps in account.steps.items()},
        "fields": account.fields,
        "counts": {
            "leads": len(account.leads),
            "projects": len(account.projects),
            **{kind: len(rows) for kind, rows in account.related.items()},
        },
    }


OPERATIONS: dict[str, Callable[[Any, Account, Arguments], Any]] = {
    "keys": _keys,
    "revoke": _revoke,
    "change": _change,
    "state": _state,
}
