"""The shared pace, against a real server: its clock counts, so these tests let it run for half a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings

from connectors.errors import Stopped
from connectors.limiter import RedisRateLimiter
from connectors.out_of_reach import OutOfReach


@pytest.fixture
def server() -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(settings.REDIS_URL)
    yield client
    client.close()


@pytest.fixture
def key(server: redis.Redis) -> Iterator[str]:
    name = f"test-{uuid4().hex}"
    yield name
    server.delete(f"pace:{name}", f"pace:{name}:stopped", f"pace:{name}:minutes")


class DeadServer:
    def __getattr__(self, name: str) -> Any:
        raise redis.ConnectionError("nobody there")


def test_four_workers_share_one_pace(key):
    moments = _race(key, per_second=100, workers=4, each=12)
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert moments[-1] - moments[0] >= 47 / 100 - 0.005  # 48 requests, 10 ms apart
    assert min(moments[index + 10] - moments[index] for index in range(len(moments) - 10)) > 0.08
    assert max(gaps) < 0.2


def _race(key: str, per_second: float, workers: int, each: int) -> list[float]:
    """When each request was let go, by workers with a connection of their own."""
    moments: list[float] = []

    def work() -> None:
        limiter = RedisRateLimiter(redis.Redis.from_url(settings.REDIS_URL), key, per_second)
        for _ in range(each):
            limiter.wait()
            moments.append(time.monotonic())

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(moments)


def test_of_those_who_wait_in_a_process_one_asks_the_server(key, monkeypatch):
    """Twelve who asked anew whenever one of them may go would ask 78 times."""
    asked: list[None] = []
    real = RedisRateLimiter._ask

    def spy(limiter: RedisRateLimiter) -> int:
        asked.append(None)
        return real(limiter)

    monkeypatch.setattr(RedisRateLimiter, "_ask", spy)
    _race(key, per_second=20, workers=12, each=1)
    assert len(asked) <= 4 * 12


def test_a_burst_goes_ahead_of_its_time(server, key):
    waits: list[float] = []

    def nap(seconds: float) -> None:
        waits.append(seconds)
        server.delete(f"pace:{key}")

    limiter = RedisRateLimiter(server, key, per_second=0.1, burst=3, sleep=nap)
    for _ in range(4):
        limiter.wait()
    assert len(waits) == 1
    assert waits[0] == pytest.approx(10, abs=0.5)


def test_accounts_do_not_wait_for_each_other(server, key):
    waits: list[float] = []
    for name in (key, f"{key}-other"):
        RedisRateLimiter(server, name, per_second=0.1, sleep=waits.append).wait()
    server.delete(f"pace:{key}-other")
    assert waits == []


def test_a_stop_sign_holds_every_worker_until_it_is_taken_down(server, key):
    mine, theirs = RedisRateLimiter(server, key, 1000), RedisRateLimiter(server, key, 1000)
    mine.stop("the CRM blocked us")
    with pytest.raises(Stopped):
        theirs.wait()
    theirs.resume()
    mine.wait()


def test_without_a_server_the_process_paces_itself():
    waits: list[float] = []
    limiter = RedisRateLimiter(DeadServer(), "anything", per_second=5, sleep=waits.append)
    limiter.wait()
    limiter.stop("no matter")
    limiter.resume()
    assert waits == [pytest.approx(0.2)]


def test_a_server_that_failed_is_left_alone_for_a_moment():
    """One that hangs is given up after seconds, for which all who wait in line would wait each time."""
    asked: list[Any] = []
    waits: list[float] = []

    class HangingServer:
        def eval(self, *what: Any) -> int:
            asked.append(what)
            raise redis.TimeoutError

    limiter = RedisRateLimiter(HangingServer(), "anything", per_second=5, sleep=waits.append)
    limiter.wait()
    limiter.wait()
    assert (len(asked), len(waits)) == (1, 2)
    limiter.reach = OutOfReach(0)
    limiter.wait()
    limiter.wait()
    assert len(asked) == 3


def test_without_a_server_each_process_takes_its_share():
    waits: list[float] = []
    limiters = [RedisRateLimiter(DeadServer(), "shared", 5, shares=4, sleep=waits.append) for _ in range(4)]
    for limiter in limiters:
        limiter.wait()
    assert sum(1 / wait for wait in waits) == pytest.approx(5)  # a second, all of them together


@pytest.mark.parametrize("hours", [1, 24, -1])
def test_a_server_with_another_clock_keeps_nobody_waiting(server, key, hours):
    """After a failover the times of the former server are still there."""
    seconds, microseconds = server.time()
    server.set(f"pace:{key}", (seconds + hours * 3600) * 1_000_000 + microseconds)
    waits: list[float] = []

    def nap(seconds: float) -> None:
        waits.append(seconds)
        server.delete(f"pace:{key}")

    RedisRateLimiter(server, key, per_second=5, burst=3, sleep=nap).wait()
    assert sum(waits) <= 0.21


def test_what_rests_is_told_with_its_seconds(server, key):
    limiter = RedisRateLimiter(server, key, per_second=100)
    limiter.hold("crm.deal.add", 60)
    limiter.hold("crm.deal.add", 5)
    RedisRateLimiter(server, f"{key}-other", per_second=100).hold("crm.lead.add", 60)

    resting = RedisRateLimiter(server, key, per_second=100).resting()
    assert list(resting) == ["crm.deal.add"]
    assert 55 < resting["crm.deal.add"] <= 60


def test_the_requests_of_the_last_whole_minute_are_told(server, key):
    limiter = RedisRateLimiter(server, key, per_second=100)
    assert limiter.used() == (0, 6000)
    limiter.wait()
    (minute,) = server.hgetall(f"pace:{key}:minutes")
    assert server.hget(f"pace:{key}:minutes", minute) == b"1"
    assert 0 < server.pttl(f"pace:{key}:minutes") <= 180_000
    server.hset(f"pace:{key}:minutes", server.time()[0] // 60 - 1, 42)
    assert limiter.used() == (42, 6000)
    assert RedisRateLimiter(DeadServer(), "anything", per_second=5).used() is None
