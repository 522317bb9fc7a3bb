"""A hiccup while reading is nobody's business; a CRM that is down, full or slow is left in peace."""

from __future__ import annotations

import pytest
import requests
import responses

from connectors import http
from connectors.errors import ConnectorError, TryLater, Unclear
from connectors.http import Answer, HttpClient

URL = "https://shop.example"


class ResponseClassifier:
    def is_expired(self, answer: Answer) -> bool:
        return False

    def failure(self, answer: Answer, safe: bool) -> ConnectorError | None:
        if answer.status == 429:
            return TryLater("busy", after=float(answer.headers.get("Retry-After", 0)) or None)
        if answer.status >= 500:
            return TryLater("broken") if safe else Unclear("broken")
        return None


@pytest.fixture
def pauses(monkeypatch):
    taken: list[float] = []
    monkeypatch.setattr(http, "QUICK_REPEATS", (0.5, 2.0))
    monkeypatch.setattr(http.time, "sleep", taken.append)
    return taken


@pytest.fixture
def crm():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def http_client() -> HttpClient:
    return HttpClient(URL, ResponseClassifier())


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 429}, {"body": requests.ConnectionError("reset")}]
)
def test_a_read_survives_two_hiccups(crm, pauses, fault):
    crm.get(f"{URL}/x", **fault)
    crm.get(f"{URL}/x", **fault)
    crm.get(f"{URL}/x", json={"fine": True})
    assert http_client().call("GET", "/x") == {"fine": True}
    assert pauses == [0.5, 2.0]


def test_the_third_failure_is_told(crm, pauses):
    crm.get(f"{URL}/x", status=500)
    with pytest.raises(TryLater):
        http_client().call("GET", "/x")
    assert len(crm.calls) == 3


def test_a_write_is_never_repeated(crm, pauses):
    crm.post(f"{URL}/x", status=500)
    with pytest.raises(Unclear):
        http_client().call("POST", "/x", json={})
    assert (len(crm.calls), pauses) == (1, [])


def test_a_crm_that_asks_for_peace_gets_it(crm, pauses):
    crm.get(f"{URL}/x", status=429, headers={"Retry-After": "30"})
    with pytest.raises(TryLater):
        http_client().call("GET", "/x")
    assert (len(crm.calls), pauses) == (1, [])


def test_a_slow_failure_is_no_hiccup(crm, pauses, monkeypatch):
    clock = iter(range(0, 1000, 20))
    monkeypatch.setattr(http.time, "monotonic", lambda: float(next(clock)))
    crm.get(f"{URL}/x", body=requests.ReadTimeout())
    with pytest.raises(TryLater):
        http_client().call("GET", "/x")
    assert (len(crm.calls), pauses) == (1, [])
