"""The methods that we call, as they are typed, against the local Envybox."""

from __future__ import annotations

import json

import pytest

from connectors.envybox.client import searchable
from connectors.errors import NeedsReconnect, Refused


@pytest.fixture
def talk(florist):
    return florist.connector.client()


@pytest.fixture
def lead(talk):
    return str(talk.leads.set(body())["id"])


@pytest.fixture
def deal(talk, lead):
    return str(talk.leads.start(lead, 0, 0)["deal_id"])


def body(**values):
    return {"method": "create", "values": {"name": "Анна", "phone": "79991112233", **values}}


def test_the_account_tells_all_but_its_key(talk, florist):
    data = talk.account.main_data()
    assert data["id"] == florist.crm.id
    assert florist.crm.key not in json.dumps(data)


def test_leads(talk, florist, lead):
    parent = talk.leads.set(body())["parent_id"]
    assert str(parent) == lead
    assert talk.leads.search(phone="79991112233")["lead_id"] == lead
    assert talk.leads.search(email="nobody@b.ru") == {}
    page = talk.leads.page("Анна", limit=1)
    assert (len(page["result"]), page["count"], page["offset"]) == (1, "2", 1)
    style = florist.crm.input("Стиль", 1).id
    talk.leads.set_values(lead, {style: "Лофт"})
    assert talk.leads.read(lead)["values"]["custom"][f"crm_{style}"]["value"] == "Лофт"
    talk.leads.comment(lead, "x")
    entry = talk.leads.logs(lead)["result"][-1]
    assert (entry["type_id"], entry["data"]["comment"]) == (10, "x")


def test_the_queue(talk):
    assert talk.leads.workset(body(phone="79994445566")) is None
    assert talk.leads.search("79994445566")


def test_deals(talk, florist, deal):
    row = talk.deals.read(deal, ["parent_deal", "child_deals"])
    assert (row["child_deals"], str(row["id"])) == ([], deal)
    client = row["client_id"]
    [found] = talk.deals.search(phone="79991112233")
    assert str(found["deals_for_event"][0]["id"]) == deal
    stage = florist.crm.line("Продажи").named("Переговоры").id
    talk.deals.move(deal, stage)
    talk.deals.set_employee(deal, florist.person)
    row = talk.deals.read(deal)
    assert (row["stage_id"], str(row["employee_id"])) == (stage, florist.person)
    assert talk.deals.page(limit=1)["count"] == 1
    budget = florist.crm.input("Бюджет").id
    talk.deals.set_values(deal, {budget: 100}, client)
    talk.deals.add_tags(deal, ["vip"])
    talk.deals.comment(deal, "Готово")
    assert talk.deals.logs(deal)["count"] >= 3
    [held] = florist.leads
    assert (held["tags"], held["fields"]) == (["vip"], {"Бюджет": 100})


@pytest.mark.parametrize("where", ["result", "result.tasks", "tasks"])
def test_tasks(talk, envy, deal, where):
    envy.switches["get_tasks"] = where
    assert talk.deals.tasks(deal) == []
    made = talk.deals.update_task(deal, 1_900_000_000, "Перезвонить")
    assert [row["id"] for row in talk.deals.tasks(deal)] == [made["id"]]
    span = {"start": "2030-01-01 00:00:00", "end": "2031-01-01 00:00:00"}
    assert talk.account.tasks(offset=0, **span, success=False)["count"] == 1


def test_clients(talk, florist, deal):
    client = talk.deals.read(deal)["client_id"]
    talk.clients.add_contact(client, "Ира", phone="79990001122", email="ira@b.ru")
    assert {row["value"] for row in talk.clients.contacts(client)} >= {"79990001122", "ira@b.ru"}
    talk.clients.set_values(client, {florist.crm.input("Город", 2).id: "Тула"})
    assert talk.clients.read(client)["values"]["custom"] != []
    assert talk.clients.add_company(client, "ООО", "7707083893")["short_name"] == "ООО"
    assert [row["inn"] for row in talk.clients.companies(client)] == ["7707083893"]


def test_the_documented_errors(talk, florist, lead, deal):
    refusals = {
        "in_work": lambda: talk.leads.start(lead, 0, 0),
        "no_lead": lambda: talk.leads.logs(9),
        "missing": lambda: talk.leads.get("lead/log/list"),
        "bad_request": lambda: talk.leads.set_values(9, {}),
        "no_deal": lambda: talk.deals.move(9, 1),
        "no_client": lambda: talk.clients.set_values(9, {}),
    }
    for code, call in refusals.items():
        with pytest.raises(Refused) as caught:
            call()
        assert caught.value.code == code
    florist.box.revoke(florist.crm)
    with pytest.raises(NeedsReconnect):
        talk.account.main_data()


def test_paths_end_in_a_slash_and_bodies_are_wrapped(talk, envy):
    talk.leads.search(phone="1")
    sent = envy.journal[-1]
    assert (sent.path, sent.json) == ("/openapi/v1/lead/search/", {"request": {"phone": "1"}})


def test_the_key_travels_in_the_query_and_is_hidden_in_the_journal(talk, envy):
    talk.leads.search(phone="1")
    assert envy.journal[-1].query == {"api_key": "***"}


@pytest.mark.parametrize(("uid", "mark"), [("qz-00ab", "qz00ab"), ("qz7f3a", "qz7f3a"), ("QZ_1", "qz1")])
def test_the_mark_is_letters_and_digits(uid, mark):
    assert searchable(uid) == mark
