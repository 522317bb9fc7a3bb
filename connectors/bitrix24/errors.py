"""What Bitrix24's answers mean: its own code in any case first, the status second (reference 2.3, 2.4).

apidocs.bitrix24.com: _includes/system-errors
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from connectors.errors import (
    NO_RIGHTS,
    NOT_DONE,
    PERSON_WAIT,
    ConnectorError,
    NeedsReconnect,
    OurMistake,
    Refused,
    TryLater,
    busy,
    failed,
    no_rights,
    of_account,
    unreadable,
)
from connectors.hosts import HostPolicy
from connectors.http import Answer
from connectors.messages import aside, message

CRM = "Bitrix24"
NO_SCOPE, NOT_FOUND, OPERATING = "no_scope", "not_found", "operating_limit"
FAILED = frozenset({"internal_server_error", "error_unexpected_answer"})
EXPIRED = frozenset({"expired_token", "invalid_token"})
REDIRECTS = frozenset({301, 302, 307, 308})
BUSY_WAIT, OPERATING_WAIT, LONG_WAIT = 3, 120, 3600
PLAN_WORDS = ("commercial plan", "subscription", "тариф")
DEMAND = "crm_field_error_required"
DEMAND_WORDS = ("обязательное поле", "required field", "field is required")
DENIED_WORDS = ("access denied", "доступ запрещ", "insufficient rights", "недостаточно прав")


class BitrixResponses:
    """Bitrix24's table of answers."""

    def __init__(self, hosts: HostPolicy) -> None:
        self.hosts = hosts
        self.asked_where = False

    def is_expired(self, answer: Answer) -> bool:
        """An old token, or a renamed portal: a renewal names the new address with the OAuth server's word."""
        if answer.status in REDIRECTS and not self.asked_where and self._leads_to_a_portal(answer):
            self.asked_where = True
            return True
        return code_of(answer) in EXPIRED

    def failure(self, answer: Answer, safe: bool) -> ConnectorError | None:
        body = answer.json if isinstance(answer.json, dict) else {}
        if "error" in body:
            return meaning(body, safe, answer.status)
        if answer.ok and "result" in body:
            return None
        if answer.ok:
            return unreadable(CRM, safe)
        return _by_status(answer.status, safe)

    def _leads_to_a_portal(self, answer: Answer) -> bool:
        try:
            return bool(self.hosts.allowed(urlsplit(answer.headers.get("Location", "")).netloc))
        except ValueError:
            return False


def code_of(answer: Answer) -> str:
    body = answer.json if isinstance(answer.json, dict) else {}
    return str(body.get("error") or "").lower()


def meaning(body: Mapping[str, Any], safe: bool, status: int = 400, alone: bool = False) -> ConnectorError:
    """What an error says, be it an answer's or one command's of a batch (``alone``).

    A portal that fails over one command of many has answered the others.
    """
    code = str(body.get("error") or "").lower()
    words = str(body.get("error_description") or "").strip()[:500]
    if code in TABLE:
        return TABLE[code](words)
    if code in FAILED or status >= 500:
        return failed(CRM, code or status, safe, not alone)
    if any(known in words.lower() for known in DENIED_WORDS):
        return no_rights(CRM, words)
    if code == NOT_FOUND or words.lower().rstrip(".") == "not found":
        return Refused(message("Bitrix24 has no such record: {words}", words=words), code=NOT_FOUND)
    if status == 401:
        return _gone(words)
    return Refused(
        message("Bitrix24 says no: {what}", what=words or code or status), code=code or f"http_{status}"
    )


def is_failure(error: ConnectorError) -> bool:
    """Did the portal itself break down (5xx), instead of refusing or asking for patience?"""
    return error.code in FAILED or error.code.startswith("http_5")


def is_demand(refusal: Refused) -> bool:
    """Does the portal miss a value, instead of refusing one that we sent?"""
    return refusal.code == DEMAND or any(words in refusal.message.lower() for words in DEMAND_WORDS)


def as_account_error(error: ConnectorError) -> ConnectorError:
    """Missing rights at the heart of a delivery concern the whole account."""
    return of_account(error) if error.code == NO_RIGHTS else error


def operating_limit(seconds: float) -> TryLater:
    return _later(message("Bitrix24's time budget for this method is used up"), OPERATING, seconds)


