"""All that is known of the API, asked of the sandbox in each of its styles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.errors import Refused, TryLater
from connectors.solos.client import Page
from tests.connectors.solos.keeper import Keeper

STYLES = [
    {"answer_style": style, "row_style": rows, "references": references, "numbers": numbers}
    for style in ("payload", "data", "bare")
    for rows, references in (("flat", "ids"), ("nested", "objects"))
    for numbers in ("numbers", "strings")
]


@pytest.fixture(params=STYLES, ids=lambda style: "-".join(style.values()))
def styled(keeper: Keeper, request: pytest.FixtureRequest) -> Keeper:
    keeper.box.switches.update(request.param)
    return keeper


@pytest.fixture
def project(keeper: Keeper) -> int:
    """With two of everything."""
    made = keeper.box.act(keeper.account, "add_project", step_id=11, user_id=2, price=900, client_id=1)["id"]
    keeper.box.act(keeper.account, "move", project_id=made, step_id=12)
    for operation, first, second in (
        ("add_action", {"type_id": 1, "comment": "Звонок"}, {"type_id": 2}),
        ("add_payment", {"sum": 500, "type": "1"}, {"sum": 40, "type": "0"}),
        ("add_good", {"good_id": 501, "count": 2}, {"good_id": 502}),
        ("add_checklist", {"name": "Замер", "done": "1"}, {"name": "Монтаж"}),
    ):
        for arguments in (first, second):
            keeper.box.act(keeper.account, operation, project_id=made, **arguments)
    return int(made)


def test_projects_are_read_page_by_page(styled):
    page = styled.client.projects(Page(count=3, offset=3))
    assert [one.id for one in page] == [4, 5, 6]
    first = styled.client.projects(Page(count=1))[0]
    assert (first.funnel, first.step, first.user, first.group, first.price) == (1, 11, 1, 1, "10000")
    assert first.data["contract_number"] == "Д-1"
    assert "sales_funnel_id" not in first.data
    assert not first.deleted


def test_every_parameter_of_a_page_is_sent(keeper):
    keeper.client.projects()
    assert keeper.box.journal[-1].query == {
        "count": "100", "offset": "0", "order_by": "id", "reverse": "0", "deleted": "0",
    }  # fmt: skip


def test_deleted_projects_are_another_set(styled):
    styled.box.act(styled.account, "delete", project_id=5)
    assert [one.id for one in styled.client.projects(Page(deleted=True))] == [5]
    assert styled.client.projects(Page(deleted=True))[0].deleted


def test_names_come_with_references_that_are_objects(keeper):
    keeper.box.switches["references"] = "objects"
    (project,) = keeper.client.projects(Page(count=1))
    assert project.names["sales_funnel_id", 1] == "Окна"
    assert project.names["user_id", 1] == "Ирина Соколова"


def test_projects_are_filtered(styled, project):
    today = datetime.now(UTC).date()
    made = styled.client.created(today - timedelta(days=2), today + timedelta(days=1), 100)
    assert project in [one.id for page in made for one in page]
    assert list(styled.client.created(today + timedelta(days=8), today + timedelta(days=9), 100)) == []
    with_money = [one.id for one in styled.client.having("payments", Page())]
    assert project in with_money
    assert 2 not in with_money


def test_one_project(styled, project):
    found = styled.client.project(project)
    assert (found.id, found.funnel, found.step, found.user) == (project, 1, 12, 2)


@pytest.mark.parametrize("mood", ["404", "empty"])
def test_a_project_that_is_not_there_is_refused(styled, mood):
    styled.box.switches["missing_project"] = mood
    with pytest.raises(Refused) as caught:
        styled.client.project(999)
    assert caught.value.code == "not_found"


def test_stages(styled, project):
    assert [stage.step for stage in styled.client.steps(project)] == [11, 12]
    assert all(stage.date and stage.user == 2 for stage in styled.client.steps(project))


def test_events(styled, project):
    first, _second = styled.client.events(project)
    assert first["comment"] == "Звонок"


def test_money_goods_and_checklists(styled, project):
    money = styled.client.payments(project)
    assert [(one.income, one.amount) for one in money] == [(True, "500"), (False, "40")]
    assert styled.client.payments(project, income=False) == [money[1]]
    assert [one.count for one in styled.client.goods(project)] == ["2", "1"]
    assert [(one.name, one.done) for one in styled.client.checklists(project)] == [
        ("Замер", True),
        ("Монтаж", False),
    ]


def test_v1_makes_leads(styled):
    styled.client.create({"name": "Марк"})
    assert [lead.payload["name"] for lead in styled.account.leads.values()] == ["Марк"]


def test_a_walk_ends_with_a_short_page(keeper):
    keeper.choose(page_size=5)
    pages = [[one.id for one in page] for page in keeper.client.newest(100)]
    assert pages == [[12, 11, 10, 9, 8], [7, 6, 5, 4, 3], [2, 1]]


def test_a_walk_is_bounded(keeper):
    keeper.choose(page_size=5)
    assert sum(len(page) for page in keeper.client.newest(10)) == 10


def test_a_walk_ends_where_pages_repeat(keeper):
    """An offset that is ignored."""
    body = '{"payload": [{"id": 1}, {"id": 2}]}'
    keeper.box.faults.add("/projects", times=None, status=200, body=body, content_type="application/json")
    keeper.choose(page_size=2)
    assert [len(page) for page in keeper.client.newest(100)] == [2]


@pytest.mark.parametrize("body", ['{"table": {}}', '"text"', "5", "true"])
def test_an_unknown_form_is_told_without_values(keeper, body):
    keeper.box.faults.add("/projects", status=200, body=body, content_type="application/json")
    with pytest.raises(TryLater, match="form") as caught:
        keeper.client.projects()
    assert "text" in str(caught.value) or body.strip('"') not in str(caught.value)
