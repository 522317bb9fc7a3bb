"""What each kind of CRM needs from the settings: options, allowed hosts, sign-in, rate limit."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings

from accounts.redis_client import redis_client
from connectors.base import SignIn
from connectors.hosts import HostNotAllowed, HostPolicy, bare_host
from connectors.limiter import NoRateLimiter, RateLimiter, RedisRateLimiter
from connectors.messages import message
from connectors.registry import CONNECTORS, connector_class, host_policy


def label_of(kind: str) -> str:
    """What a person calls the CRM."""
    return CONNECTORS[kind].label


def oauth_kinds() -> list[str]:
    """The CRMs whose tokens are refreshed."""
    return [kind for kind in CONNECTORS if connector_class(kind).can.oauth]


def options_for(kind: str) -> Any:
    """The operator's options of a CRM."""
    return settings.CRM_OPTIONS[kind]


def host_policy_for(kind: str) -> HostPolicy:
    """Where this CRM's secrets may go."""
    return host_policy(options_for(kind), settings.SANDBOX_HOSTS)


def portal_host(kind: str, typed: str) -> str:
    """The host of a customer's portal in what a person typed (D39). Raises ``HostNotAllowed``."""
    hosts = host_policy_for(kind)
    host = hosts.allow(bare_host(typed))
    if host in options_for(kind).exact_hosts and host not in hosts.sandbox:
        raise HostNotAllowed(message("{host} is the CRM's own server, nobody's portal", host=repr(host)))
    return host


def subdomain_of(kind: str, host: str) -> str:
    """The first label of a cloud host, the whole of another one (D39)."""
    label, _, suffix = host.partition(".")
    return label if suffix in host_policy_for(kind).suffixes else host


def sign_in_for(kind: str) -> SignIn:
    """The OAuth side of a CRM, one object per process and options."""
    return _sign_in(kind, options_for(kind), host_policy_for(kind))


def rate_limiter_for(kind: str, remote: str) -> RateLimiter:
    """The rate limiter that everybody shares who talks to this *remote* account."""
    options = options_for(kind)
    per_second = getattr(options, "requests_per_second", 0)
    if not per_second or not remote:
        return NoRateLimiter()
    return RedisRateLimiter(
        redis_client(),
        f"{settings.REDIS_PREFIX}{kind}:{remote}",
        per_second,
        burst=getattr(options, "burst", 1),
        shares=settings.LIMIT_SHARES,
    )


@lru_cache(maxsize=8)
def _sign_in(kind: str, options: Any, hosts: HostPolicy) -> SignIn:
    return connector_class(kind).sign_in(options, hosts)
