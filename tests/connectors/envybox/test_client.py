"""Every documented method, called as it is typed, against the local Envybox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import connectors.envybox
from connectors.envybox.client import searchable
from connectors.errors import NeedsReconnect, Refused
from connectors.sandbox.envybox.methods import METHODS

FOLDER = Path(connectors.envybox.__file__).parent


@pytest.fixture
def talk(florist):
    return florist.connector.client()


@pytest.fixture
def lead(talk):
    return str(talk.leads.set(body())["id"])


@pytest.fixture
def deal(talk, lead):
    return str(talk.leads.start(lead)["deal_id"])


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
    stage = talk.leads.read(lead)["stage_id"]
    page = talk.leads.page(keyword="Анна", date_type="created", stage_id=[stage], limit=1)
    assert (len(page["result"]), page["count"], page["offset"]) == (1, "2", 1)
    style = florist.crm.input("Стиль", 1).id
    talk.leads.set_values(lead, {style: "Лофт"})
    talk.leads.set_employee(lead, florist.person)
    row = talk.leads.read(lead)
    assert row["values"]["custom"][f"crm_{style}"]["value"] == "Лофт"
    assert str(row["employee_id"]) == florist.person
    assert talk.leads.add_log(lead, 10, {"comment": "x"})["data"]["comment"] == "x"
    assert talk.leads.logs(lead)["result"][-1]["type_id"] == 10


def test_the_queue(talk):
    assert talk.leads.workset(body(phone="79994445566")) is None
    assert talk.leads.search("79994445566")


def test_deals(talk, florist, deal):
    row = talk.deals.read(deal, ["parent_deal", "child_deals"])
    assert (row["child_deals"], str(row["id"])) == ([], deal)
    client = row["client_id"]
    [found] = talk.deals.search(phone="79991112233")
    assert str(found["deals_for_event"][0]["id"]) == deal
    line = florist.crm.line("Продажи")
    stage = line.named("Переговоры").id
    assert talk.deals.move(deal, stage, florist.person) == str(stage)
    assert talk.deals.page(stage_id=stage, pipeline_id=[line.id])["count"] == 1
    assert talk.deals.filter({"dealStages": [stage]})["all_ids"] == [int(deal)]
    assert str(talk.deals.set_employee(deal, florist.person)["employee_id"]) == florist.person
    talk.deals.to_inbox(deal)
    budget = florist.crm.input("Бюджет").id
    talk.deals.set_values(deal, {budget: 100}, client_id=client)
    talk.deals.add_tags(deal, ["vip"])
    talk.deals.comment(deal, "Готово")
    assert talk.deals.add_log(deal, 2010, {"comment": "y"})["data"]["comment"] == "y"
    assert talk.deals.logs(deal, limit=1)["count"] >= 3
    [held] = florist.leads
    assert (held["tags"], held["fields"], florist.deals()[0].in_inbox) == (["vip"], {"Бюджет": 100}, True)
    made = talk.deals.create(client, "Ещё", employee_id=florist.person, pipeline_id=line.id, task={})
    assert made["name"] == "Ещё"


def test_log_create_answers_in_two_shapes(talk, envy, deal):
    envy.switches["deal_log"] = "root"
    assert talk.deals.add_log(deal, 2010, {"comment": "y"})["data"]["comment"] == "y"


def test_fields_of_deals_and_clients(talk, florist):
    budget, city = florist.crm.input("Бюджет").id, florist.crm.input("Город", 2).id
    assert talk.deals.input(budget)["name"] == "Бюджет"
    assert talk.clients.input(city)["name"] == "Город"
    assert len(talk.deals.list_inputs()) == 4
    assert [row["id"] for row in talk.clients.list_inputs("service")] == [1001, 1010, 1011]
    with pytest.raises(Refused) as caught:
        talk.deals.input(9)
    assert caught.value.code == "no_field"


@pytest.mark.parametrize("where", ["result", "result.tasks", "tasks"])
def test_tasks(talk, envy, deal, where):
    envy.switches["get_tasks"] = where
    assert talk.deals.task(deal) == {}
    made = talk.deals.update_task(deal, time=1_900_000_000, comment="Перезвонить")
    assert talk.deals.task(deal)["id"] == made["id"]
    assert [row["id"] for row in talk.deals.tasks(deal)] == [made["id"]]
    assert talk.account.tasks(success=False, employee_id=0)["count"] == 1


def test_clients(talk, florist):
    client = talk.clients.create("Ромашка")["id"]
    talk.clients.add_contact(client, "Ира", phone="79990001122", email="ira@b.ru", telegram="@ira")
    assert len(talk.clients.contacts(client)) == 2
    talk.clients.set_values(client, {florist.crm.input("Город", 2).id: "Тула"})
    whole = talk.clients.read(client)
    assert (whole["email"], whole["values"]["custom"] != []) == ("ira@b.ru", True)
    assert talk.clients.page(keyword="ромашка")["all_ids"] == [str(client)]
    assert talk.clients.add_company(client, "ООО", "7707083893")["short_name"] == "ООО"
    assert [row["inn"] for row in talk.clients.companies(client)] == ["7707083893"]


def test_statistics(talk, florist):
    line = florist.crm.line("Продажи").id
    assert talk.account.statistics(1, line, "2027-01-01", "2027-02-01")["data"][-1]["3_value"] == 0


def test_the_documented_errors(talk, florist, lead, deal):
    refusals = {
        "in_work": lambda: talk.leads.start(lead),
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


def test_every_method_has_a_call_of_ours():
    """The table of the local Envybox is the document's."""
    source = (FOLDER / "client.py").read_text()
    named = {name: name.replace("{client_id}", "{int(client_id)}") for name in METHODS}
    assert [name for name, path in named.items() if f'"{path}"' not in source] == []


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
