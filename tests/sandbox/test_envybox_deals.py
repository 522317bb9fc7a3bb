"""Lines 23 to 35 of the checklist: deals, fields, tasks, tags, histories, clients."""

from __future__ import annotations

import pytest

from connectors.sandbox.envybox.model import CLIENT, LEAD


def test_23_deal_search_sees_deals_only(ev):
    lead = ev.set(phone="79991112233")
    assert ev.ok("deal/search", phone="79991112233")["clients"] == []
    deal = ev.start(lead)["deal_id"]
    [client] = ev.ok("deal/search", phone="+7 999 111 22 33")["clients"]
    assert [one["id"] for one in client["deals_for_event"]] == [deal]


def test_24_deal_get(envy, crm, ev):
    deal = ev.new_deal({"pipeline_id": crm.line("Квизы").id})
    row = ev.deal(deal, **{"with": ["parent_deal", "child_deals"]})
    assert (row["status_id"], row["parent_deal"], row["child_deals"]) == (2001, None, [])
    envy.clock.advance(60)
    ev.ok("deal/updateDealValue", deal_id=deal, fields=[])
    assert ev.deal(deal)["stage_updated_at"] == row["stage_updated_at"]
    for name, status in (("Дозвон", 2002), ("Оплачено", 2003), ("Отказ", 2004)):
        stage = crm.line("Квизы").named(name).id
        assert ev.ok("deal/updateDealStage", deal_id=deal, stage_id=stage)["result"] == {"stage_id": stage}
        assert ev.deal(deal)["status_id"] == status
    assert ev.deal(deal)["stage_updated_at"] > row["stage_updated_at"]
    assert ev.refused("deal/get", deal_id=3)[1] == "Сделка не найдена"


def test_25_moving_a_deal(envy, crm, ev):
    deal, stage = ev.new_deal(), crm.line("Продажи").named("Переговоры").id
    assert ev.refused("deal/updateDealStage", deal_id=4, stage_id=stage)[1] == "Сделка не найдена"
    wrong = ev.refused("deal/updateDealStage", deal_id=deal, stage_id=stage, client_id=4)
    assert wrong[1] == "Сделка не найдена"
    ev.ok("deal/updateDealStage", deal_id=deal, stage_id=stage)
    again = ev.call("deal/updateDealStage", deal_id=deal, stage_id=stage)
    assert again.status == 400
    assert ev.got("deal/log/list", deal_id=deal)["result"][-1]["data"]["to"] == stage
    envy.control("manual", {"id": crm.line("Продажи").id, "allowed": False})
    back = crm.line("Продажи").first.id
    assert ev.refused("deal/updateDealStage", deal_id=deal, stage_id=back)[0] == 400
    assert ev.deal(deal)["stage_id"] == stage


def test_people_take_leads_and_move_deals_by_hand(envy, crm, ev):
    """In the interface nobody minds what the API may not do."""
    lead, person = ev.set(phone="79991112233"), next(iter(crm.employees))
    deal = envy.control("take", {"id": lead, "employee_id": person})["deal_id"]
    assert (ev.lead(lead)["deals"], ev.deal(deal)["employee_id"]) == ([str(deal)], person)
    with pytest.raises(LookupError):
        envy.control("take", {"id": lead})
    sold = crm.line("Сервис").named("Сдано").id
    envy.control("move", {"id": deal, "stage_id": sold})
    row = ev.deal(deal)
    assert (row["stage_id"], row["status_id"], row["pipeline_id"]) == (sold, 2003, crm.line("Сервис").id)
    with pytest.raises(LookupError):
        envy.control("move", {"id": deal, "stage_id": 1})


def test_26_the_filter_at_the_wrong_path_changes_nothing(ev):
    deal = ev.new_deal()
    before = ev.deal(deal)
    assert ev.refused("deal/updateDealStage", keyword="", limit=50, filter={"tags": ["1"]})
    assert ev.refused("deal/updateDealStage", deal_id=deal, filter={"dealStages": []})
    assert ev.deal(deal) == before


