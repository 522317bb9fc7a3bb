"""A pause in refreshing one CRM's tokens, after the CRM refused our own keys.

It is kept under the options it happened with, so that mended settings are tried at once.
"""

from __future__ import annotations

from dataclasses import astuple
from datetime import timedelta

import redis
import structlog
from django.conf import settings
from django.utils.crypto import salted_hmac

from accounts.crm_settings import options_for
from accounts.redis_client import redis_client
from connectors.messages import from_column, to_column

log = structlog.stdlib.get_logger(__name__)
FOR = timedelta(minutes=5)


def start(kind: str, reason: str) -> None:
    """Nobody refreshes this CRM's tokens for a few minutes. Without Redis everybody goes on trying."""
    log.error("the CRM refuses our own keys, refreshing rests", crm=kind, reason=reason)
    try:
        redis_client().set(_key(kind), to_column(reason), ex=FOR)
    except redis.RedisError:
        log.warning("the pause of refreshing was not stored", crm=kind)


def why(kind: str) -> str:
    """The reason of the pause, empty where there is none."""
    try:
        reason = redis_client().get(_key(kind))
    except redis.RedisError:
        return ""
    return from_column(reason.decode(errors="replace")) if isinstance(reason, bytes) else ""


def _key(kind: str) -> str:
    mark = salted_hmac("accounts.pausing", repr(astuple(options_for(kind)))).hexdigest()[:16]
    return f"{settings.REDIS_PREFIX}refresh-rests:{kind}:{mark}"
