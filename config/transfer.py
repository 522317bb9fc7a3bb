"""Answers that a client has already, and long ones: ETags and compression of what GET reads over REST.

Pages are left alone: theirs have secrets of a session in them, whose length compression would show.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.middleware.http import ConditionalGetMiddleware


def _is_read(request: HttpRequest, response: HttpResponseBase) -> bool:
    kind = response.headers.get("Content-Type", "")
    return request.method == "GET" and response.status_code == 200 and kind.startswith("application/json")


class ETags(ConditionalGetMiddleware):
    """304 for ``If-None-Match`` with the tag of what would be answered."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return super().process_response(request, response) if _is_read(request, response) else response


class Compression(GZipMiddleware):
    """Gzip for clients that take it."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return super().process_response(request, response) if _is_read(request, response) else response
