"""Whose account is it, and which of its two APIs are open (reference 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from connectors.base import Identity, Remote
from connectors.errors import NeedsReconnect, Refused, TryLater
from connectors.response_shape import sample
from connectors.solos.client import Client
from connectors.solos.errors import unreadable
from connectors.solos.facts import V1, V2
from connectors.solos.forms import shapes
from connectors.solos.options import SolosOptions
from connectors.solos.shapes import rows_of
from connectors.solos.values import Page


def identify(client: Client, remote: Remote) -> Identity:
    """solOS has no page about itself: an account is its address, and the keys must open something there."""
    api, form = which_api(client)
    host = urlsplit(remote.base_url).netloc
    return Identity(
        remote_id=host,
        name=host,
        host=host,
        subdomain=subdomain_of(host, client.options),
        facts={"api": api, "shapes": {api: form, **shapes(remote.facts)}},
    )


def which_api(client: Client) -> tuple[str, Any]:
    """The generation that reads, and the form of its answer. Raises like any call.

    Where projects are closed to us, the calendar of v1 proves the keys: leads can be delivered then.
    """
    try:
        return V2, form_of_projects(client)
    except (Refused, NeedsReconnect, TryLater) as error:
        if isinstance(error, TryLater) and error.repeatable:
            raise
        return V1, _form_of_calendar(client, error)


def form_of_projects(client: Client) -> Any:
    """P1 for one project. Raises ``TryLater`` where the answer is no list."""
    body = client.http_client.call(
        "GET", client.options.projects_path + "/projects", params=Page(count=1).query
    )
    if rows_of(body) is None:
        raise unreadable(body)
    return sample(body)


def subdomain_of(host: str, options: SolosOptions) -> str:
    label, _, suffix = host.partition(".")
    return label if suffix in options.host_suffixes else ""


def _form_of_calendar(client: Client, first: Exception) -> Any:
    """What v2 said counts where v1 is no better."""
    body: Mapping[str, Any] = {"module": "calendar", "count": 1, "offset": 0}
    try:
        return sample(client.http_client.call("POST", client.options.read_path, safe=True, json=dict(body)))
    except (Refused, TryLater):
        raise first from None
