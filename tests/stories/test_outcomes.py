"""Somebody works on the lead in the CRM, and our outcome says so: each CRM's own way, whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client

from accounts import hooks
from crm_cache.models import Step
from rules.delivery import outbox
from rules.models import Delivery
from rules.outcomes import following
from tests.stories.followed import look, shown


def postman(*_: Any) -> Callable[..., int]:
    """What a CRM posts arrives at our address."""

    def carry(method: str, url: str, headers: dict[str, str], body: bytes, timeout: float) -> int:
        kind = headers.get("Content-Type", "application/x-www-form-urlencoded")
        return Client().generic(method, urlsplit(url).path, body, content_type=kind).status_code

    return carry


@pytest.fixture(autouse=True)
def nothing_waits_in_the_broker(queued: Any) -> None:
    """Tasks are run by hand."""
    cache.clear()


def told(address: str, form: dict[str, str]) -> int:
    body = urlencode(form)
    return Client().post(address, body, content_type="application/x-www-form-urlencoded").status_code


def answered(shop: Any, **body: Any) -> str:
    """The CRM's id of a lead that was delivered just now."""
    shop.post(**body)
    shop.work()
    return Delivery.objects.latest("pk").remote_id


# -- amoCRM -------------------------------------------------------------------------------------------------


def test_amocrm_tells_of_a_sale_and_is_asked_for_the_rest(quiz, later):
    quiz.amo.courier = postman()
    assert hooks.subscribe_due() == 1
    lead = answered(quiz, contact={"name": "Анна", "phone": "+79990001122"})

    quiz.amo.control("move_lead", {"lead_id": int(lead), "step_id": 142, "price": 54000})
    assert quiz.amo.pump() >= 1
    later(seconds=3)
    assert look(quiz) == 1

    outcome = shown(quiz)
    assert (outcome["status"], outcome["amount"], outcome["recordID"]) == ("won", "54000.00", lead)
    assert outcome["pipeline"]["name"] == "Квизы"
    assert (outcome["contact"]["name"], outcome["contact"]["phone"]) == ("Анна", "+79990001122")
    assert outcome["performer"]["name"]


def test_amocrm_tells_of_a_new_lead_so_that_step_and_person_are_known_at_once(quiz, later, caller):
    quiz.amo.courier = postman()
    hooks.subscribe_due()
    lead = answered(quiz)
    assert shown(quiz)["seenAt"] is None
    assert quiz.amo.pump() >= 1
    later(seconds=3)
    assert look(quiz) == 1
    outcome = shown(quiz)
    assert (outcome["step"]["name"], outcome["recordID"]) == ("Дозвон", lead)
    assert outcome["performer"]["name"]
    [event] = caller("shop").get("/events?types=outcome.changed").json()["items"]
    assert {"step", "performer"} <= set(event["data"]["changed"])
    assert (event["data"]["stepID"], event["data"]["performerID"]) == (
        outcome["step"]["id"], outcome["performer"]["id"],
    )  # fmt: skip


def test_a_notice_that_comes_before_its_lead_is_written_down_is_not_lost(quiz, later, queued, monkeypatch):
    quiz.amo.courier = postman()
    hooks.subscribe_due()
    settle = outbox.settle

    def late(*settled: Any) -> None:
        quiz.amo.pump()  # amoCRM's notices of what it has made
        settle(*settled)

    monkeypatch.setattr("rules.delivery.worker.outbox.settle", late)
    queued.clear()
    answered(quiz)
    account = quiz.account.pk
    assert [ids for name, ids in queued if name == "rules.tasks.hint_new"] == [[account]]
    later(seconds=15)
    assert look(quiz) == 0
    assert following.hint_new(account) == 1
    later(seconds=3)
    assert look(quiz) == 1
    assert shown(quiz)["step"]["name"] == "Дозвон"
    # What others make there is none of ours, and costs no message while nothing is sent.
    queued.clear()
    cache.clear()
    assert following.hint(quiz.account, {"987654"}) == 0
    assert queued == []


def test_a_forged_amocrm_notice_changes_nothing(quiz, later):
    lead = answered(quiz)
    address = urlsplit(hooks.address_of(quiz.account)).path
    form = {
        "leads[status][0][id]": lead,
        "leads[status][0][status_id]": "142",
        "leads[status][0][price]": "1000000",
        "account[id]": quiz.account.remote_id,
    }
    before = shown(quiz)

    assert told(address[:-8] + "AAAAAAAA", form) == 404  # somebody guesses
    assert told(address, {**form, "account[id]": "31999999"}) == 404
    assert shown(quiz) == before

    assert told(address, form) == 200  # the address has leaked
    later(seconds=3)
    assert look(quiz) == 1
    assert (shown(quiz)["status"], shown(quiz)["amount"]) == ("open", "0.00")


