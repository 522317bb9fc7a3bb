"""The table of answers: the vendor's code in any case first, the status second."""

from __future__ import annotations

import json

import pytest

from connectors.bitrix24.errors import BitrixResponses, meaning
from connectors.errors import NeedsReconnect, OurMistake, Refused, TryLater, Unclear
from connectors.hosts import HostPolicy
from connectors.http import Answer

HOSTS = HostPolicy(("bitrix24.ru",))

CODES = [
    ("QUERY_LIMIT_EXCEEDED", "", TryLater, "busy"),
    ("query_limit_exceeded", "", TryLater, "busy"),
    ("OPERATION_TIME_LIMIT", "", TryLater, "operating_limit"),
    ("OVERLOAD_LIMIT", "", TryLater, "overload"),
    ("NO_AUTH_FOUND", "Wrong authorization data", NeedsReconnect, "unauthorized"),
    ("ERROR_OAUTH", "Application not installed", NeedsReconnect, "not_installed"),
    ("APPLICATION_NOT_FOUND", "", NeedsReconnect, "not_installed"),
    ("authorization_error", "Unable to authorize user", NeedsReconnect, "user_gone"),
    ("PAYMENT_REQUIRED", "Subscription has been ended", TryLater, "unpaid"),
    ("insufficient_scope", "", NeedsReconnect, "no_scope"),
    ("user_access_error", "", NeedsReconnect, "user_access"),
    ("ACCESS_DENIED", "REST API is available only on commercial plans", TryLater, "plan"),
    ("ACCESS_DENIED", "Access denied!", Refused, "no_rights"),
    ("", "Access denied.", Refused, "no_rights"),
    ("", "Not found", Refused, "not_found"),
    ("INVALID_REQUEST", "Https required", OurMistake, "bad_request"),
    ("ERROR_METHOD_NOT_FOUND", "Method not found!", Refused, "error_method_not_found"),
    ("PORTAL_DELETED", "", NeedsReconnect, "portal_deleted"),
    ("METHOD_CONFIRM_WAITING", "", TryLater, "confirm_waiting"),
    ("METHOD_CONFIRM_DENIED", "", NeedsReconnect, "confirm_denied"),
    ("ERROR_CORE", "Неверный e-mail", Refused, "error_core"),
    ("ERROR_BATCH_LENGTH_EXCEEDED", "", Refused, "error_batch_length_exceeded"),
    ("INTERNAL_SERVER_ERROR", "", Unclear, "internal_server_error"),
    ("expired_token", "", TryLater, "expired_token"),
    (100, "Invalid value", Refused, "100"),
]


@pytest.mark.parametrize(("code", "words", "kind", "ours"), CODES)
def test_a_code_decides(code, words, kind, ours):
    error = meaning({"error": code, "error_description": words}, safe=False)
    assert (type(error), error.code) == (kind, ours)
    assert words[:10] in error.message or error.account_wide


def test_a_sick_portal_is_unclear_only_for_writes():
    assert isinstance(meaning({"error": "INTERNAL_SERVER_ERROR"}, safe=True), TryLater)


def answer(status: int, body: object = None, **headers: str) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer(status, headers, text, None if isinstance(body, str) else body)


WITHOUT_CODE = [
    (502, "<html>", False, Unclear),
    (502, "<html>", True, TryLater),
    (503, "<html>", False, Unclear),  # a proxy's, not the limit's
    (429, "<html>", False, TryLater),
    (404, "<html>", False, TryLater),
    (401, "<html>", False, NeedsReconnect),
    (200, "<html>", False, Unclear),
    (200, "<html>", True, TryLater),
    (200, {"time": {}}, False, Unclear),
    (200, {"error": "ERROR_OAUTH"}, False, NeedsReconnect),
    (401, {"error": "WEIRD"}, False, NeedsReconnect),
    (302, "<html>", False, TryLater),
]


@pytest.mark.parametrize(("status", "body", "safe", "kind"), WITHOUT_CODE)
def test_a_status_is_the_second_word(status, body, safe, kind):
    assert type(BitrixResponses(HOSTS).failure(answer(status, body), safe)) is kind


def test_a_result_is_a_success():
    assert BitrixResponses(HOSTS).failure(answer(200, {"result": []}), safe=False) is None


@pytest.mark.parametrize("code", ["expired_token", "invalid_token", "EXPIRED_TOKEN"])
def test_an_old_token_is_renewed(code):
    assert BitrixResponses(HOSTS).is_expired(answer(401, {"error": code}))


@pytest.mark.parametrize("code", ["ERROR_OAUTH", "authorization_error", "PAYMENT_REQUIRED", "NO_AUTH_FOUND"])
def test_no_other_401_is(code):
    assert not BitrixResponses(HOSTS).is_expired(answer(401, {"error": code}))


def test_a_renamed_portal_is_asked_about_once():
    reader, moved = BitrixResponses(HOSTS), answer(302, "", Location="https://new.bitrix24.ru/rest/batch")
    assert reader.is_expired(moved)
    assert not reader.is_expired(moved)


@pytest.mark.parametrize(
    "place", ["https://evil.example/rest/", "https://bitrix24.ru.evil.example", "", "//"]
)
def test_a_stranger_gets_nothing(place):
    reader = BitrixResponses(HOSTS)
    assert not reader.is_expired(answer(302, "", Location=place))
    assert reader.failure(answer(302, "", Location=place), safe=True).code == "redirected"
