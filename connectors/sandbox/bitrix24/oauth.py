"""Authorize on the portal, the token endpoint and app.info on the vendor's host (reference 1.1 to 1.5)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from connectors.sandbox.bitrix24.errors import system
from connectors.sandbox.bitrix24.model import Portal, User
from connectors.sandbox.bitrix24.moments import iso, timing
from connectors.sandbox.bitrix24.tokens import App, Grant
from connectors.sandbox.core import Reply, Request
from connectors.sandbox.page import document

if TYPE_CHECKING:
    from connectors.sandbox.bitrix24.sandbox import BitrixSandbox

SESSION = "sandbox_user="  # the cookie that plays a signed-in employee


def page(status: int, text: str) -> Reply:
    return Reply.html(status, document("Битрикс24", text))


# -- /oauth/authorize/ on the portal ------------------------------------------------------------------


def authorize(box: BitrixSandbox, request: Request, portal: Portal) -> Reply:
    """302 to the app card's redirect URI, or a page: never a redirect with an error (1.1)."""
    asked = request.params | (request.form() if request.method == "POST" else {})
    app = box.apps.get(asked.get("client_id", ""))
    user = _signed_in(request, portal, asked)
    if app is None or app.client_id not in portal.installed or user is None or not user.active:
        return page(box.switches["authorize_error_status"], "<p>Приложение не установлено.</p>")
    if user.id in portal.hidden_from:
        return page(box.switches["authorize_error_status"], "<p>Нет доступа к приложению.</p>")
    if request.method == "GET" and box.switches["consent_page"]:
        return page(200, _form(app, portal, asked))
    if asked.get("decision", "allow") != "allow":
        return page(200, "<p>Доступ не выдан.</p>")
    return _granted(box, request, portal, app, user, asked)


def _signed_in(request: Request, portal: Portal, asked: dict[str, str]) -> User | None:
    """Who sits at the browser: the form's choice, the cookie, else the administrator."""
    cookie = request.headers.get("cookie", "")
    number = asked.get("user") or (
        cookie.partition(SESSION)[2].partition(";")[0] if SESSION in cookie else ""
    )
    if not number:
        return portal.admin
    return portal.users.get(int(number)) if number.isdigit() else None


def _form(app: App, portal: Portal, asked: dict[str, str]) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(asked[name])}">'
        for name in ("client_id", "state")
        if name in asked
    )
    options = "".join(
        f'<option value="{user.id}">{escape(user.full_name)}</option>'
        for user in portal.users.values()
        if user.active and user.user_type == "employee"
    )
    buttons = (
        '<button name="decision" value="allow">Разрешить</button>'
        '<button name="decision" value="deny">Отказать</button>'
    )
    title = f"<p>Приложение «{escape(app.name)}» просит доступ к порталу {escape(portal.host)}.</p>"
    label = f'<label>Сотрудник <select name="user">{options}</select></label>'
    return f'{title}<form method="post" action="/oauth/authorize/">{hidden}{label}{buttons}</form>'


def _granted(
    box: BitrixSandbox, request: Request, portal: Portal, app: App, user: User, asked: dict[str, str]
) -> Reply:
    code = box.tokens.new_code(portal.id, user.id, app.client_id, box.clock.now())
    here = box.addresses_of(portal, request)
    query = {"code": code.text, "state": asked.get("state", ""), "domain": here.portal}
    query |= {"member_id": portal.member_id, "server_domain": here.oauth}
    if box.switches["redirect_scope"]:
        query["scope"] = ",".join(portal.installed[app.client_id].scopes)
    mark = "&" if "?" in app.redirect_uri else "?"
    return Reply.redirect(app.redirect_uri + mark + urlencode(query))


# -- /oauth/token/ ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Refusal(Exception):
    status: int
    code: str
    text: str = ""


@dataclass(frozen=True)
class _Asked:
    box: BitrixSandbox
    request: Request
    fields: dict[str, str]

    def need(self, name: str) -> str:
        if not self.fields.get(name):
            raise _Refusal(400, "invalid_request", f"{name} is required")
        return self.fields[name]


def token(box: BitrixSandbox, request: Request) -> Reply:
    """GET with a query (documented) or POST with a form (1.2)."""
    fields = request.params | (request.form() if request.method == "POST" else {})
    asked = _Asked(box, request, fields)
    try:
        _post_is_allowed(asked)
        return Reply.json(200, _exchange(asked))
    except _Refusal as refusal:
        text = {"error_description": refusal.text} if refusal.text else {}
        return Reply.json(refusal.status, {"error": refusal.code, **text})


def _post_is_allowed(asked: _Asked) -> None:
    mood = asked.box.switches["token_post"]
    by_code = asked.fields.get("grant_type") == "authorization_code"
    if asked.request.method == "POST" and (mood == "refuse" or (mood == "refuse code" and by_code)):
        raise _Refusal(400, "invalid_request", "POST is not accepted")


