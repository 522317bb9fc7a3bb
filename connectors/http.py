"""The only way to the network.

Session, timeouts, User-Agent, rate limit, redaction and error translation happen here and once.
``safe`` means that doing a request twice does no harm: a lost answer to a safe request is ``TryLater``, to
any other it is ``Unclear``. What a CRM's answers mean is the CRM's own table (``ResponseClassifier``).
"""

from __future__ import annotations

import json
import logging
import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import msgspec
import requests
import urllib3
from requests import exceptions
from requests.auth import AuthBase

from connectors.auth import Auth, NoAuth, Tokens
from connectors.deadline import DeadlineAdapter
from connectors.draft import Exchange
from connectors.errors import ConnectorError, NeedsReconnect, TryLater, Unclear
from connectors.limiter import NoRateLimiter, RateLimiter
from connectors.messages import message
from connectors.redact import excerpt, redact

log = logging.getLogger(__name__)

USER_AGENT = "quiz-crm/1.0"
USUAL_HEADERS = {
    **requests.utils.default_headers(),  # how bodies may be compressed
    "User-Agent": USER_AGENT,
    "Accept": "application/json",
}
QUICK_REPEATS = (0.5, 2.0)  # seconds before a safe request is sent again at once
LATE = 0.02  # seconds after its turn that a request must not go: it would arrive together with the next ones
QUICK_ENOUGH = 3.0  # seconds: what fails slower, or asks for more, is no hiccup
MAX_BODY = 32 * 1024 * 1024
CHUNK = 64 * 1024
# Raised before a byte of the request has left us.
NOT_SENT = (
    exceptions.ConnectTimeout,
    exceptions.ProxyError,
    exceptions.InvalidURL,
    exceptions.InvalidSchema,
    exceptions.MissingSchema,
    exceptions.InvalidHeader,
    exceptions.InvalidJSONError,
)
# What OpenSSL calls a handshake that failed. Any other TLS error may have hit the answer.
HANDSHAKE = (
    "CERTIFICATE_VERIFY_FAILED",
    "WRONG_VERSION_NUMBER",
    "HANDSHAKE_FAILURE",
    "PROTOCOL_VERSION",
    "UNSUPPORTED_PROTOCOL",
    "UNRECOGNIZED_NAME",
    "HTTP_REQUEST",
)


class BodyLost(requests.ConnectionError):
    """The answer began and never came whole, so the request was received."""


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


class ResponseClassifier(Protocol):
    """A CRM's own table of what its answers mean."""

    def is_expired(self, answer: Answer) -> bool:
        """Does the CRM say that the token is too old, so that a fresh one and a repeat help?"""

    def failure(self, answer: Answer, safe: bool) -> ConnectorError | None:
        """The error that this answer stands for, or None for a success."""


