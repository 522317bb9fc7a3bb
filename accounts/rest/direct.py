"""A POST of JSON without those parts of DRF that it doesn't need: they cost more than storing an answer.

Whatever a caller sees is what DRF would answer; ``tests/properties/test_answered_alike.py`` holds the two
together. The view stays a ``CallerViewSet``, with its schema, its errors' shape and its rate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, Throttled

from accounts.rest.authentication import BearerAuthentication, Caller
from accounts.rest.exception_handler import tell
from accounts.rest.parsers import json_body
from accounts.rest.rate_limit import count
from accounts.rest.views import CallerViewSet

SCHEME = BearerAuthentication()
Act = Callable[[str, Any], tuple[int, Any]]  # the caller's account id and the body; status and answer


def answer_directly(view: CallerViewSet, request: HttpRequest, act: Act) -> HttpResponse:
    """What ``act`` answers to the caller's body, or the error that it or the request meets."""
    headers = {"Allow": ", ".join(view.allowed_methods)}
    try:
        status, body = act(_admitted(request, headers), json_body(request))
    except Exception as exc:
        if isinstance(exc, (AuthenticationFailed, NotAuthenticated)):
            exc.auth_header = "Bearer"  # type: ignore[union-attr]
        told = tell(exc, view.error_shape)
        if told is None:
            raise
        status, body = told.status, told.body
        headers |= told.headers
    return HttpResponse(encoded(body), "application/json", status, headers=headers)


def _admitted(request: HttpRequest, headers: dict[str, str]) -> str:
    """The caller's account id; what is left of its rate is added to ``headers``."""
    known = SCHEME.authenticate(request)
    if known is None:
        raise NotAuthenticated
    caller: Caller = known[0]
    allowance = count(caller.account_id)
    if allowance:
        headers |= allowance.headers
        if allowance.used > allowance.limit:
            raise Throttled(allowance.seconds)
    return caller.account_id


def encoded(value: Any) -> bytes:
    """JSON as DRF's renderer writes it."""
    text = _encoder.encode(value)
    if LINE in text or PARAGRAPH in text:
        return text.replace(LINE, b"\\u2028").replace(PARAGRAPH, b"\\u2029")
    return text


LINE, PARAGRAPH = "\u2028".encode(), "\u2029".encode()  # which old JavaScript takes for the end of a line
_encoder = msgspec.json.Encoder(enc_hook=str.__str__)  # messages and DRF's words are texts with more to them