def test_amocrm_without_notices_is_asked_by_and_by(quiz, later):
    lead = answered(quiz)
    quiz.amo.control("move_lead", {"lead_id": int(lead), "step_id": 143})
    later(hours=2)
    assert look(quiz) == 1
    assert shown(quiz)["status"] == "lost"

    quiz.amo.control("delete_lead", {"lead_id": int(lead)})
    later(days=8)
    look(quiz)
    assert (shown(quiz)["status"], shown(quiz)["gone"]) == ("lost", "deleted")


# -- Bitrix24 -----------------------------------------------------------------------------------------------


def test_bitrix24_tells_of_a_lost_deal(clinic, later_there):
    clinic.box.courier = postman()
    assert hooks.subscribe_due() == 1
    deal = answered(clinic)

    line = clinic.place()["PipelineID"]
    moved = {"kind": "deal", "id": deal, "step_id": f"C{line}:LOSE" if line else "LOSE"}
    clinic.box.control("move_record", moved)
    assert clinic.box.pump() >= 1
    later_there(seconds=3)
    assert look(clinic) == 1
    assert (shown(clinic)["status"], shown(clinic)["record"]) == ("lost", "deal")


def test_a_bitrix24_lead_is_followed_into_its_deal(clinic, later_there):
    clinic.change_rule(LeadFlag=True)
    lead = answered(clinic)
    deal = clinic.box.control("convert_lead", {"id": lead})["deal_id"]
    later_there(hours=2)
    look(clinic)
    assert (shown(clinic)["record"], shown(clinic)["recordID"]) == ("deal", str(deal))
    assert shown(clinic)["status"] == "open"

    line = clinic.portal.tables["deal"].get(deal).props.get("CATEGORY_ID")
    moved = {"kind": "deal", "id": deal, "step_id": f"C{line}:WON" if line else "WON"}
    clinic.box.control("move_record", {**moved, "fields": {"OPPORTUNITY": "700"}})
    later_there(hours=8)
    look(clinic)
    assert (shown(clinic)["status"], shown(clinic)["amount"]) == ("won", "700.00")


# -- Envybox ------------------------------------------------------------------------------------------------


def test_an_envybox_lead_becomes_a_deal_and_is_won(florist, later_at_envybox):
    florist.change_rule(LeadFlag=True)
    lead = answered(florist)
    later_at_envybox(hours=2)
    look(florist)
    assert (shown(florist)["record"], shown(florist)["status"]) == ("lead", "open")

    deal = florist.box.control("take", {"id": int(lead)})["deal_id"]
    later_at_envybox(hours=8)
    look(florist)
    assert (shown(florist)["record"], shown(florist)["recordID"]) == ("deal", str(deal))
    assert (shown(florist)["status"], bool(shown(florist)["step"]["name"])) == ("open", True)

    won = Step.objects.filter(kind="won").values_list("remote_id", flat=True).first()
    florist.box.control("move", {"id": deal, "stage_id": int(won)})
    later_at_envybox(hours=8)
    look(florist)
    assert shown(florist)["status"] == "won"


# -- solOS --------------------------------------------------------------------------------------------------


def test_a_solos_lead_is_found_in_its_project_and_judged_by_the_owners_word(windows, later_at_solos):
    lead = answered(windows)
    later_at_solos(hours=2)
    look(windows)
    assert (shown(windows)["record"], shown(windows)["seenAt"] is not None) == ("", True)

    project = windows.box.control("convert", {"lead_id": int(lead)})
    number = project["id"] if isinstance(project, dict) else project
    windows.box.control("add_payment", {"project_id": number, "sum": 9000})
    later_at_solos(hours=8)
    look(windows)
    outcome = shown(windows)
    assert (outcome["record"], outcome["recordID"]) == ("project", str(number))
    assert (outcome["status"], outcome["paid"], outcome["matched"] != "") == ("open", "9000.00", True)

    Step.objects.update_or_create(  # what staff do in the admin: this step means that it is sold
        account=windows.account,
        pipeline_id=outcome["pipeline"]["id"],
        remote_id=outcome["step"]["id"],
        defaults={"kind": "won", "name": "Договор", "by_hand": True},
    )
    later_at_solos(hours=8)
    look(windows)
    assert (shown(windows)["status"], shown(windows)["step"]["name"]) == ("won", "Договор")
