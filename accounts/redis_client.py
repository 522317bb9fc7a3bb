"""The process's connection to Redis (or Valkey), shared by limiter, wake-ups, health and pauses."""

from __future__ import annotations

from functools import lru_cache

import redis
from django.conf import settings


def redis_client() -> redis.Redis:
    """One pooled client per process."""
    return _redis(settings.REDIS_URL)


@lru_cache(maxsize=2)
def _redis(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=5)
