"""Answers outside any view: an unknown path, a forbidden one, a database that is away, and our own bug.

JSON for scripts, a small page in the reader's language for browsers; words without details.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.page_language import PAGES, page_language
from accounts.pages import wants_page
from accounts.rest.exception_handler import DATABASE_AWAY, DATABASE_RETRY_AFTER
from accounts.texts import say_many

POLICY = (
    "default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


@require_safe
def root(request: HttpRequest) -> HttpResponse:
    """Browsers come to the admin; for programs there is nothing here."""
    return redirect("admin:index") if wants_page(request) else not_found(request)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 404, "Not Found")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 400, "Bad Request")


def forbidden(request: HttpRequest, exception: Exception | None = None, reason: str = "") -> HttpResponse:
    """Also for a form whose token is missing or out of date, of which Django gives the ``reason``."""
    return _answer(request, 403, "Forbidden", "form" if reason else "")


def server_error(request: HttpRequest, *args: Any) -> HttpResponse:
    """Called by Django while it handles the exception, whichever view or middleware raised it."""
    if isinstance(sys.exc_info()[1], (OperationalError, InterfaceError)):
        answer = _answer(request, 503, DATABASE_AWAY)
        answer["Retry-After"] = str(DATABASE_RETRY_AFTER)
        return answer
    return _answer(request, 500, "Internal Server Error")


def locked_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Too many wrong passwords for this name from this address."""
    answer = _answer(request, 429, "Too Many Requests")
    answer["Retry-After"] = str(int(settings.AXES_COOLOFF_TIME.total_seconds()))
    return answer


class WrongMethod:
    """Middleware: Django answers a wrong method with nothing at all, which a browser calls broken."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        answer = _answer(request, 405, "Method Not Allowed")
        answer["Allow"] = response["Allow"]
        return answer


def _answer(request: HttpRequest, status: int, words: str, kind: str = "") -> HttpResponse:
    if not wants_page(request):
        return JsonResponse(words, safe=False, status=status)
    nonce = secrets.token_urlsafe(16)
    with translation.override(page_language(request)):
        title, told = _told(status, kind)
        # A customer who came back from a consent page has no log-in here.
        home = reverse("admin:index") if request.path_info.startswith(PAGES) else ""
        page = render_to_string(
            "error.html",
            {
                "language": translation.get_language(), "nonce": nonce, "status": status, "title": title,
                "told": told, "home": home,
            },
        )  # fmt: skip
    return HttpResponse(page, status=status, headers={"Content-Security-Policy": POLICY.format(nonce=nonce)})


def _told(status: int, kind: str) -> tuple[str, str]:
    """A heading, and what to do."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    return {
        400: (_("The request makes no sense"), _("Go back and try it anew.")),
        403: (
            (_("The form is out of date"), _("Go back, load the page anew and send the form again."))
            if kind
            else (
                _("You may not do this"),
                _("Ask an administrator for the rights, or log in as somebody else."),
            )
        ),
        404: (
            _("There is no such page"),
            _("It may have been deleted, or the address is not whole: look for it in the search."),
        ),
        405: (_("This page is not opened like this"), _("Go to it by a link or a button of ours.")),
        429: (
            _("Too many wrong passwords"),
            say_many(
                "Try it again in {count} minute, or ask an administrator to let you in.",
                "Try it again in {count} minutes, or ask an administrator to let you in.",
                minutes,
            ),
        ),
        500: (_("Something went wrong here"), _("It is noted in our log. Try it again in a moment.")),
        503: (_("The database is away"), _("Nothing is lost. Try it again in some seconds.")),
    }[status]
