"""What the token endpoint's answers mean: status and ``hint``, never the localised words (reference 1.5)."""

from __future__ import annotations

import time

from connectors.amocrm.errors import problem, wish
from connectors.auth import Tokens
from connectors.errors import BadCallback, ConnectorError, NeedsReconnect, OurMistake, TryLater
from connectors.http import Answer

# Pieces of hints that name the refresh token. Statuses differ: 401 in most reports, 400 in some.
TOKEN_HINTS = (
    "token has been revoked",
    "decrypt the refresh token",
    "invalid refresh token",
    "token has expired",
)
CODE_HINTS = {
    "has expired": "The code from amoCRM has expired. Start connecting again.",
    "has been revoked": "The code from amoCRM was used already. Start connecting again.",
    "decrypt the authorization code": "The code from amoCRM is damaged. Start connecting again.",
}
CLIENT_HINTS = (
    "client_id",
    "client_secret",
    "redirect_uri",
    "send request to account",
    "client authentication",
)
OAUTH_TYPE = "OAuthProblemJson"
MARGIN = 60.0


class TokenResponses:
    """Answers that speak of a code or a token come back as they are; the rest means: not now."""

    def is_expired(self, answer: Answer) -> bool:
        return False

    def failure(self, answer: Answer, safe: bool) -> ConnectorError | None:
        if answer.ok or (answer.status in (400, 401, 404) and (problem(answer) or answer.status == 404)):
            return None
        words = f"amoCRM's sign-in server is not available ({answer.status})"
        return TryLater(words, code=f"http_{answer.status}", after=wish(answer), account_wide=True)


def hint(answer: Answer) -> str:
    return str(problem(answer).get("hint") or "")


def is_token_refusal(answer: Answer) -> bool:
    """Does the answer name the refresh token as the culprit?"""
    return answer.status in (400, 401) and any(words in hint(answer).lower() for words in TOKEN_HINTS)


def is_client_error(answer: Answer) -> bool:
    """Our id, our secret or our redirect address; hits every account at once."""
    if any(words in hint(answer).lower() for words in CLIENT_HINTS):
        return True
    nameless = answer.status == 401 and not hint(answer)
    return nameless and OAUTH_TYPE in str(problem(answer).get("type") or "")


def exchange_error(answer: Answer) -> Exception:
    if is_client_error(answer):
        return our_mistake("amoCRM refuses our client id, secret or redirect address")
    if answer.status == 404:
        return BadCallback("There is no such amoCRM account.")
    words = hint(answer).lower()
    known = (text for piece, text in CODE_HINTS.items() if piece in words)
    return BadCallback(next(known, "amoCRM did not accept the code. Start connecting again."))


def not_alive(answer: Answer) -> NeedsReconnect:
    return NeedsReconnect(
        "amoCRM no longer accepts our token",
        code="token_revoked",
        remedy="Connect amoCRM again.",
        account_wide=True,
    )


def our_mistake(words: str) -> OurMistake:
    return OurMistake(
        words,
        code="client_refused",
        remedy="Compare AMOCRM_CLIENT_ID, AMOCRM_CLIENT_SECRET and AMOCRM_REDIRECT_URI with the integration.",
        account_wide=True,
    )


def read_tokens(answer: Answer) -> Tokens:
    """The pair, with the vendor's own clock (1.4). Raises ``TryLater`` where there is none."""
    body = problem(answer)
    access, refresh = body.get("access_token"), body.get("refresh_token")
    if not (isinstance(access, str) and isinstance(refresh, str) and access and refresh):
        raise TryLater("amoCRM's sign-in server sent no tokens", code="unreadable", account_wide=True)
    now = float(body.get("server_time") or time.time() - MARGIN)
    return Tokens(access, refresh, expires_at=now + float(body.get("expires_in") or 0))
