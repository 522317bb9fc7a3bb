"""Bodies as we take them: of limited size, strict, and cleaned of what a database can't store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn, cast
from urllib.parse import parse_qsl

import msgspec
from django.http import HttpRequest, QueryDict
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.utils.mediatypes import media_type_matches

from accounts.rest.errors import ApiError

MOST_BYTES = 256 * 1024
MOST_LEVELS = (
    100  # whoever reads a body goes through its levels by calls of its own, of which Python allows 1000
)
DEEP = f"nested in more than {MOST_LEVELS} levels"
UNSTORABLE = {0: None, **dict.fromkeys(range(55296, 57344), "�")}


class BoundedJSONParser(BaseParser):
    """``application/json`` in UTF-8 of at most 256 KiB and 100 levels. NaN, infinities and other encodings
    are refused; NUL characters are dropped and lone surrogates replaced, so that a strange text never costs
    an answer. A number that would be rounded comes as the text that it was written in (``exact``)."""

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: Any = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return read_json(read_bounded(stream))


class BoundedFormParser(BaseParser):
    """``application/x-www-form-urlencoded`` of at most 256 KiB, with as many fields as there are: a CRM
    posts every field of every lead that it tells of, and stops telling those who refuse."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, stream: Any, media_type: Any = None, parser_context: Mapping[str, Any] | None = None
    ) -> QueryDict:
        form = QueryDict(mutable=True)
        for name, value in parse_qsl(read_bounded(stream).decode(errors="replace"), keep_blank_values=True):
            form.appendlist(name, value)
        return form


# What the schema says of it.
FORM = {BoundedFormParser.media_type: {"type": "object", "additionalProperties": {"type": "string"}}}


def form_of(request: Request) -> dict[str, str]:
    """The fields of a form, each as it came last."""
    return {key: str(value) for key, value in cast("QueryDict", request.data).items()}


def json_body(request: HttpRequest) -> Any:
    """What ``request.data`` is to DRF where ``BoundedJSONParser`` reads it. Raises the same errors."""
    kind = request.META.get("CONTENT_TYPE", "")
    try:
        length = int(request.META.get("CONTENT_LENGTH", 0))
    except ValueError:
        length = 0
    if not length:
        return {}
    if kind != BoundedJSONParser.media_type and not media_type_matches(BoundedJSONParser.media_type, kind):
        raise UnsupportedMediaType(kind)
    return read_json(read_bounded(request))


def read_bounded(stream: Any) -> bytes:
    """All of a body. Raises ``ApiError`` where it is larger than 256 KiB, with no more of it read."""
    body: bytes = stream.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise ApiError("The body is larger than 256 KiB", code="too_large", status=413)
    return body


def read_json(body: bytes) -> Any:
    """What ``BoundedJSONParser`` makes of a body. Raises ``ParseError``."""
    try:
        try:
            value = _decoder.decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            # It is stricter than we are (lone surrogates, byte order marks), and its words are others.
            text = body.decode("utf-8-sig")
            return clean(
                json.loads(text, parse_float=exact, parse_int=_exact_integer, parse_constant=_refuse)
            )
        if b"\\u0000" in body:
            return clean(value)
        if body.count(b"[") + body.count(b"{") > MOST_LEVELS:
            _check_levels(value, MOST_LEVELS)
        return value
    except (ValueError, RecursionError) as exc:
        raise ParseError(f"Bad Request: the body is not readable JSON ({_why(exc)})") from exc


def exact(written: str) -> float | str:
    """A number with a fraction or an exponent, where a float says the same: digit by digit, and as a whole
    number, too, if it is one. Else the text itself, which stands wherever its number would."""
    if len(written) <= SAFE_DIGITS + 1 and "e" not in written and "E" not in written:
        return float(written)
    number = float(written)
    try:
        if abs(number) < BIGGEST_EXACT and Decimal(repr(number)) == Decimal(written):
            return number
    except InvalidOperation:  # an exponent beyond all reason
        pass
    return written


def _exact_integer(written: str) -> int | str:
    return int(written) if len(written) <= MOST_DIGITS else written


SAFE_DIGITS = 15  # no number of so many digits is rounded by a float
BIGGEST_EXACT = 2.0**53  # beyond it a float that is whole is spelt with digits that nobody sent
MOST_DIGITS = 4300  # of a text that Python, and msgspec, make an integer of
_decoder = msgspec.json.Decoder(float_hook=exact)


def _check_levels(value: Any, levels: int) -> None:
    """Raises ``ValueError`` as ``clean`` does."""
    if type(value) is not dict and type(value) is not list:
        return
    if not levels:
        raise ValueError(DEEP)
    for inner in value.values() if type(value) is dict else value:
        if type(inner) is dict or type(inner) is list:
            _check_levels(inner, levels - 1)


def clean(value: Any, levels: int = MOST_LEVELS) -> Any:
    """The same value with texts that any store takes. Raises ``ValueError`` beyond so many ``levels``."""
    if isinstance(value, str):
        return value if value.isascii() and "\0" not in value else value.translate(UNSTORABLE)
    if isinstance(value, (list, dict)) and not levels:
        raise ValueError(DEEP)
    if isinstance(value, list):
        return [clean(item, levels - 1) for item in value]
    if isinstance(value, dict):
        return {clean(key): clean(item, levels - 1) for key, item in value.items()}
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _why(exc: Exception) -> str:
    if isinstance(exc, json.JSONDecodeError):
        return f"{exc.msg} at character {exc.pos}"
    return DEEP if isinstance(exc, RecursionError) else str(exc)[:100]
