"""Lines 11 to 22, 37, 39 of the checklist: leads come in, are merged, found, taken into work."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from connectors.sandbox.envybox import EnvySandbox
from connectors.sandbox.envybox.model import DEAL, LEAD


def test_11_a_lead_starts_as_new_with_all_it_was_given(envy, crm, ev):
    inbox = list(crm.inbox_types)[1]
    more = {"tags": ["vip"], "inbox_type_id": inbox, "region": "Новосибирская область"}
    lead = ev.set(more, comment="Площадь: 54", utm_source="ads", email="A@B.ru", google_client_id="g1")
    row = ev.lead(lead)
    service = {name: one["value"] for name, one in row["values"]["service"].items()}
    assert (row["stage"], row["pipeline_id"], row["inbox_type_id"]) == ("Новый", crm.primary(LEAD).id, inbox)
    assert (service["comment"], service["utm_source"], service["google_client_id"]) == (
        "Площадь: 54",
        "ads",
        "g1",
    )
    assert (service["ip_place_id"], service["timezone"]) == ("Новосибирская область", "UTC+07:00")
    [shown] = envy.ledger()
    assert (shown["tags"], shown["source"]) == (["vip"], "Квиз")


@pytest.mark.parametrize(
    ("given", "zone", "region"),
    [
        ({}, "UTC+03:00", None),
        ({"timezone": "UTC+05:00", "region": "Москва"}, "UTC+05:00", "Москва"),
        ({"region": "Казахстан", "visit_id": 7}, "UTC+05:00", "Казахстан"),
        ({"visit_id": 7}, "UTC+03:00", "Москва"),
    ],
)
def test_11_the_time_zone_wins_over_the_region_and_that_over_the_visit(ev, given, zone, region):
    service = ev.lead(ev.set(given))["values"]["service"]
    assert service["timezone"]["value"] == zone
    assert service.get("ip_place_id", {}).get("value") == region


@pytest.mark.parametrize("same", ["phone", "email"])
def test_12_the_same_person_again_has_a_parent_and_later_calls_mean_it(ev, same):
    who = {"phone": "+79991112233"} if same == "phone" else {"phone": "", "email": "anna@b.ru"}
    first = ev.ok("lead/set", **ev.body(**who))
    second = ev.ok("lead/set", **ev.body(**who))
    assert (first["parent_id"], second["parent_id"]) == (0, first["id"])
    deal = ev.start(second["id"])
    assert deal["lead_id"] == first["id"]
    assert ev.lead(second["id"])["deals"] == ev.lead(first["id"])["deals"] == [str(deal["deal_id"])]
    ev.ok(
        "lead/updateLeadValue",
        lead_id=second["id"],
        fields=[{"input_id": 1, "value": "Z", "value_type_id": 1}],
    )
    assert ev.lead(first["id"])["name"] == "Z"


@pytest.mark.parametrize("where", ["child", "log", "parent"])
def test_12_where_the_text_of_a_merged_lead_goes(envy, ev, where):
    envy.switches["merge_comment"] = where
    parent = ev.set(phone="79991112233", comment="first")
    child = ev.set(phone="79991112233", comment="second")
    texts = {
        "child": str(ev.lead(child)["values"]),
        "parent": str(ev.lead(parent)["values"]),
        "log": str(ev.got("lead/log/list", lead_id=parent)["result"]),
    }
    assert {name for name, text in texts.items() if "second" in text} == {where}


def test_13_defaults_of_a_lead(crm, ev):
    row = ev.lead(ev.set())
    assert row["deal_pipeline_id"] == crm.primary(DEAL).id
    assert row["inbox_type_id"] == next(iter(crm.inbox_types))
    assert row["employee_id"] == 0


@pytest.mark.parametrize("name", ["pipeline_id", "employee_id", "inbox_type_id"])
def test_13_ids_that_are_not_there(envy, ev, name):
    assert ev.refused("lead/set", **ev.body(), **{name: 4})[1] == "Неверный request"
    envy.switches["unknown_ids"] = "default"
    assert ev.ok("lead/set", **ev.body(), **{name: 4})["id"]


def test_13_what_is_no_lead_at_all(envy, ev):
    assert ev.refused("lead/set", values={"name": "x"})[0] == 500
    assert ev.refused("lead/set", method="create")[0] == 500
    envy.switches["no_contacts"] = "refuse"
    assert ev.refused("lead/set", **ev.body(phone=""))[0] == 500


def test_14_two_at_a_time_may_stay_apart_but_not_from_the_queue(envy, ev):
    envy.switches["merge_lag"] = 3.0
    ev.set(phone="79991112233")
    assert ev.ok("lead/set", **ev.body(phone="79991112233"))["parent_id"] == 0
    ev.ok("lead/workset", **ev.body(phone="79991112233"))
    assert [bool(row["merged_into"]) for row in envy.ledger()] == [False, False, True]


def test_15_the_queue_answers_without_an_id_and_makes_the_lead_later(envy, ev):
    envy.switches["workset_delay"] = 5.0
    assert set(ev.ok("lead/workset", **ev.body(phone="79991112233"))) == {"status_code", "message"}
    assert envy.ledger() == []
    envy.clock.advance(5)
    assert ev.ok("lead/search", phone="79991112233")["leads"]["phone"] == "79991112233"


@pytest.mark.parametrize("written", ["+7 (999) 111-22-33", "8 999 111 22 33", "79991112233"])
def test_16_phones_are_the_same_however_written(ev, written):
    lead = ev.set(phone=written)
    for asked in ("+7 (999) 111-22-33", "89991112233", "79991112233"):
        assert ev.ok("lead/search", phone=asked)["leads"]["lead_id"] == lead


def test_17_search_sees_leads_that_nobody_took(ev):
    lead = ev.set(phone="79991112233", email="anna@b.ru")
    for asked in ({"phone": "79991112233"}, {"email": "ANNA@b.ru"}, {"phone": "1", "email": "anna@b.ru"}):
        assert ev.ok("lead/search", **asked)["leads"]["lead_id"] == lead
    assert ev.ok("lead/search", phone="70000000000")["leads"] is None
    ev.start(lead)
    assert ev.ok("lead/search", phone="79991112233")["leads"] is None


def test_18_the_list_by_word_day_and_stage(envy, crm, ev):
    ann, ira = ev.set(comment="метка qz123"), ev.set(name="Ирина")
    ev.start(ira)

    def found(**asked):
        answer = ev.ok("lead/list", **asked)["leads"]
        assert {"keyword", "dateType", "dateSelectType", "count", "offset", "limit"} <= set(answer)
        assert answer["all_ids"] == [row["id"] for row in answer["result"]]
        return answer["all_ids"]

    assert found(keyword="ирина") == [ira]
    assert found(keyword="QZ123") == [ann]
    assert found(date_start="2027-01-15", date_end="2027-01-15") == [ann, ira]
    assert found(date_start="2027-01-16") == []
    assert found(date_type="closed", date_start="2027-01-15") == [ira]
    new = crm.primary(LEAD).named("Новый").id
    assert found(stage_id=new) == found(stage_id=[new]) == [ann]
    envy.switches["keyword_comment"] = False
    assert found(keyword="qz123") == []


def test_19_pages(ev):
    for _ in range(53):
        ev.set()
    sizes = []
    for asked in ({"limit": 0}, {"limit": 500}, {"limit": 20}, {"limit": 50, "offset": 50}):
        page = ev.ok("lead/list", **asked)["leads"]
        sizes.append((len(page["result"]), page["offset"], page["count"], len(page["all_ids"])))
    assert sizes == [(50, 50, 53, 53), (50, 50, 53, 53), (20, 20, 53, 53), (3, -1, 53, 53)]


def test_20_taking_a_lead_makes_a_client_and_a_deal_once(crm, ev):
    line = crm.line("Квизы")
    lead = ev.set({"pipeline_id": line.id}, utm_source="ads", phone="79991112233")
    result = ev.start(lead)
    deal = ev.deal(result["deal_id"])
    assert (deal["pipeline_id"], deal["stage_name"], deal["status_id"]) == (line.id, "Новый ответ", 2001)
    assert deal["values"]["service"]["utm_source"]["value"] == "ads"
    assert ev.lead(lead)["stage"] == "Новый клиент"
    assert ev.refused("lead/start", lead_id=lead) == (400, "Лид уже взят в работу")
    assert ev.refused("lead/start", lead_id=1) == (404, "Лид с данным id не найден")
    again = ev.set(phone="89991112233")
    assert ev.start(again)["client_id"] == result["client_id"]
    assert ev.lead(again)["stage"] == "Существующий клиент"


def test_20_who_takes_a_lead(crm, ev):
    person = next(iter(crm.employees))
    assert ev.start(ev.set(), user_id=0, employee_id=0)["employee_id"] == 0
    assert ev.start(ev.set(), user_id=crm.user_id, employee_id=person)["employee_id"] == person
    assert ev.start(ev.set(), user_id=crm.user_id, employee_id=0)["user_id"] == crm.user_id
    assert ev.start(ev.set({"employee_id": person}))["employee_id"] == person
    assert ev.refused("lead/start", lead_id=ev.set(), user_id=0, employee_id=person)[0] == 500
    assert ev.refused("lead/start", lead_id=ev.set(), user_id=crm.user_id, employee_id=3)[0] == 500


def test_21_automatic_intake(envy, ev):
    envy.switches["auto_intake"] = 3.0
    lead = ev.set()
    assert ev.lead(lead)["deals"] == []
    envy.clock.advance(3)
    assert len(ev.lead(lead)["deals"]) == 1
    assert ev.refused("lead/start", lead_id=lead)[1] == "Лид уже взят в работу"


def test_22_a_lead_tells_its_deals_and_stage(ev):
    lead = ev.set()
    before = ev.lead(lead)
    deal = ev.start(lead)["deal_id"]
    after = ev.lead(lead)
    assert (before["deals"], after["deals"]) == ([], [str(deal)])
    assert (before["stage"], after["stage"]) == ("Новый", "Новый клиент")
    assert before["stage_color"].startswith("rgb(")


def test_37_what_people_delete_is_in_get_and_nowhere_else(envy, ev):
    lead = ev.set(phone="79991112233")
    deal = ev.new_deal(phone="79994445566")
    envy.control("delete", {"kind": "lead", "id": lead})
    envy.control("delete", {"kind": "deal", "id": deal})
    assert ev.lead(lead)["deleted_at"]
    assert ev.deal(deal)["deleted_at"]
    assert ev.ok("lead/search", phone="79991112233")["leads"] is None
    assert lead not in ev.ok("lead/list")["leads"]["all_ids"]
    assert ev.ok("deal/list")["all_ids"] == []
    assert ev.ok("deal/search", phone="79994445566")["clients"] == []
    assert ev.refused("lead/start", lead_id=lead)[0] == 404


def test_39_notices_for_who_wants_them(ev):
    sent = []
    box = EnvySandbox(courier=lambda *call: sent.append(call) or 200)
    crm = box.add_account("demo7", webhook_url="http://listener.example/hook")
    ev.box, ev.crm = box, crm
    deal = ev.new_deal(phone="79991112233")
    assert box.pump() == 2
    forms = [parse_qs(body.decode()) for _, _, _, body, _ in sent]
    assert [form["event"] for form in forms] == [["create_lead"], ["create_deal"]]
    assert forms[0]["lead[values][main][inputs][phone][value]"] == ["79991112233"]
    assert forms[1]["deal[id]"] == [str(deal)]
    assert box.pump() == 0
