"""Every route of the service, out of the URL conf: what is added there is tested here by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter

from accounts.rest.authentication import PlatformAuthentication

METHODS = ("get", "post", "patch", "put", "delete")


@dataclass(frozen=True)
class Route:
    """``path`` as the URL conf writes it; ``ids`` its parameters, by name whether they are numbers."""

    path: str
    view: Any
    ids: dict[str, bool]

    @property
    def methods(self) -> list[str]:
        """Those it serves; a plain view is asked with all."""
        return list(getattr(self.view, "actions", None) or {}) or list(METHODS)

    @property
    def needs_token(self) -> bool:
        """Is it one of the REST views for callers with a bearer token?"""
        cls = getattr(self.view, "cls", None)
        return bool(cls and cls.authentication_classes and cls.permission_classes)

    @property
    def is_platforms(self) -> bool:
        """Is it open to the quiz platform's tokens alone? Those have tests of their own (``test_people``)."""
        authentications = getattr(getattr(self.view, "cls", None), "authentication_classes", ())
        return PlatformAuthentication in authentications

    def url(self, **ids: Any) -> str:
        """The path with these ids in it."""
        text = self.path
        for name in self.ids:
            kind = "int" if self.ids[name] else "str"
            text = text.replace(f"<{kind}:{name}>", str(ids[name]))
        return f"/{text}"

    def __str__(self) -> str:
        return f"/{self.path}"


def routes() -> list[Route]:
    """All but the admin's, which its site lists."""
    return [route for route in _walk(get_resolver().url_patterns, "") if not route.path.startswith("admin/")]


def rest_routes() -> list[Route]:
    """Those of the REST API, without their twins with a slash."""
    return [
        route
        for route in routes()
        if route.needs_token and not route.is_platforms and not route.path.endswith("/")
    ]


def _walk(patterns: list[Any], prefix: str) -> Iterator[Route]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            converters = pattern.pattern.converters
            ids = {name: isinstance(one, IntConverter) for name, one in converters.items()}
            yield Route(path, pattern.callback, ids)
