"""The way of a request: whose host, whose token, which method (reference 1.7, 2.1, 2.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.sandbox.bitrix24 import oauth
from connectors.sandbox.bitrix24.access import app_auth, check_portal, webhook_auth
from connectors.sandbox.bitrix24.call import Auth, Call, Outcome
from connectors.sandbox.bitrix24.errors import Refused, system
from connectors.sandbox.bitrix24.ledger import record_page
from connectors.sandbox.bitrix24.methods import BASIC, METHODS, Method, is_documented
from connectors.sandbox.bitrix24.model import Portal
from connectors.sandbox.bitrix24.moments import timing
from connectors.sandbox.core import Reply, Request
from connectors.sandbox.php import nest, parse_str
from connectors.sandbox.wire import not_here_words

if TYPE_CHECKING:
    from connectors.sandbox.bitrix24.sandbox import BitrixSandbox

OAUTH_HOSTS = ("oauth.bitrix24.tech", "oauth.bitrix.info")
JSON = "application/json; charset=utf-8"


def answer(box: BitrixSandbox, request: Request) -> Reply:
    owner = box.owner_of(request)
    if owner == "oauth":
        return _vendor(box, request)
    if owner is None:
        return oauth.page(404, "<p>Портал не найден.</p>")
    portal, former = owner
    if former:
        return _moved(box, request, portal)
    path = request.path.rstrip("/")
    if path == "/oauth/authorize":
        return oauth.authorize(box, request, portal)
    if path == "/oauth/token":  # the portal's proxy to the OAuth host: hands our secret to that portal
        return oauth.token(box, request)
    if path.startswith("/rest/"):
        return _rest(box, request, portal)
    return record_page(portal, request)


def _vendor(box: BitrixSandbox, request: Request) -> Reply:
    path = request.path.rstrip("/").lower()
    if path == "/oauth/token":
        return oauth.token(box, request)
    if path.removesuffix(".json") == "/rest/app.info":
        return oauth.app_info(box, request)
    if path.startswith("/rest/"):
        return system(box.switches, "ERROR_METHOD_NOT_FOUND").reply()
    return oauth.page(404 if path else 200, "<p>Сервер авторизации Битрикс24.</p>")


def _moved(box: BitrixSandbox, request: Request, portal: Portal) -> Reply:
    """Many clients turn the POST into a GET and lose the body on the way (1.7)."""
    here = box.addresses_of(portal, request)
    place = f"{here.scheme}://{here.portal}{request.path}"
    body = "<html><head><title>302 Found</title></head><body><h1>302 Found</h1></body></html>"
    return Reply.html(302, body, Location=place)


# -- /rest/ -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    name: str
    params: dict[str, Any]
    webhook: tuple[int, str] | None


def method_name(path: str) -> tuple[str, tuple[int, str] | None]:
    """/rest/crm.deal.List.json and /rest/1/secret/crm.deal.list are the same method (2.1)."""
    parts = [part for part in path.removeprefix("/rest/").split("/") if part]
    name = parts[-1].lower() if parts else ""
    for suffix in (".json", ".xml"):
        name = name.removesuffix(suffix)
    hook = (int(parts[0]), parts[1]) if len(parts) == 3 and parts[0].isdigit() else None
    return name, hook


def _read(request: Request) -> Asked:
    """Query and body together, body wins; JSON that does not parse counts as empty."""
    name, hook = method_name(request.path)
    params = nest(request.query)
    if "json" in request.headers.get("content-type", "") and request.body:
        try:
            body = request.json()
        except ValueError:
            body = {}
        params |= body if isinstance(body, dict) else {}
    elif request.body:
        params |= parse_str(request.body.decode("utf-8", "replace"))
    return Asked(name, params, hook)


def commands_in(request: Request) -> int:
    """How many methods a request to a portal calls."""
    if not request.path.startswith("/rest/"):
        return 0
    asked = _read(request)
    return len(asked.params.get("cmd") or ()) if asked.name == "batch" else 1


def _rest(box: BitrixSandbox, request: Request, portal: Portal) -> Reply:
    try:
        outcome = _called(box, request, portal, _read(request))
    except Refused as refusal:
        return refusal.reply()
    return Reply.json(200, outcome.body(), JSON)


def _called(box: BitrixSandbox, request: Request, portal: Portal, asked: Asked) -> Outcome:
    if request.scheme != "https" and box.switches["https_only"] and box.is_vendor_name(request.hostname):
        raise system(box.switches, "INVALID_REQUEST")
    client = request.headers.get("x-forwarded-for", "127.0.0.1").split(",")[0].strip()
    box.limits.admit(portal, client, request.at, box.switches)
    check_portal(box.switches, portal)
    box.catch_up(portal)
    if asked.webhook:
        auth = webhook_auth(box, portal, asked.webhook)
    else:
        auth = app_auth(box, portal, request, asked.params)
    return run(box, portal, auth, asked.name, asked.params)


def run(
    box: BitrixSandbox, portal: Portal, auth: Auth, name: str, params: dict[str, Any], nested: bool = False
) -> Outcome:
    """One method, alone or inside a batch: scope, budget, work, time."""
    method, now, switches = _method(box, portal, auth, name), box.clock.now(), box.switches
    payer = "batch" if nested and switches["batch_charge"] == "outer" else name
    key, cost = (portal.id, auth.key, payer), switches["costs"].get(name, switches["cost"])
    box.limits.check(key, now, switches)
    if name in switches["method_errors"]:
        raise system(switches, switches["method_errors"][name])
    call = Call(
        box, portal, auth, name, params, lambda inner, more: run(box, portal, auth, inner, more, True)
    )
    result = method.handler(call)
    outcome = result if isinstance(result, Outcome) else Outcome(result)
    if name != "batch":
        box.limits.charge(key, now, cost)
    outcome.time = timing(portal, now, cost)
    if switches["operating_fields"] and portal.profile != "box":
        outcome.time |= box.limits.fields((portal.id, auth.key, name), now)
    return outcome


def _method(box: BitrixSandbox, portal: Portal, auth: Auth, name: str) -> Method:
    method = METHODS.get(name)
    if method is None and is_documented(name):
        raise Refused(501, "NOT_IMPLEMENTED", not_here_words(box.title, name))
    if method is None or not method.exists(box.switches):
        raise system(box.switches, "ERROR_METHOD_NOT_FOUND")
    if method.scope != BASIC and not set(method.scopes) & set(auth.scopes):
        raise system(box.switches, "insufficient_scope")
    return method
