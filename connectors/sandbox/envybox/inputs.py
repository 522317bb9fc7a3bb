"""Fields: listed, read, filled (reference 4.3, 4.4)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.envybox.call import Call, Handler, page, to_int
from connectors.sandbox.envybox.errors import Refused
from connectors.sandbox.envybox.model import CLIENT, CUSTOM, DEAL, SERVICE, Card
from connectors.sandbox.envybox.show import Writer

TYPES = {"service": SERVICE, "custom": CUSTOM}
ALIASES = {2012: 20012}


def lister(element: int) -> Handler:
    """getListInputs: service fields come whole, custom ones by page."""

    def handler(call: Call) -> dict[str, Any]:
        kind = TYPES.get(call.text("type") or "custom")
        if kind is None:
            raise Refused("BAD_REQUEST")
        writer = Writer(call.crm, call.switches)
        rows = [one for one in call.crm.inputs[element, kind].values() if one.deleted_at is None]
        if kind == SERVICE:
            whole = [writer.input(one) for one in rows]
            return {"result": whole, "count": len(whole), "limit": len(whole), "offset": -1}
        answer = page(rows, call)
        return answer | {"result": [writer.input(one) for one in answer["result"]]}

    return handler


def reader(element: int) -> Handler:
    def handler(call: Call) -> dict[str, Any]:
        kind = TYPES.get(call.text("type") or "custom", 0)
        one = call.crm.inputs.get((element, kind), {}).get(call.number("input_id"))
        if one is None or one.deleted_at is not None:
            raise Refused("NO_FIELD")
        return {"result": Writer(call.crm, call.switches).input(one)}

    return handler


def set_values(call: Call, card: Card, element: int) -> None:
    """Service values by the field's name, custom ones by its id. Unknown fields are refused."""
    for row in call.rows("fields"):
        number, kind = to_int(row.get("input_id")), to_int(row.get("value_type_id")) or CUSTOM
        known = call.crm.inputs.get((element, kind), {})
        one = known.get(number) or known.get(ALIASES.get(number, 0))
        if one is None or one.deleted_at is not None:
            raise Refused("BAD_REQUEST")
        if kind == SERVICE:
            card.service[one.name_id] = row.get("value")
        else:
            card.custom[one.id] = row.get("value")
    card.updated_at = call.now


def update_client(call: Call) -> dict[str, Any]:
    set_values(call, call.client(), CLIENT)
    return _done(call)


def update_deal(call: Call) -> dict[str, Any]:
    deal = call.crm.deals.get(call.number("deal_id"))
    if deal is None or (call.has("client_id") and call.number("client_id") != deal.client_id):
        raise Refused("BAD_REQUEST")
    set_values(call, deal, DEAL)
    return _done(call)


def _done(call: Call) -> dict[str, Any]:
    return {"result": call.params} if call.switches["values_answer"] == "echo" else {}
