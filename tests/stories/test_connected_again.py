"""One row for one CRM account: disconnected and connected again, it goes on where it was."""

from __future__ import annotations

from accounts.models import Account, ConnectAttempt
from rules.models import Delivery, Outcome
from tests.bitrix import name_portal
from tests.stories.followed import lead_of, look, shown, standing


def test_it_has_its_id_and_its_rules_back(owner):
    account, rule = owner.account().json(), owner.rule().json()

    owner.disconnect()
    assert (owner.account().status_code, owner.rule().status_code) == (404, 404)
    owner.again()

    assert owner.account().json() == account
    assert owner.rule().json() == rule
    assert Account.objects.count() == 1
    owner.shop.sync()
    owner.shop.post()
    owner.shop.work()
    assert Delivery.objects.get().state == "delivered"


def test_another_account_gets_a_row_of_its_own_and_the_way_back_is_open(owner):
    first, rule = owner.account().json(), owner.rule().json()
    owner.disconnect()
    owner.other()
    second = owner.account().json()
    assert second != first
    assert owner.rule().status_code == 404

    owner.disconnect()
    owner.again()

    assert owner.account().json() == first
    assert owner.rule().json() == rule
    assert Account.objects.count() == 2


def test_a_rule_with_tags_can_be_changed_after_all_that(quiz, connect):
    tag = quiz.api.get("/tags").json()["items"][0]
    tags = {tag["Entity"].removesuffix("s").capitalize(): [tag["ID"]]}
    assert quiz.change_rule(TagsToAdd=tags).json() == "Success"
    quiz.api.delete("/account")
    connect(quiz.crm)
    assert quiz.change_rule(TagsToAdd=tags).json() == "Success"
    assert quiz.api.get("/tags").json()["items"][0] == tag


def test_answers_that_waited_go_on_by_themselves(owner):
    owner.shop.post()
    owner.disconnect()
    owner.shop.work()
    assert owner.shop.delivery.state == "held"

    owner.again()
    owner.shop.sync()
    owner.shop.work()
    assert (owner.shop.delivery.state, Delivery.objects.count()) == ("delivered", 1)


def test_another_account_is_sent_nothing_that_was_meant_for_the_former(owner):
    owner.shop.post()
    owner.disconnect()
    owner.other()
    owner.shop.work()
    delivery = owner.shop.delivery
    assert (delivery.state, delivery.account.deleted) == ("held", True)


def test_leads_of_before_are_followed_again(delivered, crm, connect, later):
    lead = lead_of(delivered)
    delivered.api.delete("/account")
    connect(delivered.crm)
    crm.says[lead] = standing(lead, status="won")
    later(hours=2)
    assert look(delivered) == 1
    assert shown(delivered)["status"] == "won"
    assert Outcome.objects.get().account == delivered.account


def test_links_that_are_out_stay_good_when_the_pending_row_gives_way(quiz, amo, connect):
    quiz.api.delete("/account")
    pending = quiz.api.post("/account").json()["link"]
    connect(quiz.crm)
    assert not ConnectAttempt.objects.exclude(account=quiz.account).exists()
    assert amo.consent(pending, quiz.crm)


# -- a portal that is named first ----------------------------------------------------------------------------


def test_a_named_portal_is_its_former_row_from_the_first_moment(clinic):
    before = clinic.api.get("/bitrix/account").json()
    clinic.api.delete("/bitrix/account")

    pending = name_portal(clinic.api, clinic.portal.host).json()
    assert (pending["id"], pending["bitrixID"], pending["stale"]) == (before["id"], "", True)
    assert clinic.api.get("/bitrix/account").json()["id"] == before["id"]
    assert clinic.api.get("/bitrix/rules/42").status_code == 404
    assert clinic.api.get("/bitrix/users").json() == {"count": 0, "items": []}


def test_a_portal_named_in_its_place_leaves_the_former_row_alone(clinic, b24, connect_portal):
    first = clinic.account
    clinic.api.delete("/bitrix/account")
    name_portal(clinic.api, clinic.portal.host)

    connect_portal(b24.add_portal("orthodontist"))

    first.refresh_from_db()
    assert (first.deleted, first.state, first.remote_id) == (True, "disconnected", clinic.portal.member_id)
    assert clinic.api.get("/bitrix/account").json()["subdomain"] == "orthodontist"
    assert Account.objects.count() == 2
