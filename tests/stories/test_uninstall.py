"""The integration is removed in amoCRM, or somebody says so."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Token

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
