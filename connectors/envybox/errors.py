"""What Envybox's answers mean: its sentence first, the body's code second, the HTTP status last (1.3, 1.4).

The trap: a body that says 500 means "bad request" or "not found", for good. Only an answer without Envybox's
envelope is a failure of the way there.
"""

from __future__ import annotations

from typing import Any

from connectors import errors
from connectors.errors import ConnectorError, NeedsReconnect, Refused, TryLater, busy, failed, unreadable
from connectors.http import Answer
from connectors.messages import aside, message

WRONG_KEY, IN_WORK, NO_LEAD, NO_DEAL, NO_CLIENT = "wrong_key", "in_work", "no_lead", "no_deal", "no_client"
BAD_REQUEST, NO_FIELD, MISSING = "bad_request", "no_field", "missing"
SENTENCES = {
    "неправильный ключ api": WRONG_KEY,
    "лид уже взят в работу": IN_WORK,
    "лид с данным id не найден": NO_LEAD,
    "не указан lead_id": MISSING,
    "сделка не найдена": NO_DEAL,
    "сделка с данным id не найдена": NO_DEAL,
    "не указан deal_id": MISSING,
    "клиент не найден": NO_CLIENT,
    "поле не найдено": NO_FIELD,
    "неверный request": BAD_REQUEST,
}
CRM = "Envybox"
BUSY_WAIT = 5
LONGEST_CODE = 10  # digits
NEW_KEY = message("Connect Envybox again with the key from Settings - Integrations - API.")


class EnvyResponses:
    """Envybox's table of answers."""

    def is_expired(self, answer: Answer) -> bool:
        """Keys do not expire; a wrong one stays wrong."""
        return False

    def failure(self, answer: Answer, safe: bool) -> ConnectorError | None:
        body = answer.json if isinstance(answer.json, dict) else None
        if body is not None and answer.ok and is_success(body):
            return None
        if body is not None and is_envelope(body) and code_of(body) != 200:
            return meaning(body, answer.status)
        return _by_status(answer, safe)


def is_success(body: dict[str, Any]) -> bool:
    """The deals' filter is shown without an envelope, so an answer that names no code and no fault counts."""
    code, said = code_of(body), _said(body)
    return code == 200 or (code is None and (said in ("", "success")) and bool(body))


def is_envelope(body: dict[str, Any]) -> bool:
    return code_of(body) is not None or bool(_said(body))


def code_of(body: dict[str, Any]) -> int | None:
    """A number or a numeric string; None where there is none."""
    text = str(body.get("status_code") if body.get("status_code") is not None else "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < LONGEST_CODE else None


class Doubtful(Refused):
    """A no that nobody has seen, with a code that is no client's fault: whoever made a lead with it looks
    whether it is there. Stays inside this package."""


def meaning(body: dict[str, Any], status: int) -> ConnectorError:
    """What a refusal says. A sentence that nobody has seen is one all the same."""
    words, code = str(body.get("message") or "").strip()[:300], code_of(body)
    known = SENTENCES.get(_said(body), "")
    if known == WRONG_KEY or (not known and code == 401):
        return wrong_key(words)
    if not known and code == 429:
        return busy(CRM, BUSY_WAIT)
    is_no = known or (status if code is None else code) in errors.NOT_DONE
    return (Refused if is_no else Doubtful)(
        message("Envybox says no: {what}", what=words or code), code=known or f"envybox_{code or 'unknown'}"
    )


def wrong_key(words: str = "") -> NeedsReconnect:
    said = aside(message("Envybox does not accept the key"), words)
    return NeedsReconnect(said, code=WRONG_KEY, remedy=NEW_KEY)


def _said(body: dict[str, Any]) -> str:
    return " ".join(str(body.get("message") or "").split()).casefold().rstrip(".!")


def _by_status(answer: Answer, safe: bool) -> ConnectorError:
    """No envelope: what stands before Envybox spoke, or half of an answer came."""
    status = answer.status
    if status == 429:
        return busy(CRM, BUSY_WAIT)
    if answer.ok:
        return unreadable(CRM, safe)
    if status in errors.REDIRECTS:
        return errors.redirected(CRM, status, safe)
    if status not in errors.NOT_DONE:
        return failed(CRM, status, safe)
    return TryLater(
        message("The address does not answer as Envybox ({status})", status=status),
        code=f"http_{status}",
        account_wide=True,
    )
