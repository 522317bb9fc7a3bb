"""Lists that nobody gives us, gathered from projects."""

from __future__ import annotations

import pytest

from connectors.errors import TryLater
from connectors.solos.lists import type_of


def rows(keeper, what):
    return [row for page in keeper.connector.fetch(what) for row in page]


@pytest.mark.parametrize("style", ["payload", "data", "bare"])
@pytest.mark.parametrize("nested", ["flat", "nested"])
@pytest.mark.parametrize("numbers", ["numbers", "strings"])
def test_what_projects_show_in_every_style(keeper, style, nested, numbers):
    keeper.box.switches.update(answer_style=style, row_style=nested, numbers=numbers)
    assert [(row.remote_id, row.name) for row in rows(keeper, "pipelines")] == [
        ("1", "Funnel 1"),
        ("3", "Funnel 3"),
    ]
    users = rows(keeper, "users")
    assert [(row.remote_id, row.name, row.group_id) for row in users][1:3] == [
        ("2", "User 2", "2"),
        ("3", "User 3", "2"),
    ]
    steps = [(row.pipeline_id, row.remote_id, row.name) for row in rows(keeper, "steps")]
    assert steps[:2] == [("1", "11", "Step 11"), ("1", "12", "Step 12")]
    assert len(steps) == 8
    assert {row.remote_id: row.type for row in rows(keeper, "fields")} == {
        "client_id": "reference",
        "comment": "string",
        "contract_date": "date",
        "contract_number": "string",
        "phone": "string",
    }


def test_names_are_taken_where_they_are_told(keeper):
    keeper.box.switches["references"] = "objects"
    assert [row.name for row in rows(keeper, "pipelines")] == ["Окна", "Сервис"]
    assert rows(keeper, "users")[0].name == "Ирина Соколова"
    assert rows(keeper, "steps")[0].name == "Новое обращение"


def test_rows_say_that_they_are_observed(keeper):
    for what in keeper.connector.can.lists:
        assert all(row.details["observed"] for row in rows(keeper, what))


def test_steps_that_nobody_stands_in_are_told_by_stories(keeper):
    keeper.account.projects.clear()
    made = keeper.box.act(keeper.account, "add_project", step_id=14)["id"]
    for step in (11, 13):
        keeper.box.act(keeper.account, "move", project_id=made, step_id=step)
    assert [row.remote_id for row in rows(keeper, "steps")] == ["14", "11", "13"]
    assert [row.sort for row in rows(keeper, "steps")] == [0, 1, 2]


def test_a_story_that_is_refused_costs_only_the_order(keeper):
    body = '{"error": "no"}'
    keeper.box.faults.add("/steps", times=None, status=400, body=body, content_type="application/json")
    assert len(rows(keeper, "steps")) == 8


def test_a_project_that_came_from_another_funnel_brings_no_steps(keeper):
    moved = keeper.box.act(keeper.account, "add_project", step_id=11)["id"]
    keeper.box.act(keeper.account, "move", project_id=moved, step_id=31)
    keys = [(row.pipeline_id, row.remote_id) for row in rows(keeper, "steps")]
    assert ("3", "11") not in keys
    assert len(keys) == len(set(keys)) == 8


def test_an_empty_account_has_empty_lists(keeper):
    keeper.account.projects.clear()
    assert [rows(keeper, what) for what in keeper.connector.can.lists] == [[], [], [], []]


def test_with_v1_alone_there_is_nothing_to_see(keeper):
    keeper.box.switches["v2"] = "closed"
    keeper.learn()
    keeper.box.journal.clear()
    assert rows(keeper, "users") == []
    assert len(keeper.box.journal) == 0


def test_a_crm_that_fails_ends_the_walk(keeper, monkeypatch):
    monkeypatch.setattr("connectors.http.QUICK_REPEATS", ())
    keeper.box.faults.add("/projects", status=500)
    with pytest.raises(TryLater):
        rows(keeper, "users")


@pytest.mark.parametrize(
    ("code", "values", "kind"),
    [
        ("client_id", ["1", None], "reference"),
        ("client_id", ["abc"], "string"),
        ("client", [{"id": 1}], "reference"),
        ("sum", ["1.5", 2], "number"),
        ("signed", ["2027-01-01", None, ""], "date"),
        ("seen", ["2027-01-01 10:00:00"], "date"),
        ("colours", [["red"], None], "list"),
        ("text", ["1", "one"], "string"),
        ("never", [None, ""], "string"),
        ("never_id", [None], "reference"),
    ],
)
def test_types_are_guessed(code, values, kind):
    assert type_of(code, values) == kind
