"""The lists, all out of one answer that is read leniently and trusted only whole."""

from __future__ import annotations

import json

import pytest

from connectors.envybox.lists import hex_color
from connectors.errors import NeedsReconnect, TryLater


def rows(florist, what):
    return [row for page in florist.connector.fetch(what) for row in page]


def test_people_and_the_administrator(florist):
    found = rows(florist, "users")
    assert (found[0].remote_id, found[0].name) == ("0", "Администратор")
    assert [row.name for row in found[1:]] == ["Ольга Смирнова", "Пётр Иванов", "Анна Ли"]
    assert found[1].role == "Менеджер"


def test_pipelines_of_deals_and_leads(florist):
    found = rows(florist, "pipelines")
    assert [(row.entity, row.name, row.is_main) for row in found] == [
        ("deal", "Продажи", True),
        ("deal", "Квизы", False),
        ("deal", "Сервис", False),
        ("lead", "Заявки", True),
    ]
    assert found[2].details["allow_manual_change_stage"] == 0


def test_steps_and_inboxes(florist):
    found = rows(florist, "steps")
    line = str(florist.crm.line("Квизы").id)
    own = [(row.name, row.kind) for row in found if row.pipeline_id == line]
    assert own == [
        ("Новый ответ", "open"),
        ("Дозвон", "open"),
        ("Замер", "open"),
        ("Оплачено", "won"),
        ("Отказ", "lost"),
    ]
    sources = [(row.pipeline_id, row.name) for row in found if row.entity == "inbox_type"]
    assert sources == [("", "Форма на сайте"), ("", "Квиз"), ("", "Звонок")]
    assert next(row for row in found if row.name == "Новый ответ").color == "#2394fe"


def test_fields(florist):
    found = {(row.entity, row.name): row for row in rows(florist, "fields")}
    assert len(found) == 8
    budget = found["deal", "Бюджет"]
    assert (budget.type, budget.code) == ("9", f"crm_{budget.remote_id}")


@pytest.mark.parametrize("wrapper", ["result", "crm", "data"])
def test_strings_wrappers_and_other_names(florist, envy, wrapper):
    before = {what: rows(florist, what) for what in florist.connector.can.lists}
    envy.switches.update({"ids": "strings", "wrapper": wrapper, "employees_key": "managers"})
    for what, known in before.items():
        assert [(row.remote_id, row.name) for row in rows(florist, what)] == [
            (row.remote_id, row.name) for row in known
        ]
    assert rows(florist, "pipelines")[0].is_main


def test_what_was_deleted_is_left_out(florist, envy):
    line, field = florist.crm.line("Квизы"), florist.crm.input("Бюджет")
    envy.control("delete", {"kind": "pipeline", "id": line.id})
    envy.control("delete", {"kind": "input", "id": field.id})
    assert str(line.id) not in {row.remote_id for row in rows(florist, "pipelines")}
    assert str(line.id) not in {row.pipeline_id for row in rows(florist, "steps")}
    assert str(field.id) not in {row.remote_id for row in rows(florist, "fields")}


@pytest.mark.parametrize(
    "body", ['{"status_code": 200, "message": "success"}', '{"id": 1, "status_code": 200}']
)
def test_half_an_answer_deletes_nothing(florist, envy, body):
    envy.faults.add("/main/data", status=200, body=body, content_type="application/json", times=None)
    for what in florist.connector.can.lists:
        with pytest.raises(TryLater):
            rows(florist, what)


def test_no_list_holds_the_key_or_phones_of_staff(florist):
    shown = json.dumps(
        [dict(row.details) for what in florist.connector.can.lists for row in rows(florist, what)]
    )
    assert florist.crm.key not in shown
    assert "crm_phone_number" not in shown


def test_who_it_is(florist, envy):
    identity = florist.connector.identify()
    assert (identity.remote_id, identity.name, identity.host) == ("1", "demo7", "demo7.envycrm.com")
    assert identity.facts["user_id"] == "501"
    florist.crm.line("Продажи").primary = False
    assert [problem.code for problem in florist.connector.check()] == ["no_main_pipeline"]
    envy.revoke(florist.crm)
    with pytest.raises(NeedsReconnect, match="does not accept the key"):
        florist.connector.identify()


@pytest.mark.parametrize(
    ("color", "hexed"),
    [("rgb(35, 148, 254)", "#2394fe"), ("rgb(255,186,0)", "#ffba00"), ("#fff", "#fff"), ("", "")],
)
def test_colours(color, hexed):
    assert hex_color(color) == hexed
