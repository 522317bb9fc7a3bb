"""The call that amoCRM makes when our integration is removed, genuine and forged."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors.amocrm.auth import AmoSignIn
from connectors.errors import BadCallback
from tests.connectors.amocrm.shop import HOSTS


@pytest.fixture
def account(amo):
    return amo.add_account("demo7")


def signed(options, account_id: str, client: str | None = None) -> dict[str, str]:
    client = options.client_id if client is None else client
    message = f"{client}|{account_id}".encode()
    signature = hmac.new(options.client_secret.encode(), message, hashlib.sha256).hexdigest()
    return {"account_id": account_id, "client_uuid": client, "signature": signature}


def test_a_genuine_uninstall_names_the_account(amo, options, account):
    calls: list[str] = []
    amo.courier = lambda method, url, *rest: calls.append(url) or 200
    amo.integration.uninstall_url = "https://quiz.example/webhook/delete"
    amo.issue_tokens(account)
    amo.uninstall(account)
    query = dict(parse_qsl(urlsplit(calls[0]).query))
    assert AmoSignIn(options, HOSTS).read_uninstall(query) == str(account.id)


@pytest.mark.parametrize(
    "change",
    [
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": "ж"},
        {"account_id": "2"},
        {"account_id": ""},
        {"client_uuid": "another"},
    ],
)
def test_a_forged_uninstall_is_refused(sign_in, options, change):
    with pytest.raises(BadCallback):
        sign_in.read_uninstall(signed(options, "1") | change)


def test_a_signature_for_another_client_or_without_a_secret_is_refused(sign_in, options):
    with pytest.raises(BadCallback):
        sign_in.read_uninstall(signed(options, "1", client="another"))
    bare = replace(options, client_secret="")
    with pytest.raises(BadCallback):
        AmoSignIn(bare, HOSTS).read_uninstall(signed(bare, "1"))
