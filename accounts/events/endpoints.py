"""Webhook endpoints as the platform and staff keep them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts import db_clock
from accounts.events import feed
from accounts.events.models import Event, WebhookEndpoint
from accounts.events.signing import new_secret
from accounts.secrets import WrongKey
from connectors.messages import message
from connectors.ssrf_guard import is_inside

MOST = 50  # endpoints: beat looks at each of them
OVERLAP, LONGEST_OVERLAP = timedelta(hours=24), timedelta(days=7)
AFRESH: Mapping[str, Any] = {
    "failures": 0, "failing_since": None, "disabled_at": None, "due_at": None, "error": "",
}  # fmt: skip


class TooMany(Exception):
    """There are ``MOST`` endpoints already."""


def live() -> QuerySet[WebhookEndpoint]:
    """Endpoints that are not deleted."""
    return WebhookEndpoint.objects.filter(deleted=False)


def check_url(url: str) -> None:
    """Raises ``ValueError`` with a sentence for what we never post to.

    Where a name leads is looked at with every connection (``connectors.ssrf_guard``).
    """
    if not url.isprintable() or " " in url:
        raise ValueError(message("The address has characters that no address has"))
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as exc:
        raise ValueError(message("The address can't be read")) from exc
    if parts.scheme == "http" and parts.netloc in settings.SANDBOX_HOSTS:
        return
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError(message("The address must begin with https:// and a host"))
    if parts.username or parts.password or parts.fragment:
        raise ValueError(message("The address may have neither a user nor a fragment"))
    if parts.hostname == "localhost" or is_inside(parts.hostname):
        raise ValueError(message("The address must be one of the public internet"))


def are_all_taken() -> bool:
    """Are there as many as there may be?"""
    return live().count() >= MOST


def create(**columns: Any) -> WebhookEndpoint:
    """A new one, for events from now on. Raises ``TooMany``."""
    if are_all_taken():
        raise TooMany
    feed.number()
    endpoint: WebhookEndpoint = WebhookEndpoint.objects.create(
        **columns, secret=new_secret(), place=feed.newest()
    )
    return endpoint


def change(endpoint: WebhookEndpoint, **columns: Any) -> None:
    """What a person has changed counts at once: failures until then are forgotten."""
    _update(endpoint, **columns, **AFRESH)


def rotate(endpoint: WebhookEndpoint, overlap: timedelta) -> str:
    """A new secret, which is returned; the former one signs, too, until ``overlap`` is over."""
    secret = new_secret()
    with transaction.atomic():
        former = _secret_of(endpoint)
        _update(
            endpoint,
            secret=secret,
            former_secret=former if overlap else "",
            former_until=db_clock.now() + overlap if overlap else None,
        )
    return secret


def _secret_of(endpoint: WebhookEndpoint) -> str:
    """Locked; empty where none of our keys opens it."""
    try:
        return WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk).secret
    except WrongKey:
        return ""


def replay(endpoint: WebhookEndpoint, place: int) -> None:
    """Send again all behind this place that the feed still has."""
    with transaction.atomic():
        _update(endpoint, place=place, due_at=None, failures=0)
        endpoint.retries.filter(event__gt=place).delete()


def place_before(moment: datetime) -> int:
    """The place behind which all events of this moment and later stand, as far as the feed has them.

    Places are given soon after events happen, so a minute is added, and found by halves.
    """
    feed.number()
    since, rows = moment - timedelta(minutes=1), Event.objects.order_by("id")
    low, high = 0, feed.newest()
    while low < high:
        middle = (low + high) // 2
        found = rows.filter(id__gt=middle).first()
        if found is not None and found.at < since:
            low = found.pk
        else:
            high = middle
    return low


def remove(endpoint: WebhookEndpoint) -> None:
    """No more is posted there; its row stays, for the incidents that name it."""
    endpoint.retries.all().delete()
    _update(endpoint, deleted=True, enabled=False, secret="", former_secret="", **AFRESH)


def _update(endpoint: WebhookEndpoint, **columns: Any) -> None:
    columns["updated_at"] = db_clock.now()
    for name, value in columns.items():
        setattr(endpoint, name, value)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**columns)
