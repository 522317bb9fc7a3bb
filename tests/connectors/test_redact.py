from __future__ import annotations

import json

import pytest

from connectors.redact import NAME_SIGNS, NAMES, excerpt, redact

SECRET = "s3cr3t-value"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJhY2NvdW50X2lkIjoxfQ.c2lnbmF0dXJl"
LONG_CODE = "def502" + "0a" * 40


@pytest.mark.parametrize(
    "text",
    [
        f"https://demo7.amocrm.ru/x?access_token={SECRET}&page=1",
        f"https://quiz.example/webhook/create?code={SECRET}&state={SECRET}",
        f"auth[access_token]={SECRET}&auth%5Brefresh_token%5D={SECRET}",
        f"grant_type=refresh_token&client_secret={SECRET}",
        json.dumps({"client_secret": SECRET, "refresh_token": SECRET}),
        json.dumps({"nested": [{"api_key": SECRET}]}),
        json.dumps({"body": json.dumps({"access_token": SECRET})}),
        json.dumps({"password": f'quo"ted {SECRET}'}),
        str({"client_secret": SECRET}),
        f"Authorization: Bearer {SECRET}",
        f"X-Refresh-Token: {SECRET}",
        f"sent with Basic {SECRET}",
        f"https://user:{SECRET}@crm.example/x",
        f'{{"X-Crypto-Secret": "{SECRET}"}}',
        f"POST /hooks/7/{SECRET} HTTP/1.1",
        f"/api/v4/webhooks?filter%5Bdestination%5D=https%3A%2F%2Fquiz.example%2Fhooks%2F7%2F{SECRET}",
        f'{{"destination": "https:\\/\\/quiz.example\\/hooks\\/7\\/{SECRET}"}}',
    ],
)
def test_a_secret_is_taken_out_wherever_it_stands(text):
    assert SECRET not in redact(text)


def test_a_token_is_known_by_its_looks():
    assert JWT not in redact(f"the CRM said {JWT}")


def test_an_oauth_code_in_a_body_is_taken_out():
    assert LONG_CODE not in redact(json.dumps({"grant_type": "authorization_code", "code": LONG_CODE}))


@pytest.mark.parametrize(
    "text",
    [
        '{"code":"NotSupportedChoice","path":"custom_fields_values.0.field_id"}',
        '{"field_code":"UTM_SOURCE"}',
        '{"hint":"Token has been revoked"}',
        "author=Anna&decode=1",
        '{"token": null}',
    ],
)
def test_plain_words_stay(text):
    assert redact(text) == text


def test_no_name_is_overlooked_by_the_quick_look():
    names = [*NAMES.split("|"), "X-My-Token", "X-My-Secret", "X-My-Key"]
    assert [name for name in names if not any(sign in name.casefold() for sign in NAME_SIGNS)] == []
    for name in names[:-3]:
        assert "abc123" not in redact(f'{{"{name.upper()}": "abc123"}}')
        assert "abc123" not in redact(f"?{name.upper()}=abc123")


def test_an_excerpt_is_readable_and_short():
    assert excerpt({"имя": "Анна", "secret": SECRET}) == '{"имя": "Анна", "secret": "***"}'
    assert excerpt("x" * 5000).endswith("… (5000 characters)")
    assert excerpt(None) == ""
    assert excerpt(b"bytes \xff") == "bytes \ufffd"


def test_an_excerpt_can_be_stored():
    stored = excerpt("nul\0 and half a pair \ud83d")
    assert "\0" not in stored
    assert stored.encode()
