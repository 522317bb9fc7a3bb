"""A name for every request: taken from ``X-Request-Id`` or made, in every log record and in the answer."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, clear_contextvars

HEADER = "X-Request-Id"
IN_META = "HTTP_X_REQUEST_ID"
GOOD = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestId:
    """``request.request_id`` has it for whoever builds an answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = named(request.META.get(IN_META, ""))  # ``request.headers`` would read all of them
        request.request_id = name  # type: ignore[attr-defined]
        clear_contextvars()
        bind_contextvars(request_id=name)
        response = self.get_response(request)
        response.headers[HEADER] = name
        return response  # the name stays bound: Django logs bad answers after the last middleware


def named(given: str) -> str:
    """What the caller or a proxy named it, if that is 1 to 64 letters, digits, dots, dashes, underscores."""
    return given if GOOD.fullmatch(given) else uuid.uuid4().hex
