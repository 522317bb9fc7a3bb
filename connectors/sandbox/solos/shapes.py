"""The bodies of answers. The vendor shows none for v2, so each plausible style is a switch (6.17)."""

from __future__ import annotations

import json
from typing import Any

from connectors.sandbox.core import Reply
from connectors.sandbox.solos.call import Call
from connectors.sandbox.solos.model import Project, Row

NAMED = {
    "sales_funnel_id": "funnels",
    "user_id": "users",
    "group_id": "groups",
    "currency_id": "currencies",
}


def reply(call: Call, value: Any) -> Reply:
    """A v2 answer in the chosen style."""
    if call.switches["numbers"] == "strings":
        value = as_strings(value)
    style = call.switches["answer_style"]
    return Reply.json(200, value if style == "bare" else {style: value})


def created(call: Call, number: int) -> Reply:
    """What a create answers (6.19): nobody outside knows."""
    shown: Any = str(number) if call.switches["numbers"] == "strings" else number
    bodies = {"payload": {"payload": {"id": shown}}, "id": {"id": shown}, "object": {}}
    style = call.switches["create_style"]
    body = b"" if style == "nothing" else json.dumps(bodies[style]).encode()
    return Reply(200, {"Content-Type": "application/json"}, body)


def as_strings(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_strings(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_strings(inner) for inner in value]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def project_row(call: Call, project: Project) -> Row:
    """Every dynamic field is there, empty ones as null (6.16)."""
    built_in = {"id": project.id, **project.built_in, "deleted": str(int(project.deleted))}
    data = {code: project.data.get(code) for code in call.account.fields}
    if call.switches["references"] == "objects":
        built_in, data = _with_names(call, built_in), _with_clients(call, data)
    if call.switches["row_style"] == "nested":
        return {"id": built_in["id"], "buildin_data": built_in, "data": data}
    return {**built_in, **data}


def _with_names(call: Call, row: Row) -> Row:
    names = {key: getattr(call.account, book) for key, book in NAMED.items()}
    steps = call.account.steps.get(row["sales_funnel_id"], {})
    return {
        key: {"id": value, "name": names.get(key, steps).get(value)} if key in (*names, "step_id") else value
        for key, value in row.items()
    }


def _with_clients(call: Call, data: Row) -> Row:
    client = call.account.clients.get(data.get("client_id") or 0)
    return {**data, "client_id": {"id": client["id"], "name": client["name"]}} if client else data
