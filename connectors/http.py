"""The one door to the network.

Session, timeouts, User-Agent, pace, redaction and error translation happen here and once. ``safe`` means
that doing a request twice does no harm: a lost answer to a safe request is ``TryLater``, to any other it
is ``Unclear``. What a CRM's answers mean is the CRM's own table (``Reader``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from connectors.auth import Auth, NoAuth
from connectors.draft import Exchange
from connectors.errors import ConnectorError, NeedsReconnect, TryLater, Unclear
from connectors.limiter import NoPace, Pace
from connectors.redact import excerpt, redact

log = logging.getLogger(__name__)

USER_AGENT = "quiz-crm/1.0"
MAX_BODY = 32 * 1024 * 1024
NOT_SENT = (requests.ConnectTimeout, requests.exceptions.SSLError, requests.exceptions.ProxyError)


@dataclass(frozen=True, slots=True)
class Answer:
    """A CRM's reply, read whole. ``json`` is None where the body is empty or isn't JSON."""

    status: int
    headers: Mapping[str, str]
    text: str
    json: Any

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Reader(Protocol):
    """A CRM's own table of what its answers mean."""

    def is_expired(self, answer: Answer) -> bool:
        """Does the CRM say that the token is too old, so that a fresh one and a repeat help?"""

    def failure(self, answer: Answer, safe: bool) -> ConnectorError | None:
        """The error that this answer stands for, or None for a success."""


def _session() -> requests.Session:
    session = requests.Session()
    adapter = HTTPAdapter(pool_connections=64, pool_maxsize=64, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.cookies.set_policy(_NoCookies())
    return session


class _NoCookies(requests.cookies.cookielib.DefaultCookiePolicy):  # type: ignore[name-defined,misc]
    """Accounts share the connection pool, never a cookie."""

    def set_ok(self, cookie: Any, request: Any) -> bool:
        return False


SESSION = _session()


class Door:
    """Requests to one account of one CRM.

    ``on_exchange`` sees every request and answer, redacted; ``timeout`` is (connect, read) in seconds.
    """

    def __init__(
        self,
        base_url: str,
        reader: Reader,
        *,
        auth: AuthBase | None = None,
        pace: Pace | None = None,
        timeout: tuple[float, float] = (5.0, 20.0),
        headers: Mapping[str, str] | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.reader = reader
        self.auth = auth or NoAuth()
        self.pace = pace or NoPace()
        self.timeout = timeout
        self.headers = {"User-Agent": USER_AGENT, "Accept": "application/json", **(headers or {})}
        self.on_exchange = on_exchange

    def call(self, method: str, path: str, *, safe: bool | None = None, **kwargs: Any) -> Any:
        """Send a request and return its JSON (None for an empty body). Raises a ``ConnectorError``.

        ``kwargs`` are those of ``requests``: ``params``, ``json``, ``data``, ``headers``.
        """
        return self.ask(method, path, safe=safe, **kwargs).json

    def ask(self, method: str, path: str, *, safe: bool | None = None, **kwargs: Any) -> Answer:
        """As ``call``, but the whole answer. An expired token is renewed once and the request repeated."""
        safe = method == "GET" if safe is None else safe
        answer = self._send(method, path, safe, kwargs)
        if self.reader.is_expired(answer) and isinstance(self.auth, Auth) and self.auth.tokens:
            self.auth.renew(self.auth.tokens)
            answer = self._send(method, path, safe, kwargs)
            if self.reader.is_expired(answer):
                raise NeedsReconnect(
                    "The CRM refuses a token that it has just given out",
                    code="token_refused",
                    remedy="Connect the account again.",
                    account_wide=True,
                )
        if error := self.reader.failure(answer, safe):
            raise error
        return answer

    def _send(self, method: str, path: str, safe: bool, kwargs: Mapping[str, Any]) -> Answer:
        self.pace.wait()
        started = time.monotonic()
        try:
            answer = self._exchange(method, path, kwargs)
        except requests.RequestException as exc:
            self._tell(method, path, kwargs, Answer(0, {}, type(exc).__name__, None), started)
            raise _lost(exc, safe) from exc
        self._tell(method, path, kwargs, answer, started)
        return answer

    def _exchange(self, method: str, path: str, kwargs: Mapping[str, Any]) -> Answer:
        options = {**kwargs, "headers": {**self.headers, **kwargs.get("headers", {})}}
        with SESSION.request(
            method,
            self.base_url + path,
            auth=self.auth,
            timeout=self.timeout,
            allow_redirects=False,
            stream=True,
            **options,
        ) as response:
            body = response.raw.read(MAX_BODY, decode_content=True) or b""
            return Answer(response.status_code, response.headers, *_decode(body, response.encoding))

    def _tell(
        self, method: str, path: str, kwargs: Mapping[str, Any], answer: Answer, started: float
    ) -> None:
        seconds = time.monotonic() - started
        log.debug("%s %s%s -> %s in %.2fs", method, self.base_url, redact(path), answer.status, seconds)
        if self.on_exchange:
            sent = kwargs.get("json") or kwargs.get("data") or kwargs.get("params")
            url = redact(self.base_url + path)
            self.on_exchange(
                Exchange(method, url, excerpt(sent), answer.status, excerpt(answer.text), round(seconds, 3))
            )


def _decode(body: bytes, encoding: str | None) -> tuple[str, Any]:
    text = body.decode(encoding or "utf-8", errors="replace")
    try:
        return text, _loads(text)
    except ValueError:
        return text, None


def _loads(text: str) -> Any:
    return requests.compat.json.loads(text)  # type: ignore[attr-defined]


def _lost(exc: requests.RequestException, safe: bool) -> ConnectorError:
    """A request without an answer. What surely never reached the CRM is ``TryLater`` even when unsafe."""
    words = f"The CRM did not answer ({type(exc).__name__})"
    if safe or isinstance(exc, NOT_SENT) or _refused(exc):
        return TryLater(words, code="no_answer", account_wide=True)
    return Unclear(words, code="no_answer", account_wide=True)


def _refused(exc: requests.RequestException) -> bool:
    """No connection was made: refused, unreachable, no such name."""
    return isinstance(exc, requests.ConnectionError) and "NewConnectionError" in repr(exc)
