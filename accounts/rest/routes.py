"""A path and its twin with a slash: never a redirect, which would lose a body (D2)."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path
from rest_framework.viewsets import ViewSet


def both(route: str, view: type[ViewSet], actions: dict[str, str], **options: Any) -> list[URLPattern]:
    """``route`` with and without a trailing slash; the schema knows the latter only."""
    named: dict[str, Any] = dict(actions)
    return [
        path(route, view.as_view(named, **options)),
        path(f"{route}/", view.as_view(named, schema=None, **options)),
    ]
