"""Answers outside any view: an unknown path, a database that is away, and our own bug.

JSON for scripts, a small page for people under /admin/; words without details.
"""

from __future__ import annotations

import sys
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse

from accounts.rest.exception_handler import DATABASE_AWAY, DATABASE_RETRY_AFTER

PAGE = (
    "<!doctype html><meta charset=utf-8><title>503</title><h1>{}</h1><p>Please try again in some seconds.</p>"
)


def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return JsonResponse("Not Found", safe=False, status=404)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return JsonResponse("Bad Request", safe=False, status=400)


def server_error(request: HttpRequest, *args: Any) -> HttpResponse:
    """Called by Django while it handles the exception, whichever view or middleware raised it."""
    if isinstance(sys.exc_info()[1], (OperationalError, InterfaceError)):
        return _database_away(request)
    return JsonResponse("Internal Server Error", safe=False, status=500)


def _database_away(request: HttpRequest) -> HttpResponse:
    """As ``accounts.rest.exception_handler`` says it, for what is no view of the API."""
    if request.path.startswith("/admin/"):
        answer = HttpResponse(PAGE.format(DATABASE_AWAY), status=503)
    else:
        answer = JsonResponse(DATABASE_AWAY, safe=False, status=503)
    answer["Retry-After"] = str(DATABASE_RETRY_AFTER)
    return answer
