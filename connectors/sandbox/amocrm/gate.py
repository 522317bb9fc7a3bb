"""The way of a request: whose host it is, whose token, which handler (reference 0, 1.4, 1.8, 6.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.sandbox.amocrm import limits, oauth
from connectors.sandbox.amocrm.hal import Call, Problem, problem
from connectors.sandbox.amocrm.ledger import lead_page
from connectors.sandbox.amocrm.model import Account, User
from connectors.sandbox.amocrm.routes import ROUTES, is_documented, pattern_of
from connectors.sandbox.amocrm.tokens import Grant
from connectors.sandbox.core import Reply, Request

if TYPE_CHECKING:
    from connectors.sandbox.amocrm.sandbox import AmoSandbox

UNAUTHORIZED = "Неверный логин или пароль"
API_HOSTS = ("api-a", "api-b")


def answer(box: AmoSandbox, request: Request) -> Reply:
    host = whose(box, request)
    if isinstance(host, str):
        return _vendor(box, request, host)
    if host.blocked:
        return limits.blocked()
    if request.path == "/oauth2/access_token" and request.method == "POST":
        return oauth.access_token(box, request, host)
    if request.path.startswith("/api/"):
        return _api(box, request, host)
    return lead_page(box, host, request)


def whose(box: AmoSandbox, request: Request) -> Account | str:
    """The account of the host, or "www", "api", "former", "nobody"."""
    if not box.owns_host(request.hostname):
        if str(request.port) in box.former:
            return "former"
        return box.ports.get(request.port or 80, "nobody") or "www"
    label = request.hostname.partition(".")[0]
    if label in ("www", *API_HOSTS):
        return "www" if label == "www" else "api"
    found = box.by_subdomain.get(label)
    if found is not None and found.host == request.hostname:
        return found
    return "former" if request.hostname in box.former else "nobody"


# -- hosts that belong to no account ------------------------------------------------------------------


def _vendor(box: AmoSandbox, request: Request, host: str) -> Reply:
    if host in ("former", "nobody"):
        return _lost(box, host)
    by_port = not box.owns_host(request.hostname)  # one port plays www and api
    asked = (request.method, request.path)
    if host == "www" and asked == ("GET", "/oauth"):
        return oauth.consent_page(box, request)
    if host == "www" and asked == ("POST", "/oauth"):
        return oauth.decide(box, request)
    if host == "www" and asked == ("POST", "/oauth2/access_token"):
        return oauth.access_token(box, request, None)
    if (host == "api" or by_port) and asked == ("GET", "/oauth2/account/current/subdomain"):
        return oauth.current_subdomain(box, request)
    if host == "api" and request.path.startswith("/api/") and box.switches["api_on_api_domain"]:
        grant = _grant(box, request)
        account = box.accounts.get(grant.account_id) if grant else None
        return _api(box, request, account) if account else problem(401, UNAUTHORIZED)
    return not_found(request)


def _lost(box: AmoSandbox, host: str) -> Reply:
    """No such subdomain: 401 with code 101; for a renamed one 404 was seen as well."""
    if host == "former" and box.switches["renamed_host"] == "404":
        return problem(404, "Account not found")
    return problem(401, "Account not found", error_code=101)


def not_found(request: Request) -> Reply:
    return problem(404, f"Cannot {request.method} {request.url}")


# -- the API of an account ----------------------------------------------------------------------------


def _api(box: AmoSandbox, request: Request, account: Account) -> Reply:
    grant = _grant(box, request)
    if grant is None or grant.account_id != account.id or grant.client_id not in account.installed:
        return problem(401, UNAUTHORIZED)
    if box.switches["limits"]:
        refused = _over_limit(box, request, account, grant)
        if refused is not None:
            return refused
    if account.tariff_ended:
        return problem(402, "Payment required")
    user = _acting_user(request, account, grant)
    if user is None:
        return problem(401, UNAUTHORIZED, error_code=110)
    return _routed(box, request, account, grant, user)


def _grant(box: AmoSandbox, request: Request) -> Grant | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return box.tokens.accepted(token, box.clock.now()) if scheme.lower() == "bearer" else None


def _over_limit(box: AmoSandbox, request: Request, account: Account, grant: Grant) -> Reply | None:
    """Counted when it arrived, as a front server does, and not when it is worked on."""
    verdict = box.limits.check((account.id, grant.client_id), request.at, box.switches)
    if verdict == "abuse":
        account.blocked = True
        return limits.blocked()
    return limits.busy(box.switches) if verdict == "busy" else None


def _acting_user(request: Request, account: Account, grant: Grant) -> User | None:
    """An admin's pair outlives the admin; X-Context-User-ID borrows another's rights (reference 1.4)."""
    user = account.users.get(grant.user_id)
    context = request.headers.get("x-context-user-id")
    if context is not None and user is not None and user.is_admin:
        other = account.users.get(int(context)) if context.isdigit() else None
        return other if other and other.is_active and not other.is_free else None
    return user if user is not None and (user.is_active or user.is_admin) else None


def _routed(box: AmoSandbox, request: Request, account: Account, grant: Grant, user: User) -> Reply:
    pattern, ids, uid = pattern_of(request.path)
    methods = ROUTES.get(pattern)
    if methods is None:
        known = is_documented(request.path)
        return Reply.not_here(box.title, f"{request.method} {request.path}") if known else not_found(request)
    if request.method not in methods:
        return problem(405, "Method Not Allowed")
    handler, kind = methods[request.method]
    try:
        return handler(Call(box, request, account, grant, user, kind, ids, uid))
    except Problem as refusal:
        return refusal.reply
