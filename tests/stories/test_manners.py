"""What every answer of the API has: a name, what is left of the caller's rate, a tag; and what errors say."""

from __future__ import annotations

import gzip
import json
import threading
from typing import Any

import pytest
from django.test import Client

from accounts.redis_client import redis_client
from accounts.rest import rate_limit
from accounts.rest.errors import CODES
from config import health
from connectors.out_of_reach import OutOfReach


@pytest.fixture(autouse=True)
def counted_anew(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REDIS_PREFIX = f"{settings.REDIS_PREFIX}manners:"
    monkeypatch.setattr(rate_limit.redis, "rests_until", 0.0)
    for key in redis_client().scan_iter(f"{settings.REDIS_PREFIX}rate:*"):
        redis_client().delete(key)


def test_an_account_has_its_rate_over_all_its_tokens(settings, caller, db, monkeypatch):
    settings.API_RATE = 2
    monkeypatch.setattr(rate_limit.time, "time", lambda: 1_800_000_015.0)
    first, second, third = (caller().get("/deliveries") for _ in range(3))
    assert [one.status_code for one in (first, second, third)] == [200, 200, 429]
    assert [one["RateLimit-Remaining"] for one in (first, second, third)] == ["1", "0", "0"]
    assert (first["RateLimit-Limit"], first["RateLimit-Reset"], third["Retry-After"]) == ("2", "45", "45")
    assert third.json()["error"]["code"] == "throttled"
    assert isinstance(caller().get("/users").json(), str)  # as errors are on the contract's paths
    assert caller("neighbour").get("/deliveries").status_code == 200
    monkeypatch.setattr(rate_limit.time, "time", lambda: 1_800_000_061.0)
    assert caller().get("/deliveries").status_code == 200


def test_several_processes_count_together_and_each_in_portions(settings, monkeypatch):
    """Far from the limit Redis is told now and then, near it of every request."""
    settings.API_RATE = 100
    moment, asked, real = [0.0], [], rate_limit.redis_client
    monkeypatch.setattr(rate_limit.time, "time", lambda: 1_800_000_015.0)
    monkeypatch.setattr(rate_limit.time, "monotonic", lambda: moment[0])
    monkeypatch.setattr(rate_limit, "redis_client", lambda: asked.append(1) or real())
    processes = [rate_limit._Portions() for _ in range(2)]

    def used(process: int, requests: int) -> int:
        monkeypatch.setattr(rate_limit, "portions", processes[process])
        counted = [rate_limit.count("shop") for _ in range(requests)]
        assert all(counted)
        return counted[-1].used

    assert (used(0, 40), used(1, 30), len(asked)) == (40, 31, 2)  # of the other's portion it knows one
    moment[0] = rate_limit.PORTION_SECONDS + 0.01
    assert (used(0, 1), used(1, 1), len(asked)) == (42, 72, 4)
    assert (used(1, 18), used(1, 20), used(0, 1)) == (90, 110, 43)
    assert len(asked) == 4 + 20
    moment[0] += rate_limit.PORTION_SECONDS + 0.01
    assert used(0, 1) == 112


def test_without_redis_nobody_is_counted_and_nobody_waits(settings, caller, db, monkeypatch):
    asked: list[int] = []

    def away() -> Any:
        asked.append(1)
        raise ConnectionError

    monkeypatch.setattr(rate_limit, "redis_client", away)
    monkeypatch.setattr(rate_limit, "redis", OutOfReach(3600))
    for _ in range(3):
        answer = caller().get("/deliveries")
        assert (answer.status_code, "RateLimit-Limit" in answer) == (200, False)
    assert asked == [1]


def test_what_has_not_changed_is_not_sent_again(quiz):
    quiz.post("a-1")
    first = quiz.api.get("/deliveries", headers={"Accept-Encoding": "gzip"})
    assert json.loads(gzip.decompress(first.content))["count"] == 1
    again = quiz.api.get("/deliveries", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    quiz.post("a-2")
    assert quiz.api.get("/deliveries", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_an_error_says_where_to_read_on_and_how_to_find_it(caller, db, settings):
    answer = caller().get("/deliveries/1", headers={"X-Request-Id": "mine-1"})
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "field", "docs", "requestId"}
    assert (error["code"], error["requestId"], answer["X-Request-Id"]) == ("not_found", "mine-1", "mine-1")
    assert error["docs"] == f"{settings.PUBLIC_URL}/docs"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "/answers", {}),
        ("post", "/answers", {"quizID": -1, "answerID": ""}),
        ("post", "/answers", {"quizID": 1, "answerID": "x" * 201}),
        ("post", "/answers", []),
        ("get", "/deliveries?state=odd", None),
        ("delete", "/deliveries", None),
        ("post", "/rules/1/preview", {}),
    ],
)
def test_codes_are_of_the_list(caller, db, method, path, body):
    sent = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
    error = getattr(caller(), method)(path, **sent).json()["error"]
    assert error["code"] in CODES


def test_pages_of_named_origins_may_call(settings, caller, db):
    ask = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "GET"}
    assert "Access-Control-Allow-Origin" not in Client().options("/deliveries", headers=ask)
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    allowed = Client().options("/deliveries", headers=ask)
    assert allowed["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "authorization" in allowed["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Origin" not in Client().options("/admin/", headers=ask)
    other = Client().options("/deliveries", headers={**ask, "Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other


def test_a_silent_part_does_not_keep_a_probe_waiting(monkeypatch):
    ends = threading.Event()
    monkeypatch.setattr(health, "TIMEOUT", 0.05)
    monkeypatch.setattr(health, "_database", lambda: ends.wait(30))
    try:
        answer = Client().get("/readyz")
        assert (answer.status_code, answer.json()["database"]) == (503, "out of reach")
    finally:
        ends.set()


def test_a_probe_sees_the_database(transactional_db):
    assert Client().get("/readyz").json()["database"] == "ok"
