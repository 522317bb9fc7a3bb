"""What solOS's answers mean. No error is documented: status first, then the body (reference 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connectors import errors
from connectors.errors import UNREADABLE, ConnectorError, NeedsReconnect, Refused, TryLater, Unclear
from connectors.http import Answer
from connectors.messages import aside, message
from connectors.response_shape import sample
from connectors.solos.records import ENVELOPES, number

CRM = "solOS"
NOT_FOUND, NO_API = "not_found", "no_api"
ABOUT_KEYS = re.compile(r"(?i)token|secret|crypto|unauthori[sz]ed|access denied|токен|ключ|доступ запрещ")
BUSY_WAIT = 5.0
LONGEST_WAIT = 3600.0
REMEDY = message("Copy the token and the secret from the settings of solOS and connect the account again.")


class SolosResponses:
    """``any_2xx``: the operator says that a 2xx is a success whatever its body says."""

    def __init__(self, any_2xx: bool = False) -> None:
        self.any_2xx = any_2xx

    def is_expired(self, answer: Answer) -> bool:
        """Keys don't expire."""
        return False

    def failure(self, answer: Answer, safe: bool) -> ConnectorError | None:
        if not answer.ok:
            return _by_status(answer, safe)
        if not safe and (self.any_2xx or not answer.text.strip()):
            return None  # a create may answer nothing at all (6.19)
        if safe and answer.text.lstrip().startswith("<"):
            return _no_api(answer.status)  # a page: whoever answers there is no API
        if answer.json is None:
            return errors.unreadable(CRM, safe)
        return _inside(answer.json, safe)


def words_of(body: Any) -> str:
    """The words of an error in an answer; empty where there is none. null, "" and 0 are no error (4)."""
    if not isinstance(body, Mapping) or number(body):
        return ""
    if any(body.get(key) not in (None, "") for key in ENVELOPES):
        return ""
    if body.get("success") is False or body.get("status") == "error":
        return _text(body.get("error") or body.get("errors") or body.get("message")) or "no success"
    return _text(body.get("error") or body.get("errors") or body.get("message"))


def unreadable(body: Any) -> TryLater:
    """A read that brought something else than rows. Its form is told, never its values."""
    words = message("solOS's answer has a form that we don't know: {sample}", sample=sample(body))
    return TryLater(words[:500], code=UNREADABLE, account_wide=True, repeatable=False)


def _inside(body: Any, safe: bool) -> ConnectorError | None:
    """A 2xx with an error in it. A bare ``message`` to a create may as well say that all is done."""
    words = words_of(body)
    if not words:
        return None
    if ABOUT_KEYS.search(words):
        return _gone(words)
    named = any(body.get(key) for key in ("error", "errors")) or body.get("success") is False
    if not safe and not named and body.get("status") != "error":
        return Unclear(message("solOS answered only: {words}", words=words), code="only_a_message")
    return Refused(message("solOS says no: {words}", words=words), code="refused")


def _by_status(answer: Answer, safe: bool) -> ConnectorError:
    status, words = answer.status, words_of(answer.json)
    if status in (401, 403) or (400 <= status < 500 and ABOUT_KEYS.search(words)):
        return _gone(words)
    if status == 429:
        return errors.busy(CRM, _seconds(answer.headers.get("Retry-After", "")))
    if status in errors.REDIRECTS:
        return errors.redirected(CRM, status, safe)
    if status not in errors.NOT_DONE:
        return errors.failed(CRM, status, safe)
    if status in (404, 405) and not words:
        return _no_api(status)
    code = NOT_FOUND if status == 404 else f"http_{status}"
    no = message("solOS says no ({status}): {what}", status=status, what=words or "no words")
    if status == 402:  # what is to be paid for is not the lead
        return TryLater(no, code=code, account_wide=True, repeatable=False)
    return Refused(no, code=code)


def _no_api(status: int) -> TryLater:
    return TryLater(
        message("There is no such API at this address ({status})", status=status),
        code=NO_API,
        remedy=message(
            "Check the address of solOS, and that its API is switched on; deliveries go on by themselves."
        ),
        account_wide=True,
        repeatable=False,
    )


def _gone(words: str) -> NeedsReconnect:
    said = aside(message("solOS refuses the token and the secret"), words)
    return NeedsReconnect(said, code="unauthorized", remedy=REMEDY)


def _text(said: Any) -> str:
    if isinstance(said, Mapping):
        said = list(said.values())
    if isinstance(said, (list, tuple)):
        return "; ".join(filter(None, map(_text, said)))[:500]
    return str(said).strip()[:500] if said else ""


def _seconds(text: str) -> float:
    return min(float(text), LONGEST_WAIT) if text.isdecimal() else BUSY_WAIT
