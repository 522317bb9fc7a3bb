"""The sentence first, the body's code second, the HTTP status last."""

from __future__ import annotations

import json

import pytest

from connectors.envybox.errors import EnvyResponses
from connectors.errors import NeedsReconnect, Refused, TryLater, Unclear
from connectors.http import Answer
from connectors.redact import excerpt, redact


def failure(status, body, safe=False):
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    value = None if isinstance(body, str) else body
    return EnvyResponses().failure(Answer(status, {}, text, value), safe)


@pytest.mark.parametrize("status", [200, 400, 404, 500])
@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Неверный request", "bad_request"),
        ("Клиент не найден", "no_client"),
        ("  СДЕЛКА не найдена. ", "no_deal"),
        ("Лид уже взят в работу", "in_work"),
        ("Что-то новое", "envybox_500"),
    ],
)
def test_a_body_that_says_500_is_a_no_for_good(status, message, code):
    error = failure(status, {"status_code": 500, "message": message})
    assert isinstance(error, Refused)
    assert error.code == code


@pytest.mark.parametrize("body_code", ["²", "9" * 5000, [], {}, "x"])
def test_a_code_that_is_none_leaves_it_to_the_sentence(body_code):
    assert isinstance(failure(200, {"status_code": body_code, "message": "Что-то новое"}), Refused)


@pytest.mark.parametrize("body_code", [None, 401, 500, "403"])
def test_a_wrong_key_is_known_by_its_sentence(body_code):
    error = failure(200, {"status_code": body_code, "message": "Неправильный ключ API"})
    assert isinstance(error, NeedsReconnect)
    assert (error.account_wide, bool(error.remedy)) == (True, True)


@pytest.mark.parametrize(
    "body",
    [
        {"status_code": 200, "message": "success", "id": 1},
        {"status_code": "200", "message": "success"},
        {"message": "Success"},
        {"result": [], "all_ids": []},
    ],
)
def test_successes(body):
    assert failure(200, body) is None


@pytest.mark.parametrize(
    ("status", "body", "write", "read"),
    [
        (502, "<html>", Unclear, TryLater),
        (500, "", Unclear, TryLater),
        (200, '{"status_code": 2', Unclear, TryLater),
        (200, [], Unclear, TryLater),
        (200, {}, Unclear, TryLater),
        (500, {"status_code": 200, "message": "success"}, Unclear, TryLater),
        (199, "", Unclear, TryLater),
        (304, "", Unclear, TryLater),
        (429, "", TryLater, TryLater),
        (429, {"status_code": 429, "message": "slow"}, TryLater, TryLater),
        (302, "", Unclear, TryLater),
        (308, "", TryLater, TryLater),
        (418, "", Unclear, TryLater),
        (404, "<html>", TryLater, TryLater),
    ],
)
def test_without_an_envelope_the_way_there_failed(status, body, write, read):
    for safe, kind in ((False, write), (True, read)):
        error = failure(status, body, safe)
        assert type(error) is kind
        assert error.account_wide


@pytest.mark.parametrize("status", [301, 302, 303, 308])
def test_a_redirect_is_never_followed(florist, envy, draft, journal, status):
    envy.faults.add("/lead/set", status=status, body="", headers={"Location": "https://evil.example/"})
    (error,) = florist.connector.deliver([draft()], journal)
    assert (error.code, florist.leads) == ("redirected", [])


def test_the_key_is_hidden_in_addresses_and_bodies():
    assert "SECRET" not in redact("POST https://a.envycrm.com/openapi/v1/lead/set/?api_key=SECRET&x=1")
    assert "SECRET" not in excerpt({"id": 1, "api_key": "SECRET", "name": "x"})
    assert "SECRET" not in excerpt('{"data": {"api_key":"SECRET"}}')
