"""Keys are rotated while tokens are exchanged, and none is lost. On a real PostgreSQL."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection

from accounts.management.commands.rotate_secrets import sealed
from accounts.models import Account, Hook, InstallKey, Token
from accounts.tokens import AccountTokens, rotate
from connectors.errors import OurMistake
from tests.accounts.conftest import connected  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
ROUNDS = 12


class Rings(threading.local):
    """Each thread stands for a process, which was started with a list of keys of its own."""

    ENCRYPTION_KEYS = [OLD]


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> Rings:
    rings = Rings()
    monkeypatch.setattr("accounts.secrets.settings", rings)
    return rings


@contextmanager
def started_with(rings: Rings, *keys: str) -> Iterator[None]:
    before, rings.ENCRYPTION_KEYS = rings.ENCRYPTION_KEYS, list(keys)
    try:
        yield
    finally:
        rings.ENCRYPTION_KEYS = before


@pytest.fixture
def account(rings: Rings, connected: Account) -> Account:  # noqa: F811
    """Its secrets are written with the old key."""
    InstallKey.objects.create(crm="amocrm", remote_id="7", secret="of-notices")
    Hook.objects.create(account=connected, secret="of-a-hook")
    return connected


def stored() -> dict[str, str]:
    """All secrets, as this thread's keys open them."""
    return {
        f"{model.__name__}.{name}": getattr(row, name)
        for model, names in sealed().items()
        for row in model._default_manager.all()
        for name in names
    }


def test_every_encrypted_column_moves_to_the_new_key(rings: Rings, account: Account) -> None:
    before = stored()
    assert set(before) >= {"Token.access", "Token.refresh", "InstallKey.secret", "Hook.secret"}
    with started_with(rings, NEW, OLD):
        call_command("rotate_secrets", stdout=io.StringIO())
    with started_with(rings, NEW):
        assert stored() == before


def test_nothing_is_lost_while_both_kinds_of_processes_refresh(
    rings: Rings, account: Account, amo: Any
) -> None:
    amo.clock.now()

    def refresh(*keys: str) -> Callable[[], None]:
        def act() -> None:
            for _ in range(ROUNDS):
                rotate(account.pk, lambda row: True)

        return as_process(rings, keys, act)

    def rewrite() -> None:
        for _ in range(ROUNDS):
            call_command("rotate_secrets", stdout=io.StringIO())

    with ThreadPoolExecutor(3) as pool:
        acts = [refresh(OLD, NEW), refresh(NEW, OLD), as_process(rings, (NEW, OLD), rewrite)]
        for done in [pool.submit(act) for act in acts]:
            done.result()

    with started_with(rings, NEW, OLD):
        call_command("rotate_secrets", stdout=io.StringIO())
    with started_with(rings, NEW):
        assert len(amo.journal.find("POST", "access_token")) == 2 * ROUNDS
        kept = Token.objects.get()
        assert amo.tokens.by_access[kept.access] is amo.tokens.by_refresh[kept.refresh]
        assert AccountTokens(account.pk).renew(AccountTokens(account.pk).current()).access != kept.access
    assert Account.objects.get().state == "active"


def test_a_process_that_lacks_the_new_key_waits_and_spoils_nothing(rings: Rings, account: Account) -> None:
    with started_with(rings, NEW, OLD):
        call_command("rotate_secrets", stdout=io.StringIO())
        before = stored()
    with started_with(rings, OLD):
        for ask in (AccountTokens(account.pk).current, lambda: rotate(account.pk, lambda row: True)):
            with pytest.raises(OurMistake):
                ask()
    assert Account.objects.get().state == "active"
    with started_with(rings, NEW):
        assert stored() == before


def as_process(rings: Rings, keys: tuple[str, ...], act: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        try:
            with started_with(rings, *keys):
                act()
        finally:
            connection.close()

    return run
