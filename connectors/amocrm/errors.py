"""What amoCRM's answers mean: its own code or hint first, the status second (reference 6.3, 6.4).

amocrm.ru/developers/content/crm_platform/error-codes
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectors.errors import (
    NO_RIGHTS,
    NOT_DONE,
    PERSON_WAIT,
    ConnectorError,
    NeedsReconnect,
    Refused,
    Stopped,
    TryLater,
    busy,
    failed,
    no_rights,
    of_account,
    unreadable,
)
from connectors.http import Answer
from connectors.limiter import RateLimiter
from connectors.messages import message

LONGEST_WAIT = 3600.0
NOT_THERE = ("Cannot ", "Not Found")
CRM = "amoCRM"
NO_SCOPE = "no_scope"
NOT_ALLOWED = (NO_RIGHTS, NO_SCOPE)


@dataclass(frozen=True, slots=True)
class ValidationIssue:
    """One thing that amoCRM dislikes about one item of a request."""

    request_id: str
    code: str
    path: str
    detail: str

    @property
    def words(self) -> str:
        return f"{self.path}: {self.detail or self.code}"


class ValidationFailed(Refused):
    """A 400 that names what is wrong; nothing of the request was stored. Stays inside this package."""

    def __init__(self, message: str, *, issues: tuple[ValidationIssue, ...] = (), **rest: Any) -> None:
        super().__init__(message, **rest)
        self.issues = issues


class AmoResponses:
    """amoCRM's table of answers for one account; a block puts the account's stop sign up."""

    def __init__(self, limiter: RateLimiter) -> None:
        self.limiter = limiter

    def is_expired(self, answer: Answer) -> bool:
        """401 stands for an old token and for a renamed account; 404 for the latter, too (1.8).

        A path or a record that does not exist says ``Cannot GET https://...`` or ``Not Found`` (6.3).
        """
        return answer.status == 401 or (
            answer.status == 404 and not explanation(answer).startswith(NOT_THERE)
        )

    def failure(self, answer: Answer, safe: bool) -> ConnectorError | None:
        if answer.ok:
            is_read = answer.json is not None or not answer.text.strip()
            return None if is_read else unreadable(CRM, safe)
        if answer.status == 403 and not error_body(answer):
            self.limiter.stop(message("amoCRM answered 403 with a page instead of JSON"))
            return _blocked()
        if answer.status in TABLE:
            return TABLE[answer.status](answer)
        return _refused(answer) if answer.status in NOT_DONE else failed(CRM, answer.status, safe)


def error_body(answer: Answer) -> dict[str, Any]:
    """The JSON object of an error body; empty where it is something else."""
    return answer.json if isinstance(answer.json, dict) else {}


def explanation(answer: Answer) -> str:
    """The vendor's own explanation, as far as there is one."""
    body = error_body(answer)
    words = [str(body[key]) for key in ("detail", "hint", "title") if body.get(key)]
    return words[0][:500] if words else f"status {answer.status}"


def retry_after(answer: Answer) -> float | None:
    """How long amoCRM asks us to wait: the header, else the body (Kommo's ``retry_after``)."""
    raw = answer.headers.get("Retry-After") or error_body(answer).get("retry_after")
    try:
        return min(max(float(raw), 0.0), LONGEST_WAIT) if raw is not None else None
    except (TypeError, ValueError):
        return None


def issues(body: dict[str, Any]) -> tuple[ValidationIssue, ...]:
    """The ``validation-errors`` of a 400, flat."""
    found = body.get("validation-errors")
    return tuple(
        ValidationIssue(
            str(item.get("request_id", "")),
            str(error.get("code", "")),
            str(error.get("path", "")),
            str(error.get("detail", "")),
        )
        for item in (found if isinstance(found, list) else [])
        if isinstance(item, dict)
        for error in item.get("errors") or []
        if isinstance(error, dict)
    )


# -- one function a kind of answer ----------------------------------------------------------------------


def _invalid(answer: Answer) -> ConnectorError:
    found = issues(error_body(answer))
    if found:
        words = "; ".join(issue.words for issue in found[:5])
        return ValidationFailed(
            message("amoCRM refuses: {words}", words=words), code=found[0].code, issues=found
        )
    if str(error_body(answer).get("code")) == "244":
        return _no_rights(answer)
    return _refused(answer)


def _unpaid(answer: Answer) -> ConnectorError:
    return TryLater(
        message("The amoCRM account isn't paid for"),
        code="unpaid",
        after=PERSON_WAIT,
        account_wide=True,
        remedy=message("Pay for amoCRM; deliveries go on by themselves."),
    )


def _no_rights(answer: Answer) -> ConnectorError:
    if "scope" in explanation(answer).lower():
        return Refused(
            message("The integration's scope doesn't cover this call"),
            code=NO_SCOPE,
            remedy=message("Tick the scopes in the integration's settings in amoCRM, then connect again."),
        )
    return no_rights(CRM, explanation(answer))


def as_account_error(error: ConnectorError) -> ConnectorError:
    """Missing rights at the heart of a delivery concern the whole account, and so does a missing address.

    The addresses that a delivery can't do without exist in every account: where one is not found, the
    account has moved, and the next renewal of its tokens learns where to (1.8).
    """
    if error.code == "http_404":
        return address_gone(error)
    return of_account(error) if error.code in NOT_ALLOWED else error


def address_gone(error: ConnectorError) -> ConnectorError:
    words = message("amoCRM does not know this account's address any more")
    return TryLater(words, code="address_gone", account_wide=True, trace=error.trace)


def _blocked() -> ConnectorError:
    return Stopped(
        message("amoCRM has blocked this account's or this server's requests"),
        code="blocked",
        remedy=message("Ask amoCRM's support to lift the block, then resume the account."),
    )


def _busy(answer: Answer) -> ConnectorError:
    return busy(CRM, retry_after(answer))


def _moved(answer: Answer) -> ConnectorError:
    return TryLater(message("amoCRM sends us elsewhere"), code="redirected", account_wide=True)


def _expired(answer: Answer) -> ConnectorError:
    """Reached only where nothing was left to renew."""
    words = message("amoCRM refuses our token")
    return NeedsReconnect(words, code="unauthorized", remedy=message("Connect again."))


def _refused(answer: Answer) -> ConnectorError:
    return Refused(
        message("amoCRM says no: {explanation}", explanation=explanation(answer)),
        code=f"http_{answer.status}",
    )


TABLE: dict[int, Callable[[Answer], ConnectorError]] = {
    301: _moved,
    302: _moved,
    307: _moved,
    308: _moved,
    400: _invalid,
    401: _expired,
    402: _unpaid,
    403: _no_rights,
    422: _invalid,
    429: _busy,
}
