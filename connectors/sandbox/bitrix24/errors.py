"""Refusals and their statuses (reference 2.3, 2.4). Docs, core and SDK disagree on some: that is a switch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.sandbox.core import Reply

# code: description, then the status by the docs, by the core's source, by b24pysdk's classes
SYSTEM: dict[str, tuple[str, int | None, int | None, int | None]] = {
    "QUERY_LIMIT_EXCEEDED": ("Too many requests", 503, None, 503),
    "OPERATION_TIME_LIMIT": ("Method is blocked due to operation time limit.", 429, 429, 429),
    "OVERLOAD_LIMIT": ("REST API is blocked due to overload.", 503, 401, 503),
    "expired_token": ("The access token provided has expired.", 401, 401, 401),
    "invalid_token": ("Unable to get application by token", 401, 401, 401),
    "NO_AUTH_FOUND": ("Wrong authorization data", 401, 401, 401),
    "ERROR_OAUTH": ("Application not installed", 401, 401, 401),
    "APPLICATION_NOT_FOUND": ("Application not found", 401, 401, 401),
    "authorization_error": ("Unable to authorize user", 401, 401, 401),
    "PAYMENT_REQUIRED": ("Subscription has been ended", None, None, 401),
    "insufficient_scope": (
        "The request requires higher privileges than provided by the access token", 403, 401, 401
    ),
    "user_access_error": ("The user does not have access to the application.", 403, 401, 403),
    "INVALID_CREDENTIALS": ("Invalid request credentials", 403, 401, 401),
    "ACCESS_DENIED": ("REST API is available only on commercial plans.", 403, 401, 403),
    "INVALID_REQUEST": ("Https required.", 400, 401, 400),
    "ERROR_METHOD_NOT_FOUND": ("Method not found!", None, 404, None),
    "PORTAL_DELETED": ("Portal was deleted", 500, 403, 410),
    "WRONG_AUTH_TYPE": ("Current authorization type is denied for this method", 403, 403, 403),
    "allowed_only_intranet_user": ("Allowed only for intranet users", 403, 403, 403),
    "METHOD_CONFIRM_WAITING": ("Waiting for confirmation", 401, 401, 401),
    "METHOD_CONFIRM_DENIED": ("Method call denied", 403, 403, 403),
    "INTERNAL_SERVER_ERROR": ("Internal server error", 500, 500, 500),
    "ERROR_BATCH_METHOD_NOT_ALLOWED": ("Method is not allowed for batch usage", 405, 405, 405),
    "ERROR_BATCH_LENGTH_EXCEEDED": ("Max batch length exceeded", 400, 400, 400),
}  # fmt: skip
COLUMNS = {"docs": 1, "core": 2, "sdk": 3}


class Refused(Exception):
    """A method says no: {"error", "error_description"} and a status."""

    def __init__(self, status: int, code: str, text: str, **extra: Any) -> None:
        super().__init__(code or text)
        self.status, self.code, self.text, self.extra = status, code, text, extra

    def body(self) -> dict[str, Any]:
        return {"error": self.code, "error_description": self.text, **self.extra}

    def reply(self) -> Reply:
        return Reply.json(self.status, self.body(), "application/json; charset=utf-8")


def system(switches: Mapping[str, Any], code: str) -> Refused:
    """A system code with the status that the switches `statuses` and `status_of` choose."""
    text, *statuses = SYSTEM[code]
    chosen = statuses[COLUMNS[switches["statuses"]] - 1]
    known = next(status for status in (chosen, *statuses) if status)
    return Refused(switches["status_of"].get(code, known), code, text)


def core_error(text: str) -> Refused:
    return Refused(400, "ERROR_CORE", text)


def plain(text: str) -> Refused:
    """Classic CRM methods say these with an empty code (2.3)."""
    return Refused(400, "", text)


def not_found() -> Refused:
    return plain("Not found")


def access_denied() -> Refused:
    return plain("Access denied.")
