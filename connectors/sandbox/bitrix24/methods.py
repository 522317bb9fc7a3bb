"""Which method is answered by what, and under which scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.bitrix24 import (
    activities,
    classic,
    directory,
    duplicates,
    handlers,
    items,
    links,
    merging,
    timeline,
    userfields,
)
from connectors.sandbox.bitrix24.batch import batch
from connectors.sandbox.bitrix24.call import Call

BASIC = "basic"
SCOPES = {"user": ("user", "user_basic", "user_brief")}
Handler = Callable[[Call], Any]


@dataclass(frozen=True)
class Method:
    handler: Handler
    scope: str
    hidden_by: tuple[str, Any] | None = None  # a switch and the value with which the method is gone

    @property
    def scopes(self) -> tuple[str, ...]:
        return SCOPES.get(self.scope, (self.scope,))

    def exists(self, switches: Mapping[str, Any]) -> bool:
        return self.hidden_by is None or switches[self.hidden_by[0]] != self.hidden_by[1]


def method_names(call: Call) -> list[str]:
    return sorted(name for name, method in METHODS.items() if method.scope in (BASIC, *call.auth.scopes))


def method_get(call: Call) -> dict[str, bool]:
    """Is it there, and may this token call it: the way to probe old boxes (1.8)."""
    method = METHODS.get(str(call.param("name") or "").lower())
    there = method is not None and method.exists(call.switches)
    allowed = method is not None and (method.scope == BASIC or bool({*method.scopes} & {*call.auth.scopes}))
    return {"isExisting": there, "isAvailable": there and allowed}


TABLE: dict[str, dict[str, Handler]] = {
    BASIC: {
        "batch": batch,
        "scope": directory.scope,
        "methods": method_names,
        "method.get": method_get,
        "app.info": directory.app_info,
        "profile": directory.profile,
        "events": handlers.events,
        "event.bind": handlers.bind,
        "event.get": handlers.listing,
        "event.unbind": handlers.unbind,
        "event.offline.get": handlers.offline_get,
        "event.offline.list": handlers.offline_list,
        "event.offline.clear": handlers.offline_clear,
        "event.offline.error": handlers.offline_error,
    },
    "user": {"user.get": directory.users},
    "userfieldconfig": {"userfieldconfig.list": userfields.configs},
    "crm": {
        "crm.category.list": directory.categories,
        "crm.status.list": directory.statuses,
        "crm.status.entity.types": directory.entity_types,
        "crm.status.entity.items": directory.entity_items,
        "crm.settings.mode.get": directory.mode,
        "crm.currency.base.get": directory.base_currency,
        "crm.duplicate.findbycomm": duplicates.find_by_comm,
        "crm.entity.mergebatch": merging.merge,
        "crm.item.add": items.add,
        "crm.item.get": items.get,
        "crm.item.list": items.listing,
        "crm.item.update": items.update,
        "crm.item.delete": items.delete,
        "crm.item.fields": items.fields,
        "crm.item.import": items.import_one,
        "crm.item.batchimport": items.import_batch,
        "crm.activity.todo.add": activities.add_todo,
        "crm.activity.list": activities.listing,
        "crm.activity.get": activities.one,
        "crm.timeline.comment.add": timeline.add,
        "crm.timeline.comment.list": timeline.listing,
        "crm.quote.fields": lambda call: classic.fields(call, "quote"),
        **{
            name: handler
            for kind in ("lead", "deal", "contact", "company")
            for name, handler in classic.methods(kind).items()
        },
        **{name: handler for kind in ("lead", "deal") for name, handler in links.methods(kind).items()},
        **{
            name: handler
            for entity in userfields.ENTITIES
            for name, handler in userfields.methods(entity).items()
        },
    },
}

# Scopes of methods that the vendor documents and this stand-in does not have (the crm ones one by one).
ELSEWHERE = tuple(
    f"{scope}."
    for scope in (
        "ai", "biconnector", "bizproc", "booking", "calendar", "calllist", "catalog", "department", "disk",
        "documentgenerator", "entity", "im", "imbot", "imconnector", "imopenlines", "landing", "lists", "log",
        "mailservice", "messageservice", "placement", "rpa", "sale", "sign", "sonet_group", "task", "tasks",
        "telephony", "timeman", "userconsent", "userfieldtype", "voximplant",
        *(f"crm.{part}" for part in (
            "activity", "address", "automatedsolution", "automation", "calltracking", "catalog", "currency",
            "documentgenerator", "enum", "item.details", "item.payment", "item.productrow", "livefeedmessage",
            "orderentity", "product", "productproperty", "productrow", "productsection", "requisite", "sign",
            "stagehistory", "timeline.bindings", "timeline.logmessage", "timeline.note", "tracking",
            "trigger", "type", "vat", "webform",
        )),
    )
)  # fmt: skip


def is_documented(name: str) -> bool:
    """Does the vendor document methods that begin like this one? Names in lower case."""
    return name.startswith(ELSEWHERE)


def _method(name: str, handler: Handler, scope: str) -> Method:
    gone = ("old_invoice", "gone") if name.startswith("crm.invoice.") else None
    if name.startswith("crm.activity.todo."):
        gone = ("todo", "gone")
    return Method(handler, scope, gone)


METHODS = {
    name: _method(name, handler, scope) for scope, rows in TABLE.items() for name, handler in rows.items()
}
