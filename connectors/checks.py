"""What must not reach production, told by ``manage.py check --deploy``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from connectors.registry import CONNECTORS, connector_class


@register(Tags.security, deploy=True)
def no_local_crms(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """With SANDBOX on, secrets go to local addresses over plain http."""
    if not settings.SANDBOX:
        return []
    hint = "Unset SANDBOX: with it tokens may be sent to local CRMs over plain http."
    return [Error("SANDBOX is on", hint=hint, id="connectors.E001")]


@register(Tags.security, deploy=True)
def no_half_keys(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A CRM that nobody here connects may lack both keys; one without the other is a slip."""
    return [
        Error(
            f"{CONNECTORS[kind].label} has half of its keys",
            hint=f"Set both {kind.upper()}_CLIENT_ID and {kind.upper()}_CLIENT_SECRET.",
            id="connectors.E002",
        )
        for kind, options in settings.CRM_OPTIONS.items()
        if connector_class(kind).can.oauth and bool(options.client_id) != bool(options.client_secret)
    ]