def _session() -> requests.Session:
    """What the environment says of proxies and of certificates is read once, not for each request.

    Its adapters alone are used: a session's own ways of sending keep cookies, which accounts must not share,
    and merge settings anew for each request, which costs as much as all else about one.
    """
    session = requests.Session()
    session.trust_env = False
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    adapter = DeadlineAdapter(pool_connections=64, pool_maxsize=64, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


SESSION = _session()


@lru_cache(maxsize=1024)
def proxies_of(base_url: str) -> Mapping[str, str]:
    """The proxies by which a host is reached, as the environment names them for it (``HTTPS_PROXY``,
    ``NO_PROXY``)."""
    return requests.utils.get_environ_proxies(base_url)


# Told of every request: the CRM's folder, the status (0: no answer), seconds that it waited for the limit.
observers: list[Callable[[str, int, float], None]] = []


class HttpClient:
    """Requests to one account of one CRM.

    ``on_exchange`` sees every request and answer, redacted; ``timeout`` is (connect, read) in seconds, and
    ``most`` how many bytes an answer may have.
    """

    def __init__(
        self,
        base_url: str,
        reader: ResponseClassifier,
        *,
        auth: AuthBase | None = None,
        limiter: RateLimiter | None = None,
        timeout: tuple[float, float] = (5.0, 20.0),
        headers: Mapping[str, str] | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
        most: int = MAX_BODY,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.reader = reader
        self.auth = auth or NoAuth()
        self.limiter = limiter or NoRateLimiter()
        self.timeout = timeout
        self.headers = {**USUAL_HEADERS, **(headers or {})}
        self.on_exchange = on_exchange
        self.most = most

    def call(self, method: str, path: str, *, safe: bool | None = None, **kwargs: Any) -> Any:
        """Send a request and return its JSON (None for an empty body). Raises a ``ConnectorError``.

        ``kwargs`` are those of ``requests``: ``params``, ``json``, ``data``, ``headers``.
        """
        return self.ask(method, path, safe=safe, **kwargs).json

    def ask(self, method: str, path: str, *, safe: bool | None = None, **kwargs: Any) -> Answer:
        """As ``call``, but the whole answer. A safe request that fails in passing is repeated at once."""
        safe = method == "GET" if safe is None else safe
        for pause in QUICK_REPEATS if safe else ():
            started = time.monotonic()
            try:
                return self._ask(method, path, safe, kwargs)
            except TryLater as error:
                if not _in_passing(error, time.monotonic() - started):
                    raise
                time.sleep(pause)
        return self._ask(method, path, safe, kwargs)

    def _ask(self, method: str, path: str, safe: bool, kwargs: Mapping[str, Any]) -> Answer:
        """An expired token is renewed once and the request repeated: it had not run."""
        tokens = self.auth.current() if isinstance(self.auth, Auth) else None
        answer = self._send(method, path, safe, tokens, kwargs)
        if tokens and isinstance(self.auth, Auth) and self.reader.is_expired(answer):
            answer = self._send(method, path, safe, self.auth.renew(tokens), kwargs)
            if self.reader.is_expired(answer):
                words = message("The CRM refuses a token that it has just given out")
                again = message("Connect the account again.")
                raise NeedsReconnect(words, code="token_refused", remedy=again)
        if error := self.reader.failure(answer, safe):
            raise error
        return answer

    def _send(
        self, method: str, path: str, safe: bool, tokens: Tokens | None, kwargs: Mapping[str, Any]
    ) -> Answer:
        try:
            request = self._prepared(method, path, tokens, kwargs)  # before its turn, which it is to keep
        except requests.RequestException as exc:
            raise _lost(exc, safe=True) from exc
        asked = time.monotonic()
        self.limiter.wait()
        if not safe:
            granted = time.monotonic()
            self.limiter.about_to_write()
            if time.monotonic() - granted > LATE:
                self.limiter.wait()
        started = time.monotonic()
        waited = started - asked
        try:
            answer = self._exchange(request)
        except requests.RequestException as exc:
            self._observe(0, waited)
            self._tell(method, path, kwargs, Answer(0, {}, type(exc).__name__, None), started)
            raise _lost(exc, safe) from exc
        self._observe(answer.status, waited)
        self._tell(method, path, kwargs, answer, started)
        return answer

    def _observe(self, status: int, waited: float) -> None:
        """The CRM is the one whose table reads the answers."""
        crm = type(self.reader).__module__.split(".")[1]
        for observe in observers:
            observe(crm, status, waited)

    def _prepared(
        self, method: str, path: str, tokens: Tokens | None, kwargs: Mapping[str, Any]
    ) -> requests.PreparedRequest:
        return requests.Request(
            method,
            self.base_url + path,
            auth=self.auth.signing(tokens) if tokens and isinstance(self.auth, Auth) else self.auth,
            **{**kwargs, "headers": {**self.headers, **kwargs.get("headers", {})}},
        ).prepare()

    def _exchange(self, request: requests.PreparedRequest) -> Answer:
        with SESSION.get_adapter(str(request.url)).send(
            request,
            stream=True,
            timeout=self.timeout,
            verify=SESSION.verify or True,
            proxies=dict(proxies_of(self.base_url)),
        ) as response:
            body = b"".join(_chunks(response, self.most))
            return Answer(response.status_code, response.headers, *_decode(body, response.encoding))

    def _tell(
        self, method: str, path: str, kwargs: Mapping[str, Any], answer: Answer, started: float
    ) -> None:
        seconds, url = time.monotonic() - started, redact(self.base_url + path)
        if log.isEnabledFor(logging.DEBUG):
            told = {"method": method, "address": url, "status": answer.status, "seconds": round(seconds, 2)}
            log.debug("CRM answered", extra=told)
        if self.on_exchange:
            sent = kwargs.get("json") or kwargs.get("data") or kwargs.get("params")
            self.on_exchange(
                Exchange(method, url, excerpt(sent), answer.status, excerpt(answer.text), round(seconds, 3))
            )


def _in_passing(error: TryLater, seconds: float) -> bool:
    """A hiccup: quickly told, and no wish to be left alone. A CRM that is down or full waits for its lane."""
    return error.repeatable and seconds < QUICK_ENOUGH and (error.after or 0) < QUICK_ENOUGH


def _chunks(response: requests.Response, most: int) -> Iterator[bytes]:
    """The body piece by piece, so that an endless one does not fill the memory.

    ``requests`` maps errors of the body only in ``iter_content``, which waits for whole chunks.
    """
    size = 0
    try:
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            size += len(chunk)
            if size > most:
                raise BodyLost("the body is too long")
            yield chunk
    except urllib3.exceptions.HTTPError as exc:
        raise BodyLost(type(exc).__name__) from exc


def _decode(body: bytes, encoding: str | None) -> tuple[str, Any]:
    text = _text(body, encoding)
    try:
        return text, _decoder.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass  # it is quick, and stricter than servers are: half surrogate pairs, 1e999
    try:
        return text, json.loads(text)
    except (ValueError, RecursionError):
        return text, None


_decoder = msgspec.json.Decoder()


def _text(body: bytes, encoding: str | None) -> str:
    """UTF-8 first: servers forget to say it, and the standard then guesses Latin-1 for text."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        pass
    try:
        return body.decode(encoding or "utf-8", errors="replace")
    except LookupError:
        return body.decode(errors="replace")


def _lost(exc: requests.RequestException, safe: bool) -> ConnectorError:
    """A request without an answer. What surely never reached the CRM is ``TryLater`` even when unsafe."""
    words = message("The CRM did not answer ({name})", name=type(exc).__name__)
    if safe or never_sent(exc):
        return TryLater(words, code="no_answer", account_wide=True)
    return Unclear(words, code="no_answer", account_wide=True)


def never_sent(exc: requests.RequestException) -> bool:
    """Refused, unreachable, no such name, no trust: the request cannot have reached the CRM."""
    return isinstance(exc, NOT_SENT) or any(_no_connection(cause) for cause in _causes(exc))


def _no_connection(cause: BaseException) -> bool:
    if isinstance(cause, urllib3.exceptions.NewConnectionError):
        return True
    return isinstance(cause, ssl.SSLError) and any(word in str(cause.reason or cause) for word in HANDSHAKE)


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    """The exceptions behind ``exc``: urllib3 hands them on as ``reason`` or as the first argument."""
    for _ in range(8):
        if not isinstance(exc, BaseException):
            return
        yield exc
        first = exc.args[0] if exc.args else None
        exc = getattr(exc, "reason", None) if not isinstance(exc, ssl.SSLError) else None
        if not isinstance(exc, BaseException):
            exc = first if isinstance(first, BaseException) else None
