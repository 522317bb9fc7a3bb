"""The language of what a person reads in a browser: the admin and the pages beside the consent page.

Whoever switched the language in the admin has it so; then what the browser asks for counts, then the
installation's ``PAGE_LANGUAGE``. Everything else (the REST API, workers, commands) speaks English, the
``LANGUAGE_CODE`` of the settings, whatever a client accepts: programs compare these texts.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

PAGES = "/admin/"


def page_language(request: HttpRequest) -> str:
    """``ru`` or ``en``, as in ``settings.LANGUAGES``."""
    known = dict(settings.LANGUAGES)
    switched = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    accepted = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    asked = (switched, *(tag.split("-")[0] for tag, _ in accepted))
    return next((code for code in asked if code in known), settings.PAGE_LANGUAGE)


class PageLanguage:
    """Middleware: each request has its language, and leaves none behind in its thread."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_page = request.path_info.startswith(PAGES)
        with translation.override(page_language(request) if is_page else settings.LANGUAGE_CODE):
            response = self.get_response(request)
            if is_page:
                response.headers.setdefault("Content-Language", translation.get_language())
                patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response
