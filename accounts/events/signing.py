"""Webhooks are signed as Standard Webhooks says (standardwebhooks.com): who sends, what, and when."""

from __future__ import annotations

import base64
import secrets
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

from accounts.events.models import WebhookEndpoint

PREFIX = "whsec_"
LENGTH = 32  # bytes of a secret: 24 to 64 are allowed


def new_secret() -> str:
    """As the libraries of the receivers want it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(LENGTH)).decode()


def headers(endpoint: WebhookEndpoint, message_id: str, body: str, now: datetime) -> dict[str, str]:
    """The three headers. While a secret is being rotated both sign, and the receiver needs one of them."""
    keys = [endpoint.secret]
    if endpoint.former_secret and endpoint.former_until and endpoint.former_until > now:
        keys.append(endpoint.former_secret)
    moment = now.astimezone(UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(message_id, moment, body) for key in keys),
    }
