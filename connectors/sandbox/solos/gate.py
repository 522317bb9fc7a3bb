"""The way of a request: whose host, whose keys, which API (6.1, 6.2)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from connectors.sandbox.core import Reply, Request
from connectors.sandbox.solos import leads, projects
from connectors.sandbox.solos.call import Call
from connectors.sandbox.solos.errors import Refused, wrong
from connectors.sandbox.solos.model import Account
from connectors.sandbox.solos.page import account_page, vendor_page
from connectors.sandbox.solos.shapes import reply

if TYPE_CHECKING:
    from connectors.sandbox.solos.sandbox import SolosSandbox

V2 = "/backend/public"
V1 = ("/api/post", "/api/get")
NOTHING_HERE = Reply.html(404, "<html><head><title>404 Not Found</title></head><body></body></html>")


def answer(box: SolosSandbox, request: Request) -> Reply:
    account = box.owner_of(request)
    path = request.path.rstrip("/")
    if account is None:
        return vendor_page(200 if not path else 404)
    if not path.startswith((V2, "/api/")):
        return account_page(account, request)
    try:
        return _let_in(box, account, request, path)
    except Refused as refusal:
        return refusal.reply(box.switches["error_key"])


def _let_in(box: SolosSandbox, account: Account, request: Request, path: str) -> Reply:
    if box.switches["needs_user_agent"] and not request.headers.get("user-agent", "").strip():
        return Reply.html(403, "<html><body>403 Forbidden</body></html>")
    _check_keys(account, request, box.switches["refusal"])
    if path in V1:
        return _v1(box, account, request, path)
    handler = projects.ROUTES.get((request.method, path.removeprefix(V2)))
    if handler is None or not path.startswith(V2) or box.switches["v2"] == "closed":
        return NOTHING_HERE
    call = _call(box, account, request)
    try:
        return handler(call)
    except projects.Missing:
        return reply(call, [])


def _check_keys(account: Account, request: Request, status: int) -> None:
    """Both headers, on every path."""
    for name, kept in account.headers.items():
        given = request.headers.get(name.lower(), "")
        if not hmac.compare_digest(given.encode(), kept.encode()):
            raise Refused(status, "access denied: token or secret is wrong")


def _v1(box: SolosSandbox, account: Account, request: Request, path: str) -> Reply:
    if request.method != "POST" or box.switches["v1"] == "closed":
        return NOTHING_HERE
    call = _call(box, account, request)
    return leads.write(call, box.happened) if path == V1[0] else leads.read(call)


def _call(box: SolosSandbox, account: Account, request: Request) -> Call:
    params: Any = request.params
    if request.method == "POST":
        params = _body(request)
    return Call(box.switches, account, request, params, box.clock.now())


def _body(request: Request) -> dict[str, Any]:
    """JSON bodies say so in Content-Type (reference 1)."""
    if "application/json" not in request.headers.get("content-type", ""):
        raise wrong("the body is no JSON")
    try:
        body = request.json()
    except ValueError as error:
        raise wrong("the body is no JSON") from error
    if not isinstance(body, dict):
        raise wrong("the body is no object")
    return body
