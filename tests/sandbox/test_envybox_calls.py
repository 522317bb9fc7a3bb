"""Lines 1 to 10, 36, 38, 40 of the checklist: addresses, keys, envelopes, main/data, faults."""

from __future__ import annotations

import json

import pytest

from connectors.sandbox.core import Dropped, TimedOut
from connectors.sandbox.envybox.methods import METHODS
from tests.sandbox.envy_words import JSON, WRONG_KEY, bad, good


@pytest.mark.parametrize("path", ["openapi/v1/lead/list/", "openapi/v1/lead/list", "crm/api/v1/lead/list/"])
def test_01_paths_with_and_without_a_slash_and_the_old_prefix(envy, crm, path):
    url = f"https://{crm.host}/{path}?api_key={crm.key}"
    good(envy.handle("POST", url, JSON, b'{"request": {}}'))


def test_01_get_without_a_slash_and_no_old_prefix_where_it_is_switched_off(envy, crm):
    good(envy.handle("GET", f"https://{crm.host}/openapi/v1/main/data?api_key={crm.key}"))
    envy.switches["old_prefix"] = False
    assert envy.handle("GET", f"https://{crm.host}/crm/api/v1/main/data/?api_key={crm.key}").status == 404


def test_01_the_bare_host_and_a_white_label_are_found_by_key_and_name(envy, crm):
    own = envy.add_account("shop", own_host="crm.shop.example")
    for host, account in (("envycrm.com", crm), ("crm.shop.example", own)):
        reply = envy.handle("GET", f"https://{host}/openapi/v1/main/data/?api_key={account.key}")
        assert good(reply)["id"] == account.id
    assert envy.handle("GET", "https://nobody.envycrm.com/openapi/v1/main/data/").status == 404


@pytest.mark.parametrize("method", sorted(METHODS))
def test_02_a_wrong_key_stops_every_method(envy, crm, method):
    verb = METHODS[method][0]
    path = method.replace("{client_id}", "1")
    for query in ("?api_key=wrong", ""):
        url = f"https://{crm.host}/openapi/v1/{path}/{query}"
        body = b'{"request": {"method": "create", "values": {"name": "x", "phone": "79990000000"}}}'
        reply = envy.handle(verb, url, {**JSON, "Authorization": crm.key, "X-Api-Key": crm.key}, body)
        assert bad(reply) == (401, WRONG_KEY)
    assert envy.ledger() == []


def test_03_statuses_are_mirrored_or_always_200(envy, crm, ev):
    for mode, lost, bad_value in (("mirrored", 404, 500), ("always_200", 200, 200)):
        envy.switches["statuses"] = mode
        unknown = ev.call("lead/get", lead_id=1)
        assert (unknown.status, bad(unknown)) == (lost, (404, "Лид с данным id не найден"))
        wrong = ev.call("lead/updateLeadValue", lead_id=1)
        assert (wrong.status, bad(wrong)) == (bad_value, (500, "Неверный request"))
    envy.switches["codes"] = {"NO_LEAD": 500}
    assert ev.refused("lead/get", lead_id=1)[0] == 500


def test_04_the_wrapper_and_the_bare_object(envy, crm, ev):
    bare = envy.handle("POST", ev.url("lead/set"), JSON, json.dumps(ev.body(name="Ира")))
    assert ev.lead(good(bare)["id"])["name"] == "Ира"
    assert ev.lead(ev.set(name="Оля"))["name"] == "Оля"


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b'{"request": 5}', b'"text"'])
def test_05_a_body_that_is_no_json_does_nothing(envy, crm, ev, body):
    assert bad(envy.handle("POST", ev.url("lead/set"), JSON, body)) == (500, "Неверный request")
    assert envy.ledger() == []


def test_06_a_success_has_its_envelope_at_the_root(ev):
    body = ev.ok("lead/set", **ev.body())
    assert (body["status_code"], body["message"]) == (200, "success")
    assert {"id", "parent_id"} <= set(body)
    assert ev.ok("lead/search", phone="123")["leads"] is None


def test_07_ids_and_flags_are_numbers_or_strings(envy, crm, ev):
    lead = ev.set()
    assert ev.lead(lead)["id"] == lead
    line = ev.got("main/data")["deal"]["pipelines"][0]
    assert (line["primary"], line["allow_manual_change_stage"]) == (1, 1)
    envy.switches["ids"] = "strings"
    row = ev.lead(lead)
    assert (row["id"], row["parent_id"]) == (str(lead), "0")
    assert ev.got("main/data")["deal"]["pipelines"][0]["primary"] == "1"
    answer = ev.ok("lead/list", limit=0)["leads"]
    assert (answer["count"], answer["offset"], answer["limit"]) == ("1", -1, 50)


