"""Calls out of amoCRM: webhook subscriptions and deliveries, the uninstall hook (reference 1.9 and 7)."""

from __future__ import annotations

import hashlib
import hmac
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from connectors.sandbox.amocrm.filters import texts_of
from connectors.sandbox.amocrm.hal import Call, hal, problem, refuse
from connectors.sandbox.amocrm.model import Account, Card
from connectors.sandbox.core import Reply

if TYPE_CHECKING:
    from connectors.sandbox.amocrm.sandbox import AmoSandbox
    from connectors.sandbox.amocrm.tokens import Integration

# (method, url, headers, body, timeout) -> status; 0 when there was no answer in time
Courier = Callable[[str, str, dict[str, str], bytes, float], int]
TIMEOUT = 2.0
LADDER = (300, 900, 900, 3600)  # waits before the 2nd, 3rd, 4th and 5th try
BAD_LIMIT, BAD_WINDOW = 100, 2 * 3600
MOST_HOOKS = 100
ENTITIES = ("lead", "contact", "company", "customer")
TYPES = {"contacts": "contact", "companies": "company"}
SETTINGS = (
    {f"{verb}_{entity}" for verb in ("responsible", "delete") for entity in (*ENTITIES, "task")}
    | {f"{verb}_{entity}" for verb in ("add", "update") for entity in (*ENTITIES, "talk", "task")}
    | {f"restore_{entity}" for entity in ENTITIES[:3]}
    | {f"note_{entity}" for entity in ENTITIES}
    | {"status_lead", "add_chat_template_review"}
)


def call_out(method: str, url: str, headers: dict[str, str], body: bytes, timeout: float) -> int:
    request = urllib.request.Request(url, data=body or None, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError):
        return 0


def signature(integration: Integration, account_id: int) -> str:
    message = f"{integration.client_id}|{account_id}".encode()
    return hmac.new(integration.client_secret.encode(), message, hashlib.sha256).hexdigest()


def uninstall_request(integration: Integration, account_id: int) -> str:
    query = {
        "account_id": account_id,
        "client_uuid": integration.client_id,
        "signature": signature(integration, account_id),
    }
    url = integration.uninstall_url or ""
    return url + ("&" if "?" in url else "?") + urlencode(query)


# -- subscriptions (7.1) -----------------------------------------------------------------------------


@dataclass
class Hook:
    id: int
    destination: str
    settings: list[str]
    sort: int
    created_by: int
    created_at: int
    updated_at: int
    disabled: bool = False
    bad: deque[float] = field(default_factory=deque)  # moments of invalid replies


def subscribe(call: Call) -> Reply:
    """API webhooks need a higher tariff (7.2); how it is refused is UNCONFIRMED."""
    call.admin_only()
    if refusal := call.box.switches["webhooks_refused"]:
        raise refuse(refusal, {402: "Payment required"}.get(refusal, "Forbidden"))
    row = call.object()
    destination, settings = row.get("destination"), row.get("settings")
    if not isinstance(destination, str) or not destination.startswith(("http://", "https://")):
        raise refuse(400, "Request validation failed")
    if not isinstance(settings, list) or not settings or not set(settings) <= SETTINGS:
        raise refuse(400, "Request validation failed")
    hooks, now = call.account.hooks, call.now
    if destination not in hooks:
        if len(hooks) >= MOST_HOOKS:
            raise refuse(400, "Too many webhooks")
        number = call.box.ids.next("hooks")
        hooks[destination] = Hook(number, destination, settings, row.get("sort", 10), call.user.id, now, now)
    hook = hooks[destination]
    hook.settings, hook.sort, hook.updated_at, hook.disabled = (
        settings,
        row.get("sort", hook.sort),
        now,
        False,
    )
    return hal(_view(call, hook), 201)


def _view(call: Call, hook: Hook) -> dict[str, Any]:
    names = ("id", "destination", "created_at", "updated_at", "created_by", "sort", "disabled", "settings")
    return {"account_id": call.account.id} | {name: getattr(hook, name) for name in names}


def listing(call: Call) -> Reply:
    asked = texts_of(call.filter.get("destination"))
    found = [_view(call, hook) for hook in call.account.hooks.values()]
    found = [hook for hook in found if not asked or hook["destination"] in asked]
    links = call.href(call.request.path)
    return hal({"_total_items": len(found), "_links": links, "_embedded": {"webhooks": found}})


def unsubscribe(call: Call) -> Reply:
    call.admin_only()
    gone = call.account.hooks.pop(str(call.object().get("destination")), None)
    return Reply(204) if gone else problem(404, "Not Found")


