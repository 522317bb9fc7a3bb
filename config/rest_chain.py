"""The REST API goes past what only pages need: sessions, languages, forms, messages and locks of log-ins."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.handlers.exception import response_for_exception
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, get_resolver
from django.utils.module_loading import import_string

from accounts.rest.views import CallerViewSet

Handler = Callable[[HttpRequest], HttpResponseBase]


class RestChain:
    """Middleware: views for callers with a bearer token are called at once. What stands behind this one in
    ``MIDDLEWARE`` sees pages, and whatever is no view of the API."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        match = _view(request)
        return _called(request, match) if match else self.get_response(request)


class PlainPosts(RestChain):
    """The same for POSTs that come from no page of a browser, further in front: what stands between the two
    adds headers to their answers, and to JSON always the same, so that it is asked for them once."""

    def __init__(self, get_response: Handler) -> None:
        super().__init__(get_response)
        known = settings.MIDDLEWARE
        between = known[known.index(_name(PlainPosts)) + 1 : known.index(_name(RestChain))]
        self.between = [import_string(name) for name in between]
        self.added: dict[bool, list[tuple[str, str]]] = {}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method != "POST" or "HTTP_ORIGIN" in request.META or settings.SECURE_SSL_REDIRECT:
            return self.get_response(request)
        match = _view(request)
        if not match:
            return self.get_response(request)
        try:
            response = _called(request, match)
        except Exception as exc:  # as Django does around every middleware
            response = response_for_exception(request, exc)
        if response.headers["Content-Type"] != "application/json" or "Vary" in response.headers:
            return self._through(request, response)
        secure = request.is_secure()
        if secure not in self.added:
            seen = self._through(request, HttpResponse(b"", "application/json"))
            self.added[secure] = list(seen.headers.items())
        for name, value in self.added[secure]:
            response.headers.setdefault(name, value)
        return response

    def _through(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The response as the middleware in between leaves it."""
        handler: Handler = lambda request: response  # noqa: E731
        for middleware in reversed(self.between):
            handler = middleware(handler)
        return handler(request)


def _name(middleware: type) -> str:
    return f"{middleware.__module__}.{middleware.__qualname__}"


def _view(request: HttpRequest) -> ResolverMatch | None:
    """The view of the API that is asked for."""
    try:
        match = _match(settings.ROOT_URLCONF, request.path_info)
    except Resolver404:
        return None
    return match if issubclass(getattr(match.func, "cls", object), CallerViewSet) else None


@lru_cache(maxsize=256)
def _match(urls: Any, path: str) -> ResolverMatch:
    """Raises ``Resolver404``: an unknown path, which nothing is remembered of."""
    return get_resolver(urls).resolve(path)


def _called(request: HttpRequest, match: ResolverMatch) -> HttpResponseBase:
    request.get_host()  # raises where it is none of ALLOWED_HOSTS, as CommonMiddleware does
    request.resolver_match = match
    response: Any = match.func(request, *match.args, **match.kwargs)
    if hasattr(response, "render"):
        response.render()
    if not response.has_header("Content-Length"):
        response.headers["Content-Length"] = str(len(response.content))
    return response  # type: ignore[no-any-return]
