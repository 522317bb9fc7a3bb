"""Answers outside any view: an unknown path, and our own bug. JSON for scripts, words without details."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse


def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return JsonResponse("Not Found", safe=False, status=404)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return JsonResponse("Bad Request", safe=False, status=400)


def server_error(request: HttpRequest, *args: Any) -> JsonResponse:
    return JsonResponse("Internal Server Error", safe=False, status=500)
