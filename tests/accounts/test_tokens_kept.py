"""A database that breaks between the CRM's new pair and its commit. On a real PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from accounts import database, maintenance, tokens
from accounts.models import Account, Token
from accounts.tokens import AccountTokens, rotate
from connectors.errors import NeedsReconnect, TryLater
from tests.accounts.test_tokens import due

pytestmark = pytest.mark.django_db(transaction=True)
EXCHANGE = "POST /oauth2/access_token"


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses, no memory of earlier tests, and a CRM that forgets the old pair at once."""
    monkeypatch.setattr(database, "PAUSES", (0.0,))
    monkeypatch.setattr(tokens, "_unkept", {})


@pytest.fixture
def strict(amo: Any) -> None:
    amo.switches["refresh_grace"] = "strict"


def cut() -> None:
    """PostgreSQL ends our connection, as at a failover."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    given = connection.get_connection_params()
    place = {key: given[key] for key in ("dbname", "user", "host", "port", "password") if given.get(key)}
    with psycopg.connect(**place, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])


def elsewhere(act: Callable[[], object]) -> None:
    """In another process, as far as the database can tell."""

    def run() -> None:
        act()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def after_exchange(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Once, when the CRM has answered."""
    real, done = tokens._exchange, []

    def exchange(row: Token, account: Account) -> Any:
        grant = real(row, account)
        if not done:
            done.append(True)
            act()
        return grant

    monkeypatch.setattr(tokens, "_exchange", exchange)


def test_a_pair_is_kept_though_the_connection_breaks_before_its_commit(amo, connected, strict, monkeypatch):
    before = AccountTokens(connected.pk).current()
    after_exchange(monkeypatch, cut)

    pair = rotate(connected.pk, lambda row: True)

    row = Token.objects.get()
    assert (row.access, row.refresh) == (pair.access, pair.refresh) != (before.access, before.refresh)
    assert (row.exchange_begun_at, amo.journal.counts[EXCHANGE]) == (None, 1)
    assert rotate(connected.pk, lambda row: True).access != pair.access  # the CRM takes the new pair
    connected.refresh_from_db()
    assert connected.state == "active"


def test_a_pair_that_another_one_has_stored_meanwhile_stays(connected, monkeypatch):
    def theirs() -> None:
        cut()
        elsewhere(lambda: Token.objects.update(access="theirs", refresh="their-refresh"))

    after_exchange(monkeypatch, theirs)
    assert rotate(connected.pk, lambda row: True).access == "theirs"
    assert Token.objects.get().refresh == "their-refresh"


def test_an_account_that_was_given_up_meanwhile_is_signed_in_after_all(connected, monkeypatch):
    def given_up() -> None:
        cut()
        lost = {"state": "needs_reconnect", "state_reason": "The CRM refuses our tokens"}
        elsewhere(lambda: Account.objects.update(**lost))

    after_exchange(monkeypatch, given_up)
    rotate(connected.pk, lambda row: True)
    connected.refresh_from_db()
    assert (connected.state, connected.state_reason) == ("active", "")


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The database does not come back for this pair."""
    after_exchange(monkeypatch, cut)
    with monkeypatch.context() as gone:
        gone.setattr(tokens, "_keep", lambda this: (_ for _ in ()).throw(OperationalError("away")))
        yield gone


def test_a_pair_for_which_the_database_stays_away_is_kept_by_the_next_exchange(amo, connected, strict, away):
    with pytest.raises(TryLater, match="the database is away"):
        rotate(connected.pk, lambda row: True)
    assert Token.objects.get().exchange_begun_at is not None
    away.undo()

    stale = Token.objects.get().access
    pair = rotate(connected.pk, lambda row: row.access == stale)
    assert amo.journal.counts[EXCHANGE] == 1
    assert Token.objects.get().access == pair.access != stale


def test_where_the_process_dies_with_the_pair_the_state_says_which_one_was_spent(connected, strict, away):
    with pytest.raises(TryLater):
        rotate(connected.pk, lambda row: True)
    away.undo()
    tokens._unkept.clear()  # another process

    due(connected)
    begun = Token.objects.get().exchange_begun_at
    assert maintenance.refresh_due() == 0
    connected.refresh_from_db()
    assert connected.state == "needs_reconnect"
    assert f"exchanged on {begun:%Y-%m-%d %H:%M} UTC" in connected.state_reason
    assert "the old ones are spent" in connected.state_reason


def test_an_exchange_without_an_answer_has_ended_and_a_refusal_speaks_of_nothing_spent(
    amo, flower_shop, connected
):
    amo.faults.add("access_token", "answer", status=500)
    with pytest.raises(TryLater):
        rotate(connected.pk, lambda row: True)
    assert Token.objects.get().exchange_begun_at is None

    Token.objects.update(failures=0)
    amo.revoke(flower_shop)
    with pytest.raises(NeedsReconnect):
        rotate(connected.pk, lambda row: True)
    connected.refresh_from_db()
    assert "spent" not in connected.state_reason
    assert timezone.now() > connected.state_since
