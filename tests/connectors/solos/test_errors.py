"""The table of answers: what each means for a read and for a write."""

from __future__ import annotations

import json

import pytest

from connectors.errors import NeedsReconnect, Refused, TryLater, Unclear
from connectors.http import Answer
from connectors.solos.errors import SolosResponses


def answer(status: int, body: object = None, text: str = "", **headers: str) -> Answer:
    said = json.dumps(body) if body is not None else text
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, said, body)


HTML = "<html>502</html>"
TABLE = [
    (answer(200, {"payload": []}), None, None),
    (answer(200, []), None, None),
    (answer(200, {"payload": [], "error": "nonsense"}), None, None),
    (answer(200, {"id": 5, "message": "created"}), None, None),
    (answer(200, {"error": None, "message": ""}), None, None),
    (answer(200, {}), None, None),
    (answer(200), TryLater, None),
    (answer(200, text=HTML), TryLater, Unclear),
    (answer(200, text="ok"), TryLater, Unclear),
    (answer(200, text='{"payload": {"i'), TryLater, Unclear),
    (answer(200, {"error": "no such module"}), Refused, Refused),
    (answer(200, {"errors": ["name", {"phone": "empty"}]}), Refused, Refused),
    (answer(200, {"success": False, "message": "no"}), Refused, Refused),
    (answer(200, {"status": "error", "message": "no"}), Refused, Refused),
    (answer(200, {"message": "Lead created"}), Refused, Unclear),
    (answer(200, {"error": "Wrong token"}), NeedsReconnect, NeedsReconnect),
    (answer(302, text=""), TryLater, Unclear),
    (answer(308, text=""), TryLater, TryLater),
    (answer(102, text=""), TryLater, Unclear),
    (answer(418, {"error": "internal error"}), TryLater, Unclear),
    (answer(400, {"error": "name is missing"}), Refused, Refused),
    (answer(400, {"message": "X-Crypto-Secret is missing"}), NeedsReconnect, NeedsReconnect),
    (answer(401), NeedsReconnect, NeedsReconnect),
    (answer(402, {"error": "the tariff has ended"}), TryLater, TryLater),
    (answer(403, text=HTML), NeedsReconnect, NeedsReconnect),
    (answer(404, {"error": "not found"}), Refused, Refused),
    (answer(404, text=HTML), TryLater, TryLater),
    (answer(405), TryLater, TryLater),
    (answer(429), TryLater, TryLater),
    (answer(500, {"error": "oops"}), TryLater, Unclear),
    (answer(502, text=HTML), TryLater, Unclear),
]


@pytest.mark.parametrize(("said", "read", "write"), TABLE, ids=lambda one: getattr(one, "text", None))
def test_what_an_answer_means(said, read, write):
    for safe, wanted in ((True, read), (False, write)):
        failure = SolosResponses().failure(said, safe)
        assert type(failure) is (wanted or type(None))


def test_any_2xx_may_be_a_success():
    said = answer(200, {"error": "whatever"})
    assert SolosResponses(any_2xx=True).failure(said, safe=False) is None
    assert isinstance(SolosResponses(any_2xx=True).failure(said, safe=True), Refused)
    assert isinstance(SolosResponses(any_2xx=True).failure(answer(500), safe=False), Unclear)


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("999999", 3600), ("soon", 5), ("", 5)])
def test_how_long_a_busy_crm_wants_to_be_left_alone(header, seconds):
    failure = SolosResponses().failure(answer(429, Retry_After=header), safe=True)
    assert isinstance(failure, TryLater)
    assert failure.after == seconds
    assert failure.account_wide


def test_refused_keys_say_what_to_do():
    failure = SolosResponses().failure(answer(401, {"error": "no"}), safe=False)
    assert failure is not None
    assert "token and the secret" in failure.remedy
    assert failure.account_wide
