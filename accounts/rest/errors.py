"""Errors that callers are told, each with a machine word, a sentence, and the field it is about."""

from __future__ import annotations

from rest_framework.exceptions import APIException


class ApiError(APIException):
    """An error with a machine word, a sentence, and the field it is about."""

    status_code = 400
    default_code = "invalid"

    def __init__(self, message: str, *, code: str = "", field: str = "", status: int = 400) -> None:
        super().__init__(message, code or self.default_code)
        self.status_code = status
        self.message = message
        self.code = code or self.default_code
        self.field = field


class NotFound(ApiError):
    def __init__(self, message: str = "Not Found", *, code: str = "not_found", field: str = "") -> None:
        super().__init__(message, code=code, field=field, status=404)


class Unavailable(ApiError):
    """Nothing is wrong with the request: it may be sent again in ``retry_after`` seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, code="unavailable", status=503)
        self.retry_after = retry_after


class Conflict(ApiError):
    def __init__(self, message: str, *, code: str = "conflict", field: str = "") -> None:
        super().__init__(message, code=code, field=field, status=409)
