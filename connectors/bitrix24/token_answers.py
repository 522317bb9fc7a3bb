"""What the OAuth server's answers mean: ``error`` in the body, whatever the status says (reference 1.4)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from connectors.auth import Tokens
from connectors.errors import BadCallback, ConnectorError, NeedsReconnect, OurMistake, TryLater
from connectors.http import Answer

UNPAID_WAIT = 3600
OUR_OWN = frozenset({"wrong_client", "invalid_client", "invalid_request", "invalid_scope"})
GONE = frozenset(
    {"invalid_grant", "expired_token", "not_installed", "application_not_found", "no_auth_found"}
)
UNPAID = "payment_required"
BAD_CODES = {
    "invalid_grant": "The code from Bitrix24 was used already or is too old. Start connecting again.",
    "expired_token": "The code from Bitrix24 is older than 30 seconds. Start connecting again.",
    "not_installed": "The application is not installed in this Bitrix24. Install it, then connect again.",
    UNPAID: "The subscription of this Bitrix24 has ended. Renew it, then connect again.",
    "insufficient_scope": "The application has fewer rights than it needs. Check its card in Bitrix24.",
}


class TokenResponses:
    """Answers with an object come back as they are; the rest means: not now."""

    def is_expired(self, answer: Answer) -> bool:
        return False

    def failure(self, answer: Answer, safe: bool) -> ConnectorError | None:
        if isinstance(answer.json, dict) and (answer.ok or code_of(answer)):
            return None
        words = f"Bitrix24's sign-in server is not available ({answer.status})"
        return TryLater(words, code=f"http_{answer.status}", account_wide=True)


def code_of(answer: Answer) -> str:
    body = answer.json if isinstance(answer.json, dict) else {}
    return str(body.get("error") or "").lower()


def exchange_error(answer: Answer) -> Exception:
    """A code was refused."""
    code = code_of(answer)
    if code in OUR_OWN:
        return our_mistake(code)
    return BadCallback(BAD_CODES.get(code, f"Bitrix24 did not accept the code ({code[:60]})."))


def refresh_error(answer: Answer) -> ConnectorError:
    """A refresh token was refused. Only what names this account is held against it."""
    code = code_of(answer)
    if code == UNPAID:
        return unpaid()
    if code in GONE or (code == "invalid_client" and "not installed" in _said(answer)):
        return not_alive(code)
    if code in OUR_OWN:
        return our_mistake(code)
    return TryLater(f"Bitrix24 did not refresh the token ({code[:60]})", code=code[:60], account_wide=True)


def unpaid() -> TryLater:
    return TryLater(
        "The subscription of this Bitrix24 has ended",
        code="unpaid",
        after=UNPAID_WAIT,
        account_wide=True,
        remedy="Renew the subscription of Bitrix24; deliveries go on by themselves.",
    )


def not_alive(code: str) -> NeedsReconnect:
    installed = "Install the application again, then c" if code == "not_installed" else "C"
    return NeedsReconnect(
        "Bitrix24 no longer accepts our token",
        code=code,
        remedy=f"{installed}onnect Bitrix24 again.",
        account_wide=True,
    )


def our_mistake(code: str) -> OurMistake:
    return OurMistake(
        f"Bitrix24's sign-in server refuses our application ({code})",
        code="client_refused",
        remedy="Compare BITRIX24_CLIENT_ID and BITRIX24_CLIENT_SECRET with the application's card.",
        account_wide=True,
    )


def read_tokens(body: Mapping[str, Any]) -> Tokens:
    """The pair. Raises ``TryLater`` where there is none."""
    access, refresh = body.get("access_token"), body.get("refresh_token")
    if not (isinstance(access, str) and isinstance(refresh, str) and access and refresh):
        raise TryLater("Bitrix24's sign-in server sent no tokens", code="unreadable", account_wide=True)
    life = float(body.get("expires_in") or 3600)
    return Tokens(access, refresh, expires_at=float(body.get("expires") or time.time() + life))


def portal_of(body: Mapping[str, Any]) -> str:
    """The portal's host. ``domain`` of a token answer is the OAuth server's (reference 1.2)."""
    return urlsplit(str(body.get("client_endpoint") or "")).netloc.lower()


def read_facts(body: Mapping[str, Any]) -> dict[str, str]:
    """What the next refresh and every call need to know."""
    path = urlsplit(str(body.get("client_endpoint") or "")).path
    facts = {
        "rest_path": path,
        "server_endpoint": body.get("server_endpoint"),
        "user_id": body.get("user_id"),
        "status": body.get("status"),
    }
    return {name: str(value) for name, value in facts.items() if value}


def _said(answer: Answer) -> str:
    return str((answer.json or {}).get("error_description") or "").lower()