def _exchange(asked: _Asked) -> dict[str, Any]:
    app = asked.box.apps.get(asked.need("client_id"))
    if app is None:
        raise _Refusal(200, "wrong_client")
    if not hmac.compare_digest(asked.need("client_secret").encode(), app.client_secret.encode()):
        raise _Refusal(400, "invalid_client", "Client secret is wrong")
    if not set(filter(None, asked.fields.get("scope", "").split(","))) <= set(app.scopes):
        raise _Refusal(403, "invalid_scope", "The app card has no such scope")
    if asked.need("grant_type") == "authorization_code":
        return _by_code(asked, app)
    if asked.fields["grant_type"] == "refresh_token":
        return _by_refresh(asked, app)
    raise _Refusal(400, "invalid_request", "grant_type is unknown")


def _by_code(asked: _Asked, app: App) -> dict[str, Any]:
    box, code = asked.box, asked.box.tokens.codes.get(asked.need("code"))
    if code is None or code.used or code.client_id != app.client_id or code.until <= box.clock.now():
        words = box.switches["code_error"], box.switches["code_error_status"]
        raise _Refusal(words[1], words[0], "The authorization token provided has expired.")
    code.used = True
    portal = box.portals[code.portal_id]
    if app.client_id not in portal.installed:
        raise _Refusal(400, "invalid_client", "Application is not installed")
    return _pair(asked, portal, code.user_id, app)


def _by_refresh(asked: _Asked, app: App) -> dict[str, Any]:
    box, now = asked.box, asked.box.clock.now()
    old = box.tokens.by_refresh.get(asked.need("refresh_token"))
    if old is None or old.client_id != app.client_id:
        raise _Refusal(400, "invalid_grant", "Refresh token is unknown")
    portal = box.portals[old.portal_id]
    if app.client_id not in portal.installed:
        raise _Refusal(401, "NOT_INSTALLED", "Application not installed")
    if portal.plan == "ended":
        raise _Refusal(401, "PAYMENT_REQUIRED", "Subscription has been ended")
    if old.revoked or old.is_spent(now, box.switches["refresh_grace"]) or old.refresh_until <= now:
        raise _Refusal(400, "invalid_grant", "Refresh token is used up")
    old.spent_at = now if old.spent_at is None else old.spent_at
    return _pair(asked, portal, old.user_id, app)


def _pair(asked: _Asked, portal: Portal, user_id: int, app: App) -> dict[str, Any]:
    grant = asked.box.tokens.issue(portal.id, user_id, app.client_id, asked.box.clock.now())
    return token_answer(asked.box, portal, grant, asked.request)


def token_answer(
    box: BitrixSandbox, portal: Portal, grant: Grant, request: Request | None = None
) -> dict[str, Any]:
    """`domain` is the OAuth host; the portal is in client_endpoint (1.2)."""
    here = box.addresses_of(portal, request)
    scopes = ",".join(portal.installed[grant.client_id].scopes)
    return {
        "access_token": grant.access,
        "expires": int(grant.access_until),
        "expires_in": int(grant.access_until) - box.clock.unix(),
        "scope": "app" if box.switches["token_scope"] == "app" else scopes,
        "domain": here.oauth,
        "server_endpoint": f"{here.scheme}://{here.oauth}/rest/",
        "status": portal.status,
        "client_endpoint": f"{here.scheme}://{here.portal}/rest/",
        "member_id": portal.member_id,
        "user_id": grant.user_id,
        "refresh_token": grant.refresh,
    }


# -- /rest/app.info on the OAuth host -----------------------------------------------------------------


def app_info(box: BitrixSandbox, request: Request) -> Reply:
    """Whose token is this, told by the vendor itself (1.5)."""
    params = request.params | (request.form() if request.method == "POST" else {})
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    access = bearer or params.get("auth", "") or params.get("access_token", "")
    grant, now = box.tokens.by_access.get(access), box.clock.now()
    if grant is None or grant.revoked or grant.is_spent(now, box.switches["refresh_grace"]):
        return system(box.switches, "NO_AUTH_FOUND").reply()
    if grant.access_until <= now:
        return system(box.switches, "expired_token").reply()
    portal = box.portals[grant.portal_id]
    return Reply.json(200, {"result": _info(box, request, portal, grant), "time": timing(portal, now)})


def _info(box: BitrixSandbox, request: Request, portal: Portal, grant: Grant) -> dict[str, Any]:
    here, install = box.addresses_of(portal, request), portal.installed.get(grant.client_id)
    scopes = list(install.scopes) if install else []
    return {
        "client_id": grant.client_id,
        "scope": ",".join(scopes),
        "expires": iso(portal, grant.access_until),
        "install": {
            "installed": install is not None,
            "version": str(box.apps[grant.client_id].version),
            "status": portal.status,
            "scope": ",".join(scopes),
            "domain": here.portal,
            "uri": f"{here.scheme}://{here.portal}",
            "client_endpoint": f"{here.scheme}://{here.portal}/rest/",
            "member_id": portal.member_id,
            "member_type": "box" if portal.profile == "box" else "cloud",
        },
        "user_id": grant.user_id,
    }