# -- deliveries (7.2) --------------------------------------------------------------------------------


@dataclass
class Delivery:
    hook: Hook
    body: bytes
    due: float
    tries: int = 0


class Sender:
    """Sends what is due by the sandbox's clock; nothing is sent until somebody pumps."""

    def __init__(self, box: AmoSandbox) -> None:
        self._box = box
        self.queue: list[Delivery] = []

    def plan(self, account: Account, event: str, card: Card, before: dict[str, Any] | None) -> None:
        for hook in account.hooks.values():
            if event in hook.settings and not hook.disabled:
                body = urlencode(payload(account, event, card, before)).encode()
                self.queue.append(Delivery(hook, body, self._box.clock.now()))

    def pump(self) -> int:
        with self._box.lock:
            now = self._box.clock.now()
            due = [delivery for delivery in self.queue if delivery.due <= now]
            self.queue = [delivery for delivery in self.queue if delivery.due > now]
        for delivery in due:
            self._send(delivery)
        return len(due)

    def _send(self, delivery: Delivery) -> None:
        if delivery.hook.disabled:
            return
        headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "amoCRM-Webhooks/3.0"}
        url = delivery.hook.destination
        status = self._box.courier("POST", url, headers, delivery.body, TIMEOUT)
        delivery.tries += 1
        if not 100 <= status < 300:
            with self._box.lock:
                self._failed(delivery, status, self._box.clock.now())

    def _failed(self, delivery: Delivery, status: int, now: float) -> None:
        hook = delivery.hook
        hook.bad.append(now)
        while hook.bad and hook.bad[0] <= now - BAD_WINDOW:
            hook.bad.popleft()
        if len(hook.bad) > BAD_LIMIT:
            hook.disabled = True
        elif delivery.tries <= 2 or (delivery.tries <= 4 and 499 <= status < 600):
            delivery.due = now + LADDER[delivery.tries - 1]
            self.queue.append(delivery)


def payload(account: Account, event: str, card: Card, before: dict[str, Any] | None) -> list[tuple[str, str]]:
    """PHP bracket keys, every scalar a string; companies go under `contacts` with their type."""
    verb = event.split("_")[0]
    block = "contacts" if card.kind == "companies" else card.kind
    item = _item(account, card, before or {})
    pairs = list(_flat(f"{block}[{verb}][0]", item))
    here = {"subdomain": account.subdomain, "id": account.id, "_links": {"self": f"https://{account.host}"}}
    return pairs + list(_flat("account", here))


def _item(account: Account, card: Card, before: dict[str, Any]) -> dict[str, Any]:
    props = card.props
    if card.kind == "leads" and card["is_deleted"]:
        return {"id": card.id, "status_id": props["status_id"], "pipeline_id": props["pipeline_id"]}
    if card.kind in TYPES and card["is_deleted"]:
        return {"id": card.id, "type": TYPES[card.kind]}
    names = ("name", "status_id", "price", "responsible_user_id", "pipeline_id", "created_at", "updated_at")
    item: dict[str, Any] = {"id": card.id} | {name: props[name] for name in names if name in props}
    item |= {"last_modified": props["updated_at"], "date_create": props["created_at"]}
    item |= {"modified_user_id": props["updated_by"], "created_user_id": props["created_by"]}
    item["account_id"] = account.id
    if before:
        item |= {
            "old_status_id": before["status_id"],
            "old_responsible_user_id": before["responsible_user_id"],
        }
    if card.kind in TYPES:
        item["type"] = TYPES[card.kind]
    names_of = account.tags[card.kind].by_id
    item["tags"] = [
        {"id": number, "name": names_of[number].name} for number in card.tags if number in names_of
    ]
    item["custom_fields"] = [_field(account, card, number) for number in card.values]
    return item


def _field(account: Account, card: Card, number: int) -> dict[str, Any]:
    """Dates and checkboxes come as plain scalars."""
    field_, values = account.fields[card.kind].by_id.get(number), card.values[number]
    if field_ is None:
        return {"id": number}
    plain = field_.type in ("date", "date_time", "birthday", "checkbox")
    shown = [
        value["value"]
        if plain
        else {"value": value["value"]} | ({"enum": value["enum_id"]} if "enum_id" in value else {})
        for value in values
    ]
    return {"id": number, "name": field_.name, "code": field_.code, "values": shown}


def _flat(prefix: str, value: Any) -> Any:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{prefix}[{key}]", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _flat(f"{prefix}[{index}]", inner)
    elif isinstance(value, bool):
        yield prefix, "1" if value else "0"
    elif value is not None:
        yield prefix, str(value)
