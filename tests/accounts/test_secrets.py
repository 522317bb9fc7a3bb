from __future__ import annotations

import io

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Token
from accounts.secrets import WrongKey
from accounts.serializers import derived
from connectors.auth import Tokens

pytestmark = pytest.mark.django_db


def raw() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT access, refresh FROM accounts_token")
        return cursor.fetchone()


def test_secrets_are_encrypted_at_rest(connected):
    row = Token.objects.get()
    access, refresh = raw()
    assert access.startswith("v1:")
    assert row.access not in access
    assert row.refresh not in refresh


def test_a_wrong_key_raises_and_returns_no_ciphertext(connected, settings):
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(WrongKey):
        Token.objects.get()


def test_no_secret_is_in_a_repr(connected):
    row = Token.objects.get()
    shown = f"{row!r} {row} {Tokens(row.access, row.refresh)!r}"
    assert row.access not in shown
    assert row.refresh not in shown


def test_a_key_is_rotated_and_the_old_one_dropped(connected, settings):
    before, secret = raw(), Token.objects.get().access
    new = Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, *settings.ENCRYPTION_KEYS]
    call_command("rotate_secrets", stdout=io.StringIO())
    settings.ENCRYPTION_KEYS = [new]
    assert Token.objects.get().access == secret
    assert raw() != before


def test_rotating_names_what_no_key_opens(connected, settings):
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match="ENCRYPTION_KEYS"):
        call_command("rotate_secrets", stdout=io.StringIO())


@pytest.mark.parametrize("crm", ["envybox", "solos"])
def test_a_body_with_keys_shows_none_in_a_traceback(crm):
    body = derived.dialect_for(crm).request(data={"token": "a-key", "secret": "a-key", "api_key": "a-key"})
    assert "a-key" not in repr(body)
