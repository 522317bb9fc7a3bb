"""The integration is removed in amoCRM, or somebody says so."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts import notices
from accounts.models import Account, Token
from tests.bitrix import come_back, name_portal

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(amo, flower_shop):
    """amoCRM's genuine call about the flower shop, as its sandbox signs it."""
    amo.integration.uninstall_url = "http://testserver/webhook/delete"
    calls: list[str] = []
    amo.courier = lambda method, url, *rest: calls.append(url) or 200

    def told() -> Any:
        amo.uninstall(flower_shop)
        return calls[-1]

    return told


def test_an_uninstalled_integration_disconnects_everybody_who_shared_it(connect, caller, flower_shop, told):
    connect(flower_shop, "shop")
    connect(flower_shop, "branch")

    answer = Client().get(told())

    assert (answer.status_code, answer.json()) == (200, "Success")
    assert answer["Cache-Control"] == "no-store"
    assert caller("shop").get("/account").status_code == 404
    assert caller("branch").get("/account").status_code == 404
    assert Client().get(told()).status_code == 200


def test_an_old_uninstall_call_changes_nothing_after_a_new_install(connect, caller, flower_shop, told):
    connect(flower_shop)
    old = told()
    connect(flower_shop)
    due = Token.objects.get().refresh_at

    assert Client().get(old).status_code == 200

    assert caller().get("/account").status_code == 200
    assert Token.objects.get().refresh_at < due


def test_a_false_uninstall_call_is_forbidden(connect, caller, flower_shop, told):
    connect(flower_shop)
    genuine = told()
    for false in ("/webhook/delete", genuine[:-1] + ("0" if genuine[-1] != "0" else "1")):
        answer = Client().get(false)
        assert answer.status_code == 403
        assert isinstance(answer.json(), str)
    assert Client().head(genuine).status_code == 200
    assert caller().get("/account").status_code == 200


def test_an_uninstall_call_that_can_not_be_verified_changes_nothing(connect, amo, caller, flower_shop, told):
    connect(flower_shop)
    call = told()
    amo.faults.add("/api/v4/account", status=502)
    assert Client().get(call).status_code == 200
    assert caller().get("/account").status_code == 200


def test_an_uninstall_call_leaves_what_is_connected_again_while_it_is_verified(
    connect, amo, caller, flower_shop, told, monkeypatch
):
    connect(flower_shop)
    call, refused = told(), notices._is_refused

    def refused_and_connected_again(account: Account) -> bool:
        answer = refused(account)
        connect(flower_shop)
        return answer

    monkeypatch.setattr(notices, "_is_refused", refused_and_connected_again)
    assert Client().get(call).status_code == 200
    assert caller().get("/account").status_code == 200
    assert Token.objects.get().access


def test_a_late_removal_leaves_an_account_that_is_about_to_be_connected_again(clinic, b24):
    clinic.api.delete("/bitrix/account")
    named = name_portal(clinic.api, clinic.portal.host).json()

    notices.forget("bitrix24", clinic.portal.member_id)

    assert clinic.api.get("/bitrix/account").json()["id"] == named["id"]
    come_back(b24.consent(named["link"], clinic.portal))
    assert clinic.account.state == "active"
