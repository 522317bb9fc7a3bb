"""The REST API goes past what only pages need: sessions, languages, forms, messages and locks of log-ins."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, get_resolver

from accounts.rest.views import CallerViewSet


class RestChain:
    """Middleware: views for callers with a bearer token are called at once. What stands behind this one in
    ``MIDDLEWARE`` sees pages, and whatever is no view of the API."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            match = _match(settings.ROOT_URLCONF, request.path_info)
        except Resolver404:
            return self.get_response(request)
        if not issubclass(getattr(match.func, "cls", object), CallerViewSet):
            return self.get_response(request)
        request.get_host()  # raises where it is none of ALLOWED_HOSTS, as CommonMiddleware does
        request.resolver_match = match
        response: Any = match.func(request, *match.args, **match.kwargs)
        if hasattr(response, "render"):
            response.render()
        if not response.has_header("Content-Length"):
            response.headers["Content-Length"] = str(len(response.content))
        return response  # type: ignore[no-any-return]


@lru_cache(maxsize=256)
def _match(urls: Any, path: str) -> ResolverMatch:
    """Raises ``Resolver404``: an unknown path, which nothing is remembered of."""
    return get_resolver(urls).resolve(path)