def unpaid() -> TryLater:
    remedy = message("Renew the subscription of Bitrix24; deliveries go on by themselves.")
    return _later(message("The subscription of this Bitrix24 has ended"), "unpaid", PERSON_WAIT, remedy)


# -- one function a kind of answer ----------------------------------------------------------------------


def _by_status(status: int, safe: bool) -> ConnectorError:
    """Answers without a code come from what stands before the portal."""
    if status in REDIRECTS:
        words = message("Bitrix24 sends us elsewhere")
        return TryLater(words, code="redirected", account_wide=True, repeatable=False)
    if status == 429:
        return busy(CRM, BUSY_WAIT)
    if status == 401:
        return _gone("")
    if status not in NOT_DONE:
        return failed(CRM, status, safe)
    return _later(message("The portal does not answer as one ({status})", status=status), f"http_{status}")


def _later(words: str, code: str, after: float | None = None, remedy: str = "") -> TryLater:
    return TryLater(words, code=code, after=after, remedy=remedy, account_wide=True)


def _stale(words: str) -> ConnectorError:
    """Inside a batch: the token ran out between two commands."""
    return _later(message("The token ran out meanwhile"), "expired_token", 1)


def _denied(words: str) -> ConnectorError:
    """The plan, or the user's rights: only the text tells (reference 2.4)."""
    if not any(known in words.lower() for known in PLAN_WORDS):
        return no_rights(CRM, words)
    remedy = message("Change the plan of this Bitrix24; deliveries go on by themselves.")
    return _later(
        message("This Bitrix24's plan has no REST API ({words})", words=words), "plan", PERSON_WAIT, remedy
    )


def _waiting(words: str) -> ConnectorError:
    remedy = message("An administrator of the portal must allow the method.")
    return _later(
        message("Bitrix24 waits for a confirmation ({words})", words=words),
        "confirm_waiting",
        PERSON_WAIT,
        remedy,
    )


def _reconnect(sentence: str, remedy: str, code: str = "") -> Callable[[str], ConnectorError]:
    def error(words: str) -> ConnectorError:
        return NeedsReconnect(aside(sentence, words), code=code or "unauthorized", remedy=remedy)

    return error


def _ours(words: str) -> ConnectorError:
    said = message("Bitrix24 does not take our requests: {words}", words=words)
    return OurMistake(said, code="bad_request")


AGAIN = message("Connect Bitrix24 again.")
INSTALL = message("Install the application in Bitrix24 again, then connect it.")
OTHER_USER = message("Connect Bitrix24 again under a working administrator's account.")
_gone = _reconnect(message("Bitrix24 refuses our token"), AGAIN)

TABLE: dict[str, Callable[[str], ConnectorError]] = {
    "query_limit_exceeded": lambda words: busy(CRM, BUSY_WAIT),
    "operation_time_limit": lambda words: operating_limit(OPERATING_WAIT),
    "overload_limit": lambda words: _later(
        message("Bitrix24 has blocked this portal's requests"),
        "overload",
        LONG_WAIT,
        message("Ask Bitrix24's support why the portal is blocked."),
    ),
    "expired_token": _stale,
    "invalid_token": _stale,
    "no_auth_found": _gone,
    "error_oauth": _reconnect(
        message("The application is not installed in this Bitrix24"), INSTALL, "not_installed"
    ),
    "application_not_found": _reconnect(
        message("The application is not installed"), INSTALL, "not_installed"
    ),
    "authorization_error": _reconnect(
        message("The user who connected can't work any more"), OTHER_USER, "user_gone"
    ),
    "payment_required": lambda words: unpaid(),
    "insufficient_scope": _reconnect(
        message("The application has too few rights"),
        message("Tick crm and user on the application's card."),
        NO_SCOPE,
    ),
    "user_access_error": _reconnect(
        message("The user may not use the application"), OTHER_USER, "user_access"
    ),
    "invalid_credentials": _gone,
    "access_denied": _denied,
    "invalid_request": _ours,
    "portal_deleted": _reconnect(
        message("The portal was deleted"), message("Connect another Bitrix24."), "portal_deleted"
    ),
    "method_confirm_waiting": _waiting,
    "method_confirm_denied": _reconnect(
        message("An administrator forbade the method"), AGAIN, "confirm_denied"
    ),
    "wrong_auth_type": _gone,
    "allowed_only_intranet_user": _reconnect(
        message("Only employees may do this"), OTHER_USER, "not_intranet"
    ),
}
