"""The control port: an index, the leads as pages, and /_sandbox/<crm>/<operation> as JSON.

Reading is GET, everything else POST with a JSON object. Times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from connectors.sandbox.core import Reply, Request, Sandbox
from connectors.sandbox.faults import ACTIONS, Fault
from connectors.sandbox.page import index_page, ledger_page

Arguments = dict[str, Any]
PREFIX = "/_sandbox"


class Hub(Protocol):
    """What the control asks of whoever has put the sandboxes on ports."""

    sandboxes: dict[str, Sandbox]

    def addresses(self) -> list[dict[str, Any]]: ...

    def url(self, port: int) -> str: ...

    def new_port(self, sandbox: Sandbox) -> int: ...

    def add_account(self, sandbox: Sandbox, subdomain: str = "", **options: Any) -> Any: ...

    def reset(self, sandbox: Sandbox) -> None: ...


Operation = Callable[[Hub, Sandbox, Arguments], Any]


def handle_control(
    hub: Hub, method: str, url: str, headers: Mapping[str, str], body: bytes | str | None
) -> Reply:
    request = Request.make(method, url, headers, body)
    if request.path.startswith(PREFIX):
        return _operate(hub, request)
    kind = request.path.strip("/")
    if request.method != "GET" or (kind and kind not in hub.sandboxes):
        return Reply.html(404, "not found")
    if kind:
        return Reply.html(200, ledger_page(hub.sandboxes[kind]))
    return Reply.html(200, index_page(hub.addresses()))


def _operate(hub: Hub, request: Request) -> Reply:
    parts = request.path.removeprefix(PREFIX).strip("/").split("/")
    if parts == [""]:
        return Reply.json(200, hub.addresses())
    sandbox = hub.sandboxes.get(parts[0])
    if sandbox is None:
        return _error(404, f"no such sandbox: {parts[0]}; there are {', '.join(hub.sandboxes)}")
    try:
        arguments = request.json() if request.body.strip() else dict(request.query)
        return Reply.json(200, _run(hub, sandbox, "/".join(parts[1:]), request.method, arguments))
    except LookupError as error:
        return _error(404, str(error.args[0] if error.args else error))
    except (TypeError, ValueError, AttributeError) as error:
        return _error(400, str(error))


def _error(status: int, text: str) -> Reply:
    return Reply.json(status, {"error": text})


def _run(hub: Hub, sandbox: Sandbox, name: str, method: str, arguments: Any) -> Any:
    if not isinstance(arguments, dict):
        raise TypeError("send a JSON object")
    reader = READERS.get(name) if method == "GET" else None
    operation = reader or (WRITERS.get(name) if method != "GET" else None)
    if operation is not None:
        return operation(hub, sandbox, arguments)
    with sandbox.lock:
        done = sandbox.control(name, arguments)
    return {"ok": True} if done is None else done


# -- what every sandbox can ---------------------------------------------------------------------------


def _ledger(hub: Hub, sandbox: Sandbox, arguments: Arguments) -> Any:
    with sandbox.lock:
        rows = sandbox.ledger()
    wanted = arguments.get("account")
    return [
        row for row in rows if wanted is None or str(wanted) in (row["account"], str(row.get("account_id")))
    ]


def _journal(hub: Hub, sandbox: Sandbox, arguments: Arguments) -> Any:
    entries = sandbox.journal.find(arguments.get("method"), arguments.get("path", ""))
    newest = entries[-int(arguments.get("last", 100)) :]
    return {
        "total": sandbox.journal.total,
        "counts": dict(sandbox.journal.counts),
        "statuses": {str(status): count for status, count in sandbox.journal.statuses.items()},
        "entries": [entry.as_dict() for entry in newest],
    }


def _switches(hub: Hub, sandbox: Sandbox, arguments: Arguments) -> Any:
    return dict(sandbox.switches)


def _clock(hub: Hub, sandbox: Sandbox, arguments: Arguments) -> Any:
    return {"now": sandbox.clock.now(), "frozen": sandbox.clock.frozen_at is not None}


def _faults(hub: Hub, sandbox: Sandbox, arguments: Arguments) -> Any:
    return {"actions": ACTIONS, "faults": [fault.as_dict() for fault in sandbox.faults]}


def _set_switches(hub: Hub, sandbox: Sandbox, arguments: Arguments) -> Any:
    with sandbox.lock:
        before = dict(sandbox.switches)
        try:
            sandbox.switches.update(arguments)
        except (KeyError, ValueError):
            sandbox.switches.update(before)
            raise
    return dict(sandbox.switches)


def _move_clock(hub: Hub, sandbox: Sandbox, arguments: Arguments) -> Any:
    """{"advance": seconds} | {"set": moment} | {"freeze": true} | {"thaw": true} | {"reset": true}"""
    with sandbox.lock:
        if "advance" in arguments:
            sandbox.clock.advance(float(arguments["advance"]))
        if "set" in arguments:
            sandbox.clock.set(float(arguments["set"]))
        for name in ("freeze", "thaw", "reset"):
            if arguments.get(name):
                getattr(sandbox.clock, name)()
    return _clock(hub, sandbox, arguments)


def _add_fault(hub: Hub, sandbox: Sandbox, arguments: Arguments) -> Any:
    with sandbox.lock:
        fault: Fault = sandbox.faults.add(**arguments)
    return fault.as_dict()


def _clear_faults(hub: Hub, sandbox: Sandbox, arguments: Arguments) -> Any:
    with sandbox.lock:
        if "id" in arguments:
            sandbox.faults.remove(arguments["id"])
        else:
            sandbox.faults.clear()
    return {"ok": True}


def _clear_journal(hub: Hub, sandbox: Sandbox, arguments: Arguments) -> Any:
    with sandbox.lock:
        sandbox.journal.clear()
    return {"ok": True}


def _add_accounts(hub: Hub, sandbox: Sandbox, arguments: Arguments) -> Any:
    """{"count": N} or {"subdomain": name}, and any option of the sandbox's add_account."""
    options = dict(arguments)
    count, subdomain = int(options.pop("count", 1)), options.pop("subdomain", "")
    subdomains = [f"{subdomain}{index or ''}" if subdomain else "" for index in range(count)]
    made = [hub.add_account(sandbox, name, **options) for name in subdomains]
    return [
        {
            "id": one.id,
            "subdomain": one.subdomain,
            "host": one.host,
            "port": one.port,
            "url": hub.url(one.port),
        }
        for one in made
    ]


def _reset(hub: Hub, sandbox: Sandbox, arguments: Arguments) -> Any:
    """{"accounts": ["demo7"]} seeds these again; nothing is seeded by default."""
    hub.reset(sandbox)
    for name in arguments.get("accounts", ()):
        hub.add_account(sandbox, name)
    return hub.addresses()


def _rename(hub: Hub, sandbox: Sandbox, arguments: Arguments) -> Any:
    """Over HTTP a renamed account moves to another port, as its old name must stop working."""
    port = hub.new_port(sandbox)
    with sandbox.lock:
        return sandbox.control("rename", {**arguments, "port": port})


def _pump(hub: Hub, sandbox: Sandbox, arguments: Arguments) -> Any:
    return {"sent": sandbox.pump()}


READERS: dict[str, Operation] = {
    "ledger": _ledger,
    "journal": _journal,
    "switches": _switches,
    "clock": _clock,
    "faults": _faults,
}
WRITERS: dict[str, Operation] = {
    "switches": _set_switches,
    "clock": _move_clock,
    "faults": _add_fault,
    "faults/clear": _clear_faults,
    "journal/clear": _clear_journal,
    "accounts": _add_accounts,
    "reset": _reset,
    "rename": _rename,
    "pump": _pump,
}
