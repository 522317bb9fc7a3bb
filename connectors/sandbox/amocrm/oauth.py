"""Consent, the token endpoint and the domain look-up (reference 1.2 to 1.8)."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from connectors.sandbox.amocrm.hal import problem
from connectors.sandbox.amocrm.tokens import Code, Grant, Integration
from connectors.sandbox.core import Reply, Request
from connectors.sandbox.page import document

if TYPE_CHECKING:
    from connectors.sandbox.amocrm.model import Account
    from connectors.sandbox.amocrm.sandbox import AmoSandbox

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OAUTH_PROBLEM = "https://developers.amocrm.ru/v3/errors/OAuthProblemJson"


def oauth_problem(status: int, hint: str | None = None) -> Reply:
    """Titles are localised and worthless for a client; the hint tells what is wrong (reference 1.5)."""
    title, detail = "Некорректный запрос", "В запросе отсутствует ряд параметров или параметры невалидны"
    if hint is None:
        title, detail = "Некорректный клиент", "Авторизация клиента не прошла"
    body: dict[str, Any] = {"hint": hint} if hint else {}
    body |= {"title": title, "type": OAUTH_PROBLEM, "status": status, "detail": detail}
    return Reply.json(status, body, "application/problem+json")


def bad_client_id() -> Reply:
    return oauth_problem(400, "Check the `client_id` parameter")


# -- the consent page on the www host ----------------------------------------------------------------


def consent_page(box: AmoSandbox, request: Request) -> Reply:
    integration = box.integrations.get(request.params.get("client_id", ""))
    if integration is None:
        return Reply.html(400, document("amoCRM", "<p>Интеграция не найдена.</p>"))
    return Reply.html(200, document(f"Доступ для «{integration.name}»", _form(box, request.params)))


def _form(box: AmoSandbox, params: dict[str, str]) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(params[name])}">'
        for name in ("client_id", "state", "mode")
        if name in params
    )
    options = "".join(
        f'<option value="{escape(account.subdomain)}">{escape(f"{account.name}, {account.host}")}</option>'
        for account in box.accounts.values()
    )
    buttons = (
        '<button name="decision" value="allow">Разрешить</button>'
        '<button name="decision" value="deny">Отказать</button>'
    )
    label = f'<label>Аккаунт <select name="account">{options}</select></label>'
    return f'<form method="post" action="/oauth">{hidden}{label}{buttons}</form>'


def decide(box: AmoSandbox, request: Request) -> Reply:
    """The answer of the person at the consent page; always ends at the *configured* redirect URI."""
    form = request.form()
    integration = box.integrations.get(form.get("client_id", ""))
    account = box.by_subdomain.get(form.get("account", ""))
    if integration is None or (account is None and form.get("decision") == "allow"):
        return Reply.html(400, document("amoCRM", "<p>Интеграция или аккаунт не найдены.</p>"))
    state = {"state": form["state"]} if "state" in form else {}
    if form.get("decision") != "allow" or account is None:
        return Reply.redirect(_with_query(integration.redirect_uri, {"error": "access_denied", **state}))
    user = int(form["user"]) if form.get("user", "").isdigit() else account.admin.id
    return _granted(box, request, integration, account, user, state)


def _granted(
    box: AmoSandbox,
    request: Request,
    integration: Integration,
    account: Account,
    user_id: int,
    state: dict[str, str],
) -> Reply:
    user = account.users.get(user_id)
    first = integration.client_id not in account.installed
    if user is None or not user.is_active or (first and not user.is_admin):
        return Reply.html(403, document("amoCRM", "<p>Подключить может только администратор.</p>"))
    account.installed.add(integration.client_id)
    code = box.tokens.new_code(account.id, user.id, integration.client_id, box.clock.now())
    query = {"code": code.text, "referer": box.address_of(account, request), **state}
    query["platform"] = "1" if account.domain.endswith(".ru") else "2"
    if box.switches["redirect_client_id"]:
        query["client_id"] = integration.client_id
    return Reply.redirect(_with_query(integration.redirect_uri, query))


def _with_query(uri: str, query: dict[str, str]) -> str:
    return uri + ("&" if "?" in uri else "?") + urlencode(query)


# -- POST /oauth2/access_token on the account host ---------------------------------------------------


@dataclass
class _Asked:
    box: AmoSandbox
    request: Request
    account: Account
    fields: dict[str, Any]
    integration: Integration

    def text(self, name: str) -> str:
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""


def access_token(box: AmoSandbox, request: Request, account: Account | None) -> Reply:
    if account is None:
        return oauth_problem(400, "Send request to account")
    fields = _token_fields(box, request)
    if fields is None:
        return oauth_problem(400, "Check the request body")
    client_id = fields.get("client_id")
    integration = box.integrations.get(client_id) if isinstance(client_id, str) else None
    if integration is None and not UUID.fullmatch(str(client_id)):
        return bad_client_id()
    if integration is None or not _client_is_right(integration, fields):
        return oauth_problem(401)
    asked = _Asked(box, request, account, fields, integration)
    if asked.text("grant_type") == "authorization_code":
        return _by_code(asked)
    if asked.text("grant_type") == "refresh_token":
        return _by_refresh(asked)
    return oauth_problem(400, "Check the `grant_type` parameter")


def _token_fields(box: AmoSandbox, request: Request) -> dict[str, Any] | None:
    if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
        return request.form() if box.switches["token_form"] == "accept" else {"client_id": "-"}
    try:
        fields = request.json()
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def _client_is_right(integration: Integration, fields: dict[str, Any]) -> bool:
    secret = str(fields.get("client_secret", "")).encode()
    return hmac.compare_digest(secret, integration.client_secret.encode()) and (
        fields.get("redirect_uri") == integration.redirect_uri
    )


def _by_code(asked: _Asked) -> Reply:
    code = asked.box.tokens.codes.get(asked.text("code"))
    if code is None or not _is_ours(code, asked):
        return oauth_problem(400, "Cannot decrypt the authorization code")
    if code.used:
        return oauth_problem(400, "Authorization code has been revoked")
    if code.until <= asked.box.clock.now():
        return oauth_problem(400, "Authorization code has expired")
    code.used = True
    return _pair(asked, code.user_id)


def _is_ours(what: Code | Grant, asked: _Asked) -> bool:
    return (what.account_id, what.client_id) == (asked.account.id, asked.integration.client_id)


def _by_refresh(asked: _Asked) -> Reply:
    old = asked.box.tokens.by_refresh.get(asked.text("refresh_token"))
    if old is None or not _is_ours(old, asked):
        return oauth_problem(asked.box.switches["garbage_refresh_status"], "Cannot decrypt the refresh token")
    if old.revoked or old.spent or old.refresh_until <= asked.box.clock.now():
        return oauth_problem(401, "Token has been revoked")
    old.first_use()
    kommo = asked.box.switches["refresh_grace"] == "kommo"
    old.spent = not kommo
    if asked.box.switches["old_access"] == "dies":
        old.access_until = 0
    return _pair(asked, old.user_id, old if kommo else None)


def _pair(asked: _Asked, user_id: int, parent: Grant | None = None) -> Reply:
    grant = asked.box.issue(asked.account, user_id, asked.integration, asked.request)
    grant.parent = parent
    return Reply.json(200, asked.box.token_reply(grant))


# -- GET /oauth2/account/current/subdomain on the api host -------------------------------------------


def current_subdomain(box: AmoSandbox, request: Request) -> Reply:
    """Where the account of a refresh token lives now; doesn't spend the token (reference 1.8)."""
    grant = box.tokens.by_refresh.get(request.headers.get("x-refresh-token", ""))
    if grant is None or grant.revoked or grant.spent or grant.refresh_until <= box.clock.now():
        return problem(401, "Unauthorized")
    account = box.accounts.get(grant.account_id)
    if account is None:
        return problem(401, "Unauthorized")
    found = {
        "id": account.id,
        "subdomain": account.subdomain,
        "domain": box.address_of(account, request),
        "top_level_domain": account.domain.rpartition(".")[2],
    }
    return Reply.json(200, found)