def test_26_the_filter_at_the_list(envy, crm, ev):
    quiz, budget = crm.line("Квизы"), crm.input("Бюджет")
    wanted, _ = ev.new_deal({"pipeline_id": quiz.id, "tags": ["квиз"]}), ev.new_deal()
    field = {"input_id": budget.id, "value": "100", "value_type_id": 2}
    ev.ok("deal/updateDealValue", deal_id=wanted, fields=[field])

    def found(**asked):
        body = ev.call("deal/list", filter=asked).value()
        assert "status_code" not in body
        return body["all_ids"]

    assert found(pipelines=[quiz.id]) == [wanted]
    assert found(dealStages=[quiz.first.id]) == [wanted]
    assert found(tags=[str(crm.tags["квиз"])]) == [wanted]
    assert found(inputs={"3": {"custom": {str(budget.id): "100"}}}) == [wanted]
    assert len(found(employees={"users": ["-1"]})) == 2
    assert found(inputs={"2": {"service": {"1001": "никто"}}}) == []


def test_27_filling_fields(envy, crm, ev):
    lead = ev.set()
    started = ev.start(lead)
    deal, client = started["deal_id"], started["client_id"]
    city, budget, style = crm.input("Город", CLIENT), crm.input("Бюджет"), crm.input("Стиль", LEAD)

    def put(number, value, kind=2):
        return [{"input_id": number, "value": value, "value_type_id": kind}]

    told = ev.ok("deal/updateDealValue", deal_id=deal, client_id=client, fields=put(budget.id, 5))
    assert told["result"]["deal_id"] == deal
    envy.switches["values_answer"] = "envelope"
    assert "result" not in ev.ok("client/updateClientValue", client_id=client, fields=put(city.id, "Тула"))
    ev.ok("lead/updateLeadValue", lead_id=lead, fields=put(style.id, "Лофт"))
    ev.ok("deal/updateDealValue", deal_id=deal, fields=put(2012, "g2", 1))
    [row] = envy.ledger()
    assert row["fields"] == {"Стиль": "Лофт", "Бюджет": 5}
    assert row["contact"]["Город"] == "Тула"
    assert ev.refused("deal/updateDealValue", deal_id=deal, client_id=9, fields=[]) == (
        500,
        "Неверный request",
    )
    assert ev.refused("client/updateClientValue", client_id=9) == (500, "Клиент не найден")
    assert ev.refused("lead/updateLeadValue", lead_id=9) == (500, "Неверный request")
    assert ev.refused("deal/updateDealValue", deal_id=deal, fields=put(9, 1)) == (500, "Неверный request")


def test_28_lists_of_fields(envy, crm, ev):
    for number in range(60):
        envy.control("add_input", {"element": 3, "name": f"Поле {number}"})
    page = ev.got("deal/getListInputs", type="custom", limit=500)
    assert (len(page["result"]), page["count"], page["offset"]) == (50, 64, 50)
    service = ev.got("deal/getListInputs", type="service", limit=1)
    assert {one["id"] for one in service["result"]} >= {2001, 2005, 20012}
    assert "pipeline_id" not in service["result"][0]
    budget = crm.input("Бюджет")
    one = ev.got("deal/getInput", input_id=budget.id, type="custom")["result"]
    assert (one["name"], one["name_id"], one["addon"]) == ("Бюджет", f"crm_{budget.id}", "₽")
    assert ev.got("client/getInput", input_id=1011, type="service")["result"]["name_id"] == "timezone"
    assert ev.got("client/getListInputs", type="custom")["count"] == 1
    assert ev.ask("deal/getInput", input_id=3, type="custom").value()["message"] == "Поле не найдено"


