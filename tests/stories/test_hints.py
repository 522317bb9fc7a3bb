"""CRMs tell that leads have changed: a hint to look, which may be lost, repeated, late or forged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import hooks
from accounts.models import Account, Hook, InstallKey
from connectors.amocrm.connector import AmoConnector
from connectors.errors import Refused
from rules.models import Outcome
from tests.stories.followed import lead_of, look, shown, standing


def address(shop: Any) -> str:
    return hooks.address_of(shop.account).removeprefix("http://localhost:8000")


def post(path: str, **form: str) -> Any:
    return Client().post(path, urlencode(form), content_type="application/x-www-form-urlencoded")


def test_a_hint_brings_the_look_forward(delivered, crm, later):
    crm.says[lead_of(delivered)] = standing(lead_of(delivered), status="won")
    assert post(address(delivered), leads=lead_of(delivered)).status_code == 200
    later(seconds=3)
    assert look(delivered) == 1
    assert shown(delivered)["status"] == "won"
    assert Hook.objects.get().heard_at is not None


def test_a_notice_without_ids_is_about_open_leads_that_were_not_seen_just_now(delivered, crm, later):
    crm.says[lead_of(delivered)] = standing(lead_of(delivered), status="open")
    assert post(address(delivered)).status_code == 200
    later(seconds=3)
    assert look(delivered) == 1

    post(address(delivered))
    later(seconds=3)
    assert look(delivered) == 0
    crm.says[lead_of(delivered)] = standing(lead_of(delivered), status="won")
    later(minutes=11)
    post(address(delivered))
    later(seconds=3)
    assert look(delivered) == 1

    later(minutes=11)
    post(address(delivered))
    later(seconds=3)
    assert look(delivered) == 0


def test_a_notice_may_be_long(delivered, crm, later):
    """All fields of all leads that somebody changed at once."""
    fields = {f"leads[update][{n // 99}][custom_fields][{n % 99}][id]": str(n) for n in range(3000)}
    assert post(address(delivered), **fields, leads=lead_of(delivered)).status_code == 200
    later(seconds=3)
    assert look(delivered) == 1


def test_what_a_notice_says_is_never_believed(delivered, crm, later):
    crm.says[lead_of(delivered)] = standing(lead_of(delivered), status="open")
    post(address(delivered), leads=lead_of(delivered), status="142", price="1000000")
    later(seconds=3)
    look(delivered)
    assert (shown(delivered)["status"], shown(delivered)["amount"]) == ("open", "")


def test_repeated_notices_cost_one_look(delivered, crm, later):
    for _ in range(20):
        post(address(delivered), leads=lead_of(delivered))
    later(seconds=3)
    assert look(delivered) == 1
    assert look(delivered) == 0


def test_a_notice_that_comes_while_we_look_is_not_lost(delivered, crm, later):
    crm.says[lead_of(delivered)] = standing(lead_of(delivered), status="open")
    crm.while_asked = lambda: post(address(delivered), leads=lead_of(delivered))
    later(hours=2)
    look(delivered)
    assert shown(delivered)["seenAt"] is None  # what we saw may be older than the notice

    crm.while_asked = lambda: None
    crm.says[lead_of(delivered)] = standing(lead_of(delivered), status="won")
    later(seconds=3)
    look(delivered)
    assert shown(delivered)["status"] == "won"


@pytest.mark.parametrize("forged", ["wrong secret", "wrong number", "another account's", "unproven"])
def test_a_forged_notice_changes_nothing(delivered, crm, forged):
    path, form = address(delivered), {"leads": lead_of(delivered)}
    if forged == "wrong secret":
        path = path[:-1] + ("A" if path[-1] != "A" else "B")
    elif forged == "wrong number":
        path = path.replace(f"/hooks/{Hook.objects.get().pk}/", "/hooks/999999999999999999999/")
    elif forged == "another account's":
        form["account"] = "31009999"
    else:
        InstallKey.objects.create(crm="amocrm", remote_id=delivered.account.remote_id, secret="known")
    before = Outcome.objects.values().get()
    assert post(path, **form).status_code == 404
    assert Outcome.objects.values().get() == before
    assert Hook.objects.get().heard_at is None
    assert crm.asked == []


def test_a_notice_for_a_disconnected_account_finds_nobody(delivered):
    path = address(delivered)
    delivered.api.delete("/account")
    assert post(path, leads="1").status_code == 404


def test_a_dead_broker_costs_a_notice_nothing(delivered, crm, later, monkeypatch):
    monkeypatch.setattr("celery.Celery.send_task", lambda *a, **k: 1 / 0)
    assert post(address(delivered), leads=lead_of(delivered)).status_code == 200
    later(seconds=3)
    assert look(delivered) == 1


# -- asking for notices -------------------------------------------------------------------------------------


def test_a_connected_account_is_asked_to_post_changes_once_a_day(shop, crm, later):
    assert hooks.subscribe_due() == 1
    assert hooks.subscribe_due() == 0
    hook = Hook.objects.get()
    assert (hook.error, hook.asked_at is not None) == ("", True)
    later(hours=25)
    assert hooks.subscribe_due() == 1


def test_whose_turn_it_is_is_read_by_index(shop, crm):
    with CaptureQueriesContext(connection) as asked:
        hooks.subscribe_due()
        hooks.subscribe_due()
    whole = [one["sql"] for one in asked if "LEFT OUTER JOIN" in one["sql"]]
    assert len(whole) <= 1  # accounts without an address are looked for now and then
    assert Hook.objects.filter(account=shop.account).exists()


def test_a_crm_that_does_not_allow_notices_says_so_and_is_polled(shop, crm, monkeypatch, later):
    def refuse(self: Any, url: str, contacts: bool) -> None:
        raise Refused("The account's plan has no webhooks", remedy="Choose another plan.")

    monkeypatch.setattr(AmoConnector, "subscribe", refuse)
    assert hooks.subscribe_due() == 0
    assert Hook.objects.get().error == "The account's plan has no webhooks Choose another plan."
    assert Hook.objects.get().ask_at > timezone.now() + timedelta(hours=23)
    assert shop.account.state == Account.State.ACTIVE


def test_nonsense_of_one_crm_costs_no_other_account_its_turn(shop, crm, monkeypatch):
    first = shop.account
    other = Account.objects.create(
        account_id="other", crm="amocrm", state="active", remote_id="1", host=first.host
    )
    cache.delete(hooks.NEW_ONES)
    asked: list[str] = []

    def stumble(self: Any, url: str, contacts: bool) -> None:
        asked.append(url)
        if len(asked) == 1:
            raise AttributeError("'list' object has no attribute 'get'")

    monkeypatch.setattr(AmoConnector, "subscribe", stumble)
    assert hooks.subscribe_due() == 1
    assert "something unexpected" in Hook.objects.get(account=first).error
    assert Hook.objects.get(account=other).error == ""


def test_a_hook_that_opens_with_no_key_costs_no_other_its_turn(quiz, amo, connect):
    connect(amo.add_account("second"), "shop2")
    Hook.objects.all().delete()
    cache.delete(hooks.NEW_ONES)
    broken = Hook.objects.create(account=quiz.account, secret="x")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_hook SET secret = 'v1:gAAAAAB' WHERE id = %s", [broken.pk])

    assert hooks.subscribe_due() == 1
    assert Hook.objects.defer("secret").get(account__account_id="shop2").asked_at is not None
    told = Hook.objects.defer("secret").get(pk=broken.pk)
    assert "WrongKey" in told.error
    assert told.ask_at > timezone.now()  # it does not take a turn in every round
