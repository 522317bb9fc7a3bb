"""Auth is an object beside the HTTP client: it signs a request and knows how to get a fresh token.

The store it reads from is handed in (``accounts.tokens`` keeps it in a locked database row), so nothing
here knows a database.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from requests import PreparedRequest as PreparedRequest
from requests.auth import AuthBase

from connectors.errors import UNREADABLE, TryLater
from connectors.messages import message


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair as the CRM gave it; ``expires_at`` in Unix seconds, 0 for what never expires.

    Key-based CRMs keep their key in ``access`` and their second secret in ``refresh``.
    """

    access: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    expires_at: float = 0.0


FURTHEST = 1e10  # Unix seconds, in the year 2286: what is said beyond it is no time


def seconds_told(said: Any, otherwise: float) -> float:
    """A number of seconds as a CRM's sign-in server says it, ``otherwise`` where it is none: the pair beside
    it is good all the same, and the one before is spent."""
    try:
        found = float(said)
    except (TypeError, ValueError, OverflowError):
        return otherwise
    return found if 0 < found < FURTHEST else otherwise


def token_pair(crm: str, body: Mapping[str, Any]) -> tuple[str, str]:
    """The access and the refresh token of a sign-in server's answer. Raises ``TryLater`` where there is no
    such pair."""
    access, refresh = body.get("access_token"), body.get("refresh_token")
    if not (isinstance(access, str) and isinstance(refresh, str) and access and refresh):
        words = message("{crm}'s sign-in server sent no tokens", crm=crm)
        raise TryLater(words, code=UNREADABLE, account_wide=True)
    return access, refresh


class TokenStore(Protocol):
    """Where an account's tokens live."""

    def current(self) -> Tokens:
        """The stored pair. Raises ``NeedsReconnect`` where there is none."""

    def renew(self, stale: Tokens) -> Tokens:
        """A pair newer than ``stale``: another process's, or one exchanged now under a lock.

        Raises ``NeedsReconnect``, ``TryLater`` or ``OurMistake``; never ``Unclear``.
        """


class Auth(AuthBase):
    """Signs requests from a token store. Subclasses say how a token travels. Threads may share one."""

    def __init__(self, store: TokenStore) -> None:
        self.store = store
        self.tokens: Tokens | None = None
        self._lock = threading.Lock()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return self.sign(request, self.current())

    def current(self) -> Tokens:
        """The pair to sign with, read from the store once."""
        with self._lock:
            self.tokens = self.tokens or self.store.current()
            return self.tokens

    def signing(self, tokens: Tokens) -> Callable[[PreparedRequest], PreparedRequest]:
        """Signs with this very pair: whoever is refused must know which pair was."""
        return lambda request: self.sign(request, tokens)

    def sign(self, request: PreparedRequest, tokens: Tokens) -> PreparedRequest:
        raise NotImplementedError

    def renew(self, stale: Tokens) -> Tokens:
        """After the CRM called ``stale`` expired: a newer pair, for this and later requests."""
        with self._lock:
            if self.tokens is None or self.tokens.access == stale.access:
                self.tokens = self.store.renew(stale)
            return self.tokens


class Bearer(Auth):
    """``Authorization: Bearer <access token>``."""

    def sign(self, request: PreparedRequest, tokens: Tokens) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {tokens.access}"
        return request


class NoAuth(AuthBase):
    """For exchanges that carry their own proof; also keeps a user's .netrc out of it."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return request