def test_29_tasks(envy, crm, ev):
    deal = ev.new_deal()
    assert ev.ok("deal/getTask", deal_id=deal)["result"]["task"] is None
    assert ev.refused("deal/updatetask", deal_id=deal)[0] == 500
    made = ev.ok("deal/updatetask", deal_id=deal, time=1_800_003_600)["result"]["task"]
    same = ev.ok("deal/updatetask", deal_id=deal, comment="Перезвонить")["result"]["task"]
    assert (same["id"], same["comment"], same["time"]) == (made["id"], "Перезвонить", made["time"])
    assert ev.ok("task/list", success=0, employee_id=0)["count"] == 1
    assert ev.ok("task/list", datetime_start="2027-01-15 08:30:00")["count"] == 1
    assert ev.ok("task/list", employee_id=next(iter(crm.employees)))["count"] == 0
    envy.control("close_task", {"id": made["id"]})
    assert ev.ok("deal/getTasks", deal_id=deal)["result"] == []
    assert ev.ok("deal/getTask", deal_id=deal)["result"]["task"] is None
    assert (ev.ok("task/list", success=1)["count"], ev.ok("task/list", success=0)["count"]) == (1, 0)


@pytest.mark.parametrize("where", ["result", "result.tasks", "tasks"])
def test_29_where_the_tasks_are(envy, ev, where):
    deal = ev.new_deal()
    ev.ok("deal/updatetask", deal_id=deal, comment="x")
    envy.switches["get_tasks"] = where
    found = ev.ok("deal/getTasks", deal_id=deal)
    for name in where.split("."):
        found = found[name]
    assert len(found) == 1


def test_30_tags_are_added_once(envy, ev):
    deal = ev.new_deal({"tags": ["vip"]})
    ev.ok("deal/tag/addDealTags", deal_id=deal, tags=["vip", "горячий"])
    ev.ok("deal/tag/addDealTags", deal_id=deal, tags=["горячий"])
    [row] = envy.ledger()
    assert row["tags"] == ["vip", "горячий"]
    assert "горячий" not in str(ev.ok("deal/list")["result"])
    assert ev.refused("deal/tag/addDealTags", deal_id=deal, tags=[])[0] == 500


def test_31_histories(envy, ev):
    lead = ev.set()
    deal = ev.start(lead)["deal_id"]
    assert ev.ask("lead/log/list").value()["message"] == "Не указан lead_id"
    assert ev.ask("deal/log/list").value()["message"] == "Не указан deal_id"
    assert ev.ask("lead/log/list", lead_id=3).value()["message"] == "Лид с данным id не найден"
    assert ev.ask("deal/log/list", deal_id=3).value()["message"] == "Сделка с данным id не найдена"
    log = ev.ok("lead/log/create", lead_id=lead, type_id=10, data={"comment": "x"})["result"]["log"]
    assert log["data"]["comment"] == "x"
    call = {"direction": 1, "status": 1, "from": "7", "to": "8"}
    assert ev.ok("lead/log/create", lead_id=lead, type_id=9, data=call)["result"]["log"]["type_id"] == 9
    assert ev.refused("lead/log/create", lead_id=lead, type_id=2010, data={"comment": "x"})[0] == 500
    for _ in range(55):
        assert ev.ok("deal/log/create", deal_id=deal, type_id=2010, data={"comment": "y"})["result"]["log"]
    envy.switches["deal_log"] = "root"
    assert ev.ok("deal/log/create", deal_id=deal, type_id=2009, data=call)["log"]["type_id"] == 2009
    page = ev.got("deal/log/list", deal_id=deal, limit=99)
    assert (len(page["result"]), page["offset"], page["count"]) == (50, 50, 57)


def test_32_a_deal_remembers_its_lead_and_all_its_text(ev):
    lead = ev.set(comment="Площадь: 54 qz777", phone="79991112233")
    child = ev.set(comment="Ещё раз qz888", phone="79991112233")
    deal = ev.start(lead)["deal_id"]
    logs = [row["data"] for row in ev.got("deal/log/list", deal_id=deal)["result"]]
    assert [log["lead_id"] for log in logs] == [lead, child]
    assert "qz777" in logs[0]["comment"]
    assert "qz888" in logs[1]["comment"]
    assert logs[0]["lead_name"]
    assert logs[0]["lead_create_date"] == "2027-01-15 08:00:00"


