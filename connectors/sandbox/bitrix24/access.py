"""Who is let in, in the order of the vendor's core (reference 2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from connectors.sandbox.bitrix24.call import Auth
from connectors.sandbox.bitrix24.errors import system
from connectors.sandbox.bitrix24.model import Portal
from connectors.sandbox.bitrix24.tokens import Grant
from connectors.sandbox.core import Request

if TYPE_CHECKING:
    from connectors.sandbox.bitrix24.sandbox import BitrixSandbox


def check_portal(switches: Mapping[str, Any], portal: Portal) -> None:
    if portal.deleted:
        raise system(switches, "PORTAL_DELETED")
    if portal.overloaded:
        raise system(switches, "OVERLOAD_LIMIT")


def app_auth(box: BitrixSandbox, portal: Portal, request: Request, params: dict[str, Any]) -> Auth:
    """The Bearer header wins over `auth`, that over `access_token`; the framework consumes them (2.1)."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    given = [params.pop(name, None) for name in ("auth", "access_token")]
    token = bearer.strip() if scheme.lower() == "bearer" else next((one for one in given if one), None)
    if not isinstance(token, str) or not token:
        raise system(box.switches, "NO_AUTH_FOUND")
    grant = box.tokens.by_access.get(token)
    if grant is None or grant.portal_id != portal.id:
        raise system(box.switches, "invalid_token")
    return _checked(box, portal, grant)


def _checked(box: BitrixSandbox, portal: Portal, grant: Grant) -> Auth:
    """Plan, app, expiry, user, the user's access to the app; the scope is the method's business."""
    switches, now = box.switches, box.clock.now()
    check_plan(switches, portal)
    install = portal.installed.get(grant.client_id)
    if install is None:
        raise system(switches, switches["uninstalled"])
    if grant.revoked:
        raise system(switches, "invalid_token")
    if grant.is_spent(now, switches["refresh_grace"]):
        raise system(switches, switches["old_access"])
    if grant.access_until <= now:
        raise system(switches, "expired_token")
    user = portal.users.get(grant.user_id)
    if user is None or not user.active:
        raise system(switches, "authorization_error")
    if user.id in portal.hidden_from:
        raise system(switches, "user_access_error")
    return Auth(user, grant.client_id, install.scopes, grant.client_id)


def check_plan(switches: Mapping[str, Any], portal: Portal) -> None:
    if portal.plan == "free":
        raise system(switches, "ACCESS_DENIED")
    if portal.plan == "ended":
        raise system(switches, "PAYMENT_REQUIRED")


def webhook_auth(box: BitrixSandbox, portal: Portal, hook: tuple[int, str]) -> Auth:
    check_plan(box.switches, portal)
    scopes, user = portal.webhooks.get(hook), portal.users.get(hook[0])
    if scopes is None or user is None or not user.active:
        raise system(box.switches, "INVALID_CREDENTIALS")
    return Auth(user, "", scopes, f"webhook {hook[0]}/{hook[1]}")
