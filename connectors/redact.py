"""Secrets out of whatever a person or a log may see."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from connectors.messages import Message
from connectors.text import storable

NAMES = (
    r"access_token|refresh_token|client_secret|client_id|application_token|auth|auth_id|refresh_id|api_key|"
    r"apikey|api_token|authorization|proxy-authorization|cookie|set-cookie|x-api-key|x-auth-token|"
    r"x-refresh-token|x-crypto-token|x-crypto-secret|password|secret|token|signature"
)
# In a query these two are OAuth's; in a body they are mostly a vendor's plain words, unless they are long.
OAUTH = r"code|state"
IN_QUERY = re.compile(rf"(?i)(?:(?<![\w-])|(?<=%5B))((?:{NAMES}|{OAUTH})(?:\]|%5D)?)=([^&\s\"']+)")
# A text that is never closed counts up to its end: it may have been cut, and looking for a closing quote anew
# from every name would take the square of its length.
VALUE = (
    r"(?:\\\"[^\"\\]*\\\"|\\?\"(?:[^\"\\]|\\.)*+\"?|'(?:[^'\\]|\\.)*+'?|(?!null\b|true\b|false\b)[\w.+-]+)"
)
IN_JSON = re.compile(rf"(?i)(\\?[\"'](?:{NAMES})\\?[\"']\s*:\s*){VALUE}")
LONG_IN_JSON = re.compile(rf"(?i)(\\?[\"'](?:{OAUTH})\\?[\"']\s*:\s*)\\?[\"'][^\"'\\\s]{{30,}}\\?[\"']")
IN_HEADER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}")
HEADER_LINE = re.compile(r"(?im)^(authorization|cookie|set-cookie|x-[\w-]*(?:token|secret|key))\s*:\s*\S.*$")
IN_USERINFO = re.compile(r"(?i)(\bhttps?://)[^/\s@\"']+@")
# An account's own address, which nobody can guess; as it stands in a query and in PHP's JSON, too.
IN_PATH = re.compile(r"(?i)((?:\\?/|%2F)hooks(?:\\?/|%2F)\d+(?:\\?/|%2F))[^/?&\s\"'\\]+")
# Each run of its characters is looked at once, from its beginning: from every "eyJ" in it would be quadratic.
JWT = re.compile(r"(?<![\w-])(?=[\w-]++\.[\w-]{8,}+\.)[\w-]*?eyJ[\w-]{8,}+\.[\w-]{8,}+\.[\w-]*+")
# One of these is in every one of the names above, and in every header that we hide.
NAME_SIGNS = ("token", "auth", "secret", "client_id", "refresh_id", "key", "cookie", "password", "signature")
OAUTH_IN_QUERY = tuple(f"{word}{end}" for word in OAUTH.split("|") for end in ("=", "]=", "%5d="))
OAUTH_SIGNS = tuple(f"{quote}{word}" for quote in "\"'" for word in OAUTH.split("|"))
LIMIT = 4000  # characters of an excerpt
MOST = 100_000  # characters of a text that are looked at; what follows is left out
LONGEST_WORD = 4000
WORD_ENDS = " \n\"',&"


def redact(text: str) -> str:
    """The text without anything that looks like a secret, wherever it stands; beyond ``MOST`` it is cut.

    Each pattern is tried only where a word that it needs is there: most of what we keep has none, and looking
    for words costs a hundredth of trying the patterns. Of a message the parameters are looked at.
    """
    if isinstance(text, Message):
        return text.with_each(redact)
    if len(text) > MOST:
        return f"{redact(_head(text, MOST))} … ({len(text)} characters)"
    plain = text.casefold()
    named = _has_any(plain, NAME_SIGNS)
    if named or _has_any(plain, OAUTH_IN_QUERY):
        text = IN_QUERY.sub(r"\1=***", text)
    if named:
        text = IN_JSON.sub(r'\1"***"', text)
        text = HEADER_LINE.sub(r"\1: ***", text)
    if _has_any(plain, OAUTH_SIGNS):
        text = LONG_IN_JSON.sub(r'\1"***"', text)
    if "bearer" in plain or "basic" in plain:
        text = IN_HEADER.sub(r"\1 ***", text)
    if "@" in text:
        text = IN_USERINFO.sub(r"\1***@", text)
    if "hooks" in plain:
        text = IN_PATH.sub(r"\1***", text)
    return JWT.sub("***", text) if "eyJ" in text else text


def _has_any(text: str, words: Iterable[str]) -> bool:
    for word in words:  # noqa: SIM110 - a generator takes three times as long, for each text that is kept
        if word in text:
            return True
    return False


def excerpt(body: Any) -> str:
    """A body as a person may read it: text, redacted, cut with a mark where it was longer.

    What a database can't store (NUL, half of a surrogate pair) is taken out.
    """
    if body is None:
        return ""
    if isinstance(body, bytes):
        body = body.decode(errors="replace")
    text = body if isinstance(body, str) else _json(body)
    shown = redact(storable(_head(text, 4 * LIMIT)))
    return shown if len(text) <= LIMIT else f"{shown[:LIMIT]} … ({len(text)} characters)"


def _json(body: Any) -> str:
    try:
        return msgspec.json.format(_encoder.encode(body), indent=0).decode()
    except (TypeError, ValueError, OverflowError, RecursionError):  # it takes less than json does
        return json.dumps(body, ensure_ascii=False, default=str)


_encoder = msgspec.json.Encoder(enc_hook=str.__str__)


def _head(text: str, most: int) -> str:
    """At most so many characters, up to the end of a word: half a secret would not be known for one."""
    if len(text) <= most:
        return text
    shortest = most - min(LONGEST_WORD, most // 2)
    end = max(text.rfind(mark, shortest, most) for mark in WORD_ENDS)
    return text[: max(end, shortest)]
