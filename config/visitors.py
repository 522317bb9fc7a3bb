"""From where a browser comes, for throttling log-ins."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """Whoever opened the connection; behind our proxy whoever opened the one to it.

    A proxy adds an address at the end of ``X-Forwarded-For``. What stands before it is the visitor's word.
    """
    near = str(request.META.get("REMOTE_ADDR", ""))
    if settings.SECURE_PROXY_SSL_HEADER is None:
        return near
    told = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(told))
    except ValueError:
        return near
