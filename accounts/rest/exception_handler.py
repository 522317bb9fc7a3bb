"""How errors look: a JSON string on the contract's paths (D8), ``{"error": {...}}`` on ours (D59).

A view says which by ``error_shape``: ``"string"`` or ``"object"``; what is no view of ours has strings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback
from structlog.contextvars import get_contextvars

from accounts.rest.errors import CODES, ApiError, NotFound, Unavailable

log = structlog.stdlib.get_logger(__name__)
DATABASE_AWAY = "The database is out of reach at the moment; send the request again"
DATABASE_RETRY_AFTER = 5  # seconds


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None leaves a real bug to Django's 500."""
    told = tell(exc, getattr(context.get("view"), "error_shape", "string"))
    return Response(told.body, status=told.status, headers=told.headers) if told else None


@dataclass(frozen=True, slots=True)
class Told:
    """How an error is answered."""

    status: int
    body: Any
    headers: dict[str, str]


def tell(exc: Exception, shape: str) -> Told | None:
    """None where it is no error that a caller is told of."""
    if isinstance(exc, (OperationalError, InterfaceError)):
        log.warning("the database is out of reach", error=type(exc.__cause__ or exc).__name__)
    exc = _known(exc)
    if not isinstance(exc, APIException):
        return None
    set_rollback()
    words = error_object(exc)
    body: Any = words["message"]
    if shape == "object":
        body = {"error": words}
    headers = {}
    if header := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = str(header)
    if isinstance(exc, Unavailable):
        headers["Retry-After"] = str(exc.retry_after)
    elif isinstance(exc, exceptions.Throttled) and (seconds := getattr(exc, "wait", None)):
        headers["Retry-After"] = str(math.ceil(seconds))
    return Told(exc.status_code, body, headers)


def error_object(exc: APIException) -> dict[str, str]:
    """An error as our own paths tell it: ``code`` is one of ``CODES``, ``requestId`` finds it in our logs."""
    message, code, field = _say(exc)
    return {
        "code": code if code in CODES else "invalid",
        "message": message,
        "field": field,
        "docs": f"{settings.PUBLIC_URL}/docs",
        "requestId": str(get_contextvars().get("request_id", "")),
    }


def _known(exc: Exception) -> Exception:
    if isinstance(exc, Http404):
        return NotFound()
    if isinstance(exc, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(exc, SuspiciousOperation):
        return ApiError("Bad Request: the request can't be read", code="unreadable")
    if isinstance(exc, (OperationalError, InterfaceError)):
        return Unavailable(DATABASE_AWAY, retry_after=DATABASE_RETRY_AFTER)
    if isinstance(exc, DataError):
        return ApiError("A value is too large or has characters that cannot be stored", code="unstorable")
    return exc


def _say(exc: APIException) -> tuple[str, str, str]:
    """(sentence, machine word, field) of any DRF error; of several the first."""
    if isinstance(exc, ApiError):
        return exc.message, exc.code, exc.field
    if isinstance(exc, exceptions.ValidationError):
        return _first(exc.detail)
    code = exc.get_codes()
    return str(exc.detail), code if isinstance(code, str) else exc.default_code, ""


def _first(detail: Any, path: str = "") -> tuple[str, str, str]:
    if isinstance(detail, dict):
        key, inner = next(iter(detail.items()))
        inner_path = path if key == api_settings.NON_FIELD_ERRORS_KEY else f"{path}.{key}".strip(".")
        return _first(inner, inner_path)
    if isinstance(detail, list):
        number, inner = next(((i, d) for i, d in enumerate(detail) if d), (0, "invalid"))
        nested = isinstance(inner, (dict, list))
        return _first(inner, f"{path}.{number}".strip(".") if nested else path)
    code = getattr(detail, "code", "invalid")
    return (f"{path}: {detail}" if path else str(detail)), code, path
