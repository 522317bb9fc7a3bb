"""The small page a browser sees when it comes back from a consent page."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from rest_framework.request import Request

from accounts.consent import ConnectError
from accounts.models import Account
from accounts.page_language import page_language
from accounts.texts import say
from connectors.hosts import SCHEME
from connectors.messages import Message, translate


def wants_page(request: HttpRequest | Request) -> bool:
    """A browser asks for HTML, a script doesn't."""
    return "text/html" in request.headers.get("Accept", "")


def success_page(request: Request, account: Account, crm: str) -> HttpResponse:
    """Says which account was connected, tells the window that opened this one, and closes."""
    return _page(request, 200, crm, {"done": True, "account": account, "name": account.name or account.host})


def connected_page(request: Request, kind: str, crm: str) -> HttpResponse:
    """The same for a browser that was sent on here and no longer says whose account it was about."""
    return _page(request, 200, crm, {"done": True, "account": {"crm": kind, "host": ""}, "name": ""})


def failure_page(request: Request, error: ConnectError, status: int = 400) -> HttpResponse:
    """Says what happened and what to do; ``detail`` is the CRM's where it is no message of ours."""
    language = _language(request)
    told = {
        "sentence": error.sentence(language),
        "detail": translate(error.detail, language),
        "theirs": not isinstance(error.detail, Message),
        "back": error.back if SCHEME.match(error.back) else "",  # else it is a page of ours, of a success
    }
    return _page(request, status, error.crm, {"done": False, **told})


def _page(request: Request, status: int, crm: str, more: dict[str, Any]) -> HttpResponse:
    language, nonce = _language(request), secrets.token_urlsafe(16)
    with translation.override(language):
        words = {
            "connected": say("{crm} is connected", crm=crm),
            "failed": say("The account is not connected"),
            "goes_on": say(
                "The lists are being fetched. This window closes by itself; if it doesn't, close it."
            ),
            "said": say("Answer of the CRM"),
            "back": say("Back to where you came from"),
        }
    context = {"language": language, "nonce": nonce, "words": words, "opener": _opener(), **more}
    page = render_to_string("accounts/connect.html", context)
    return HttpResponse(page, status=status, headers=_headers(nonce))


def _headers(nonce: str) -> dict[str, str]:
    policy = (
        "default-src 'none'",
        f"style-src 'nonce-{nonce}'",
        f"script-src 'nonce-{nonce}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        # Django's default would cut the tie to the window that opened this one.
        "Cross-Origin-Opener-Policy": "unsafe-none",
    }


def _opener() -> str:
    """The origins that may hear of the success; anybody, where none is listed: it names no account."""
    origins = {"{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in settings.RETURN_URLS}
    return " ".join(sorted(origins)) or "*"


def _language(request: HttpRequest | Request) -> str:
    return page_language(getattr(request, "_request", request))
