"""One exchange a round, whoever asks; and what each kind of failure does to the account."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from accounts import maintenance, pausing, states
from accounts.access import connector_for
from accounts.models import Account, Token
from accounts.tokens import AccountTokens, refresh_time
from connectors.auth import Tokens
from connectors.errors import NeedsReconnect, OurMistake, TryLater

EXCHANGE = "POST /oauth2/access_token"


def due(account: Account) -> None:
    Token.objects.filter(account=account).update(refresh_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db(transaction=True)
def test_ten_workers_with_an_expired_token_make_one_exchange(amo, connected):
    stale = AccountTokens(connected.pk).current()

    def renew(_: int) -> str:
        try:
            return AccountTokens(connected.pk).renew(stale).access
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        found = set(pool.map(renew, range(10)))

    assert amo.journal.counts[EXCHANGE] == 1
    assert found == {Token.objects.get().access} != {stale.access}


@pytest.mark.django_db(transaction=True)
def test_only_an_exchange_may_hold_its_row_for_long(amo, connected, monkeypatch):
    """A frozen process is in a transaction that does nothing, and so is one that waits for the CRM."""
    handle, told = amo.handle, []

    def patience() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            return cursor.fetchone()[0]

    monkeypatch.setattr(amo, "handle", lambda *request: told.append(patience()) or handle(*request))
    due(connected)
    assert maintenance.refresh_due() == 1
    assert (told, patience()) == (["5min"], "1min")


@pytest.mark.django_db(transaction=True)
def test_beat_leaves_a_row_to_whoever_holds_it(amo, connected):
    due(connected)

    def beat() -> int:
        try:
            return maintenance.refresh_due()
        finally:
            connections.close_all()

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        Token.objects.select_for_update().get()
        assert pool.submit(beat).result(timeout=10) == 0
    assert amo.journal.counts[EXCHANGE] == 0
    assert maintenance.refresh_due() == 1


@pytest.mark.django_db(transaction=True)
def test_an_exchange_inside_a_transaction_is_refused_before_it_is_made(amo, connected):
    stale = AccountTokens(connected.pk).current()
    with transaction.atomic(), pytest.raises(RuntimeError):
        AccountTokens(connected.pk).renew(stale)
    assert amo.journal.counts[EXCHANGE] == 0


@pytest.mark.django_db
def test_an_expired_token_is_renewed_in_the_middle_of_a_call(amo, connected, flower_shop):
    amo.expire(flower_shop)
    assert connector_for(connected).identify().remote_id == str(flower_shop.id)
    assert amo.journal.counts[EXCHANGE] == 1


@pytest.mark.django_db
def test_a_lost_reply_repeats_the_same_refresh_token(amo, connected):
    amo.switches["refresh_grace"] = "kommo"
    store, before = AccountTokens(connected.pk), Token.objects.get()
    amo.faults.add("access_token", action="reset_after")

    with pytest.raises(TryLater):
        store.renew(store.current())

    row = Token.objects.get()
    assert (row.refresh, row.failures) == (before.refresh, 1)
    assert row.refresh_at < timezone.now() + timedelta(minutes=2)
    assert Account.objects.get().state == "active"

    due(connected)
    assert maintenance.refresh_due() == 1
    row = Token.objects.get()
    assert row.refresh != before.refresh
    assert (row.failures, row.last_error) == (0, "")


@pytest.mark.django_db
@pytest.mark.parametrize("life", ["soon", None, [], {"a": 1}, -5, 1e300, 10**15, "nan"])
def test_a_pair_whose_life_makes_no_sense_is_kept_all_the_same(amo, connected, life):
    """The former pair is spent."""
    pair = {"access_token": "new", "refresh_token": "newer", "expires_in": life, "server_time": life}
    amo.faults.add("access_token", status=200, body=json.dumps(pair), content_type="application/json")
    store = AccountTokens(connected.pk)
    store.renew(store.current())
    row = Token.objects.get()
    assert (row.access, row.refresh, row.failures) == ("new", "newer", 0)
    assert row.refresh_at < timezone.now() + timedelta(hours=1)


@pytest.mark.django_db
def test_a_lost_reply_that_used_the_token_up_says_so(amo, connected):
    store = AccountTokens(connected.pk)
    amo.faults.add("access_token", action="timeout_after")
    with pytest.raises(TryLater):
        store.renew(store.current())
    with pytest.raises(NeedsReconnect):
        store.renew(store.current())

    account = Account.objects.get()
    assert account.state == "needs_reconnect"
    assert "Connect amoCRM again" in account.state_reason
    assert "got no answer" in account.state_reason


@pytest.mark.django_db
@pytest.mark.parametrize(("grace", "state"), [("kommo", "active"), ("strict", "needs_reconnect")])
def test_a_worker_killed_between_exchange_and_store(amo, connected, monkeypatch, grace, state):
    amo.switches["refresh_grace"] = grace
    store, before = AccountTokens(connected.pk), Token.objects.get()

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("accounts.tokens._kept", killed)
        with pytest.raises(KeyboardInterrupt):
            store.renew(store.current())
    assert Token.objects.get().refresh == before.refresh

    due(connected)
    maintenance.refresh_due()
    assert Account.objects.get().state == state


@pytest.mark.django_db
def test_a_definitive_refusal_parks_the_account_and_stops_asking(amo, connected, flower_shop):
    amo.revoke(flower_shop)
    due(connected)
    assert maintenance.refresh_due() == 0

    account = Account.objects.get()
    assert account.state == "needs_reconnect"
    assert account.state_reason.startswith("amoCRM no longer accepts our token.")
    assert Token.objects.get().refresh_at is None
    asked = amo.journal.counts[EXCHANGE]
    assert maintenance.refresh_due() == 0
    assert amo.journal.counts[EXCHANGE] == asked


@pytest.mark.django_db
def test_a_wrong_secret_of_ours_marks_nobody_and_pauses_refreshing(amo, connected):
    right, amo.integration.client_secret = amo.integration.client_secret, "another"
    due(connected)
    assert maintenance.refresh_due() == 0
    assert Account.objects.get().state == "active"
    assert "client" in pausing.why("amocrm")

    asked = amo.journal.counts[EXCHANGE]
    with pytest.raises(OurMistake):
        AccountTokens(connected.pk).renew(AccountTokens(connected.pk).current())
    assert amo.journal.counts[EXCHANGE] == asked
    amo.integration.client_secret = right


@pytest.mark.django_db
def test_mended_settings_are_tried_at_once(amo, connected, settings):
    from dataclasses import replace

    options = settings.CRM_OPTIONS["amocrm"]
    settings.CRM_OPTIONS = {**settings.CRM_OPTIONS, "amocrm": replace(options, client_secret="wrong")}
    due(connected)
    maintenance.refresh_due()
    settings.CRM_OPTIONS = {**settings.CRM_OPTIONS, "amocrm": options}
    due(connected)
    assert maintenance.refresh_due() == 1


@pytest.mark.django_db
def test_a_renamed_subdomain_is_followed(amo, connected, flower_shop):
    connector = connector_for(connected)
    assert connector.identify().subdomain == "flowers"
    amo.rename(flower_shop, "bouquets")

    with pytest.raises(TryLater) as moved:
        connector.identify()

    assert moved.value.code == "moved"
    account = Account.objects.get()
    assert (account.host, account.subdomain) == ("bouquets.amocrm.ru", "bouquets")
    with pytest.raises(TryLater):
        connector.identify()
    assert Account.objects.get().state == "active"
    assert connector_for(account).identify().subdomain == "bouquets"


@pytest.mark.django_db
def test_a_host_that_is_no_longer_allowed_pauses_nobody_else(amo, connected, caplog):
    Account.objects.update(host="127.0.0.1:8110")
    due(connected)
    assert maintenance.refresh_due() == 0
    assert Account.objects.get().state == "active"
    assert pausing.why("amocrm") == ""
    with pytest.raises(OurMistake):
        connector_for(Account.objects.get())


@pytest.mark.django_db
def test_a_silent_crm_gets_three_tries_a_round(amo, connected):
    row = Token.objects.get()
    for number in range(5):
        other = Account.objects.create(
            account_id=f"n{number}",
            crm="amocrm",
            host=connected.host,
            state="active",
            connected_at=timezone.now(),
        )
        Token.objects.create(account=other, access=row.access, refresh=row.refresh)
    Token.objects.update(refresh_at=timezone.now())
    amo.faults.add("access_token", action="reset", times=None)
    maintenance.refresh_due()
    assert amo.journal.counts[EXCHANGE] == 3
    assert Token.objects.filter(refresh_at__lte=timezone.now()).count() == 3


@pytest.mark.django_db
def test_a_bug_in_one_account_does_not_stop_the_others(amo, connected, monkeypatch):
    broken = Account.objects.create(account_id="b", crm="amocrm", host="b.amocrm.ru", state="active")
    Token.objects.create(
        account=broken, access="a", refresh="r", refresh_at=timezone.now() - timedelta(hours=1)
    )
    due(connected)
    real = maintenance.rotate

    def rotate(account_pk, *rest, **options):
        if account_pk == broken.pk:
            raise KeyError("bug")
        return real(account_pk, *rest, **options)

    monkeypatch.setattr(maintenance, "rotate", rotate)
    assert maintenance.refresh_due() == 1
    assert Token.objects.get(account=broken).refresh_at > timezone.now()


@pytest.mark.django_db
def test_the_paused_are_kept_alive_and_the_disconnected_left_alone(amo, connected):
    states.pause(connected, "for the holidays")
    due(connected)
    assert maintenance.refresh_due() == 1
    states.disconnect(connected)
    with pytest.raises(NeedsReconnect):
        AccountTokens(connected.pk).current()


@pytest.mark.django_db
def test_a_secret_that_our_keys_do_not_open_is_the_operators_business(connected, settings):
    settings.ENCRYPTION_KEYS = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]
    with pytest.raises(OurMistake, match="ENCRYPTION_KEYS"):
        AccountTokens(connected.pk).current()
    assert Account.objects.get().state == "active"


def test_tokens_are_renewed_at_two_thirds_of_their_life():
    now = timezone.now()
    day = Tokens("a", "r", now.timestamp() + 86400)
    assert abs(refresh_time("amocrm", day, now) - now - timedelta(hours=16)) < timedelta(seconds=1)
    assert refresh_time("amocrm", Tokens("key"), now) is None
    assert refresh_time("amocrm", Tokens("a", "r", 1.0), now) == now + timedelta(seconds=60)