def test_08_custom_is_an_empty_array_or_an_object_by_name(crm, ev):
    style = crm.input("Стиль", 1)
    empty, filled = ev.set(), ev.ok("lead/set", **_with_custom(ev, style.id))["id"]
    assert ev.lead(empty)["values"]["custom"] == []
    custom = ev.lead(filled)["values"]["custom"]
    assert custom[f"crm_{style.id}"]["value"] == "Лофт"
    assert custom[f"crm_{style.id}"]["input_id"] == style.id


def _with_custom(ev, input_id):
    body = ev.body()
    body["values"]["custom"] = [{"input_id": input_id, "value": "Лофт"}, {"input_id": 1, "value": "nowhere"}]
    return body


def test_09_main_data_has_everything_but_tags_and_departments(crm, ev):
    data = ev.got("main/data")
    assert (data["id"], data["api_key"]) == (crm.id, crm.key)
    assert {one["surname"] for one in data["employees"]} == {"Смирнова", "Иванов", "Ли"}
    assert [one["name"] for one in data["inbox_types"]] == ["Форма на сайте", "Квиз", "Звонок"]
    assert [one["name"] for one in data["deal"]["pipelines"]] == ["Продажи", "Квизы", "Сервис"]
    [own] = data["lead"]["pipelines"]
    assert [stage["name"] for stage in own["stages"].values()] == [
        "Новый",
        "Новый клиент",
        "Существующий клиент",
    ]
    assert all(key == str(stage["id"]) for key, stage in own["stages"].items())
    assert {one["name"] for one in data["client"]["custom_fields"]} == {"Город"}
    assert not {"tags", "departments"} & set(data)


def test_09_the_key_is_in_no_journal(envy, crm, ev):
    ev.got("main/data")
    assert crm.key not in json.dumps([entry.as_dict() for entry in envy.journal])


@pytest.mark.parametrize("wrapper", ["result", "crm", "data"])
def test_09_the_outer_key_nobody_could_read(envy, ev, wrapper):
    envy.switches["wrapper"], envy.switches["employees_key"] = wrapper, "managers"
    assert len(ev.got("main/data")[wrapper]["managers"]) == 3


def test_10_deleted_rows_stay_with_a_date_and_some_vanish(envy, crm, ev):
    line, field = crm.line("Квизы"), crm.input("Бюджет")
    stage = line.named("Замер")
    for kind, number in (("pipeline", line.id), ("stage", stage.id), ("input", field.id)):
        envy.control("delete", {"kind": kind, "id": number})
    deal = ev.got("main/data")["deal"]
    shown = next(one for one in deal["pipelines"] if one["id"] == line.id)
    assert shown["deleted_at"]
    assert shown["stages"][str(stage.id)]["deleted_at"]
    assert next(one for one in deal["custom_fields"] if one["id"] == field.id)["deleted_at"]
    gone = next(iter(crm.employees))
    envy.control("forget", {"kind": "employee", "id": gone})
    assert gone not in {one["id"] for one in ev.got("main/data")["employees"]}


@pytest.mark.parametrize(
    ("action", "error", "leads"),
    [
        ("timeout_after", TimedOut, 1),
        ("timeout", TimedOut, 0),
        ("reset_after", Dropped, 1),
        ("reset", Dropped, 0),
    ],
)
def test_36_answers_that_never_come(envy, ev, action, error, leads):
    envy.faults.add("/lead/set", action)
    with pytest.raises(error):
        ev.call("lead/set", **ev.body())
    assert len(envy.ledger()) == leads


def test_36_answers_that_come_wrong(envy, crm, ev):
    envy.faults.add("/lead/set", status=502)
    reply = ev.call("lead/set", **ev.body())
    assert (reply.status, reply.text[:6], envy.ledger()) == (502, "<html>", [])
    envy.faults.add("/lead/set", "truncate")
    half = ev.call("lead/set", **ev.body())
    with pytest.raises(json.JSONDecodeError):
        half.value()
    envy.faults.add("/lead/set", "slow", delay=5)
    assert ev.call("lead/set", **ev.body()).drip == 5
    old = crm.key
    envy.revoke(crm)
    stale = envy.handle("GET", f"https://{crm.host}/openapi/v1/main/data/?api_key={old}")
    assert bad(stale) == (401, WRONG_KEY)


def test_38_moments_have_no_zone_and_the_zone_is_a_switch(envy, ev):
    lead = ev.set()
    assert ev.lead(lead)["created_at"] == "2027-01-15 08:00:00"
    envy.switches["zone"] = "Moscow"
    assert ev.lead(lead)["created_at"] == "2027-01-15 11:00:00"


@pytest.mark.parametrize("method", ["lead/delete", "tag/list", "deal", ""])
def test_40_an_unknown_method_is_no_success(ev, method):
    assert bad(ev.call(method))[0] == 404
    assert bad(ev.ask("lead/set")) == (404, "Метод не найден")
    assert ev.call("stat/managers").status == 501
