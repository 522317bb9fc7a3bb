"""Errors that callers are told, each with a machine word, a sentence, and the field it is about."""

from __future__ import annotations

from rest_framework.exceptions import APIException

# What ``code`` says on our own paths. A new one is added here; none is taken away.
CODES = {
    # the request
    "invalid": "a value is none that can be taken",
    "required": "a value is missing",
    "null": "a value is null that may not be",
    "blank": "a text is empty that may not be",
    "max_length": "a text is too long",
    "min_length": "a text or a list is too short",
    "max_value": "a number is too large",
    "min_value": "a number is too small",
    "invalid_choice": "a value is none of those that are offered",
    "not_a_list": "a list was expected",
    "not_a_dict": "an object was expected",
    "empty": "a list is empty that may not be",
    "parse_error": "the body is no JSON that can be read",
    "unreadable": "the request can't be read",
    "unstorable": "a value has characters or a size that can't be stored",
    "too_large": "the body is larger than 256 KiB",
    "unsupported_media_type": "the body is not JSON",
    "method_not_allowed": "the path knows no such method",
    # the caller
    "not_authenticated": "there is no bearer token",
    "authentication_failed": "the bearer token is not valid",
    "permission_denied": "the token does not open this",
    "forbidden": "the proof in the request is not valid",
    "throttled": "too many requests: see Retry-After",
    # what is there
    "not_found": "not there, or not the caller's",
    "no_account": "no account of this CRM is connected",
    "no_rule": "the quiz has no rule in this CRM",
    "rule_exists": "the quiz has a rule in this CRM",
    "account_needs_reconnect": "the CRM no longer accepts our sign-in",
    "answer_changed": "the answer came before with another body and was complete",
    "conflict": "it contradicts what is there",
    "rule_idle": "the rule is paused or deleted",
    "no_version": "nothing is known of the rule's versions",
    "erased": "what was answered is erased",
    "sending": "it is being sent right now",
    "replaying": "another replay of it is under way",
    "account_away": "the CRM account is not connected, or paused",
    "host_not_allowed": "the account's address is none that the service may talk to",
    "cant_update": "this CRM can't change a lead that is there",
    "lead_unknown": "which lead it became is not known",
    "joined": "it joined an open lead, which is not its own to change",
    "unclear": "it may have arrived, and the CRM can't be asked",
    "cursor_expired": "events behind the cursor may be deleted: begin without one",
    # us
    "unavailable": "the database or the platform's keys are away: see Retry-After",
    "error": "something else went wrong",
}


class ApiError(APIException):
    """An error with a machine word, a sentence, and the field it is about."""

    status_code = 400
    default_code = "invalid"

    def __init__(self, message: str, *, code: str = "", field: str = "", status: int = 400) -> None:
        super().__init__(message, code or self.default_code)
        self.status_code = status
        self.message = message
        self.code = code or self.default_code
        self.field = field


class NotFound(ApiError):
    def __init__(self, message: str = "Not Found", *, code: str = "not_found", field: str = "") -> None:
        super().__init__(message, code=code, field=field, status=404)


class Unavailable(ApiError):
    """Nothing is wrong with the request: it may be sent again in ``retry_after`` seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, code="unavailable", status=503)
        self.retry_after = retry_after


class Conflict(ApiError):
    def __init__(self, message: str, *, code: str = "conflict", field: str = "") -> None:
        super().__init__(message, code=code, field=field, status=409)