def test_33_clients_and_their_people(ev):
    client = ev.ok("client/create", name="Ромашка")["result"]["client"]["id"]
    assert ev.refused("client/create")[0] == 500
    assert ev.refused("client/addContact", client_id=client, name="Ира")[0] == 500
    assert ev.refused("client/addContact", client_id=client, phone=79990001122)[0] == 500
    ev.ok("client/addContact", client_id=client, name="Ира", phone=79990001122, email="ira@b.ru")
    rows = ev.ok("client/getContacts", client_id=client)["result"]["contacts"]
    assert [(row["type_id"], row["group_id"]) for row in rows] == [(1, 1), (4, 2)]
    assert rows[0]["id"] == rows[1]["id"]
    whole = ev.ok("client/get", client_id=client)["result"]
    assert (whole["phone"], whole["deals"]) == ("79990001122", [])
    found = ev.ok("client/list", keyword="79990001122")
    assert (found["all_ids"], found["result"][0]["deals"]) == ([client], [])
    empty = ev.ok("client/list", keyword="никто", limit=0)
    assert (empty["result"], empty["count"], empty["offset"], empty["limit"]) == ([], 0, -1, 50)


def test_33_a_client_s_deals(ev, crm):
    started = ev.start(ev.set(name="Анна"))
    [row] = ev.ok("client/list", keyword="анна")["result"]
    assert [deal["id"] for deal in row["deals"][str(started["client_id"])]] == [started["deal_id"]]
    more = {"client_id": started["client_id"], "name": "Ещё", "task": {}}
    assert ev.refused("deal/create", **more)[0] == 500
    made = ev.ok("deal/create", **more, employee_id=next(iter(crm.employees)))["result"]["deal"]
    assert made["name"] == "Ещё"
    assert len(ev.ok("deal/getTasks", deal_id=made["id"])["result"]) == 1


def test_34_companies(ev):
    client = ev.ok("client/create", name="Ромашка")["result"]["client"]["id"]
    path = f"client/{client}/addCompany"
    assert ev.refused(path, short_name="ООО")[0] == 500
    assert ev.ok(path, short_name="ООО Ромашка", inn="7707083893")["result"]["inn"] == "7707083893"
    ev.ok(path, short_name="ИП", inn="123456789012")
    rows = ev.got(f"client/{client}/getCompanies")["result"]["companies"]
    assert [row["primary"] for row in rows] == [1, 0]


def test_35_comments_inbox_people(envy, crm, ev):
    deal, person = ev.new_deal(), next(iter(crm.employees))
    ev.ok("deal/createComment", deal_id=deal, comment="Готово")
    last = ev.got("deal/log/list", deal_id=deal)["result"][-1]
    assert (last["type_id"], last["data"]["comment"]) == (2010, "Готово")
    ev.ok("deal/toInbox", deal_id=deal)
    assert crm.deals[deal].in_inbox
    changed = ev.ok("deal/updateEmployee", deal_id=deal, employee_id=person)["result"]["deal"]
    assert changed["employee_id"] == person
    assert ev.refused("deal/updateEmployee", deal_id=deal)[0] == 500
    lead = ev.set()
    assert ev.ok("lead/update_employee", lead_id=lead, employee_id=person)["employee_id"] == person
    assert ev.ok("lead/update_employee", lead_id=lead, department_id=3)["lead_id"] == lead


def test_35_statistics(crm, ev):
    ev.new_deal()
    asked = {"stat_id": 1, "pipeline_id": crm.line("Продажи").id, "show_type": "table"}
    assert ev.refused("stat/custom", **asked)[0] == 500
    result = ev.ok("stat/custom", **asked, start_date="2027-01-01", end_date="2027-02-01")["result"]
    assert result["data"][-1]["3_value"] == 1


def test_the_pages_show_what_is_held(envy, crm, ev):
    lead = ev.set(name="Анна", comment="Площадь: 54")
    deal = ev.start(lead)["deal_id"]
    for path in ("", f"leads/{lead}", f"deals/{deal}"):
        page = envy.handle("GET", f"https://{crm.host}/{path}")
        assert (page.status, "Площадь: 54" in page.text) == (200, True)
    assert envy.handle("GET", f"https://{crm.host}/leads/1").status == 404
