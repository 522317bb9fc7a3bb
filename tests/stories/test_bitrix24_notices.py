"""A portal tells that our application was installed or removed there, and anybody may try to say so."""

from __future__ import annotations

from io import StringIO
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from django.test import Client

from accounts.models import Account, InstallKey

pytestmark = pytest.mark.django_db
EVENTS = "/bitrix/events"


def tell(**form: Any) -> Any:
    """An event; ``auth_member_id`` stands for ``auth[member_id]``."""
    named = {f"auth[{key[5:]}]" if key.startswith("auth_") else key: text for key, text in form.items()}
    return Client().post(EVENTS, urlencode(named), content_type="application/x-www-form-urlencoded")


def install_event(b24: Any, portal: Any, **changed: str) -> dict[str, str]:
    given = b24.issue_tokens(portal) | {"member_id": portal.member_id, "application_token": "t-1"} | changed
    return {"event": "ONAPPINSTALL", **{f"auth_{key}": str(value) for key, value in given.items()}}


def statuses(b24: Any) -> list[int]:
    b24.pump()
    return list(b24.sender.statuses)


def test_a_removal_disconnects_the_account(b24, dentist, connect_portal, caller):
    b24.install(dentist)
    assert statuses(b24) == [200]
    connect_portal(dentist)

    b24.uninstall(dentist)

    assert statuses(b24) == [200, 200]
    assert Account.objects.get().state == "disconnected"
    assert caller().get("/bitrix/account").status_code == 404


def test_the_secret_is_kept_before_anybody_connects_and_is_sealed(b24, dentist):
    b24.install(dentist)
    assert statuses(b24) == [200]
    key = InstallKey.objects.get()
    assert (key.crm, key.remote_id) == ("bitrix24", dentist.member_id)
    assert key.secret == dentist.installed[b24.app.client_id].application_token
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM accounts_installkey")
        assert key.secret not in cursor.fetchone()[0]
    assert key.secret not in f"{key} {key!r}"


def test_the_secret_moves_to_a_new_key_with_the_others(b24, dentist, settings):
    b24.install(dentist)
    b24.pump()
    secret, new = InstallKey.objects.get().secret, Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, *settings.ENCRYPTION_KEYS]
    call_command("rotate_secrets", stdout=StringIO())
    settings.ENCRYPTION_KEYS = [new]
    assert InstallKey.objects.get().secret == secret


def test_a_new_installation_brings_a_new_secret(b24, dentist):
    for _ in range(2):
        b24.install(dentist)
        b24.pump()
    assert InstallKey.objects.get().secret == dentist.installed[b24.app.client_id].application_token


def test_a_forged_removal_is_refused(b24, dentist, connect_portal):
    b24.install(dentist)
    b24.pump()
    connect_portal(dentist)
    b24.forge_uninstall(dentist)
    assert statuses(b24)[-1] == 403
    assert Account.objects.get().state == "active"


def test_a_removal_that_nobody_can_prove_is_refused(b24, dentist, connect_portal):
    """We never heard of the installation, so we have nothing to compare with."""
    connect_portal(dentist)
    answer = tell(event="ONAPPUNINSTALL", auth_member_id=dentist.member_id, auth_application_token="x")
    assert (answer.status_code, isinstance(answer.json(), str)) == (403, True)
    assert Account.objects.get().state == "active"


def test_an_old_removal_sent_again_counts_for_nothing_while_our_tokens_work(b24, dentist, connect_portal):
    b24.install(dentist)
    b24.pump()
    connect_portal(dentist)
    b24.forge_uninstall(dentist, InstallKey.objects.get().secret)
    assert statuses(b24)[-1] == 200
    assert Account.objects.get().state == "active"


@pytest.mark.parametrize(
    "changed",
    [
        {"access_token": "guessed"},
        {"client_endpoint": "https://evil.example/rest/"},
        {"client_endpoint": "http://127.0.0.1:6379/rest/"},
        {"client_endpoint": "https://dentist.bitrix24.ru/somewhere/\r\nelse/"},
        {"client_endpoint": "https://dentist.bitrix24.ru/../oauth/"},
        {"access_token": "я\r\nX-Header: 1"},
        {"access_token": "\x00" * 3},
        {"access_token": "x" * 100_000},
        {"server_endpoint": "https://evil.example/rest/", "access_token": "guessed"},
    ],
)
def test_an_installation_is_believed_for_its_tokens_alone(b24, dentist, changed):
    assert tell(**install_event(b24, dentist, **changed)).status_code == 403
    assert not InstallKey.objects.exists()


def test_nobody_speaks_for_another_portal(b24, dentist):
    """Good tokens of one's own portal, and the name of somebody else's."""
    rival = b24.add_portal("rival")
    assert tell(**install_event(b24, rival, member_id=dentist.member_id)).status_code == 403
    assert not InstallKey.objects.exists()


def test_an_installation_that_can_not_be_checked_is_not_kept(b24, dentist):
    event = install_event(b24, dentist)
    b24.faults.add(action="answer", path="/rest/", status=502, times=None)
    assert tell(**event).status_code == 403
    assert not InstallKey.objects.exists()


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"event": "ONCRMDEALADD", "auth_member_id": "x", "auth_application_token": "y"},
        {"event": "ONAPPINSTALL"},
        {"event": "ONAPPUNINSTALL", "auth_member_id": "x"},
        {"event": "\x00", "auth[": "x"},
        {"event": "ONAPPUNINSTALL", "auth_member_id": "\x00", "auth_application_token": "y"},
    ],
)
def test_everything_else_is_passed_over(b24, form):
    assert tell(**form).json() == "Success"
