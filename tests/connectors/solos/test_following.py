"""What a project tells: steps, money, goods, checklists, deletion; in every style, and with parts closed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from connectors.errors import NeedsReconnect, TryLater
from connectors.lead_status import BY_HAND, LeadStatus
from connectors.sandbox.core import Reply
from connectors.sandbox.solos import projects
from tests.connectors.cast import followed
from tests.connectors.solos.test_client import STYLES, project, styled

__all__ = ["project", "styled"]  # fixtures


@pytest.fixture
def lead(deliver, draft):
    return followed(deliver(draft()))


@pytest.fixture
def linked(lead, project):
    """A lead and a project that somebody linked."""
    return replace(lead, record="project", record_id=str(project), matched=BY_HAND)


def look(keeper, lead):
    (outcome,) = keeper.connector.follow([lead])
    return outcome


def test_a_project_in_every_style(styled, linked, project):
    standing = look(styled, linked)
    named = styled.box.switches["references"] == "objects"
    assert (standing.record, standing.record_id, standing.status) == ("project", str(project), "")
    assert (standing.pipeline, standing.step, standing.performer) == ("1", "12", "2")
    names = (standing.pipeline_name, standing.step_name, standing.performer_name, standing.currency)
    assert names == (("Окна", "Замер", "Павел Ершов", "RUB") if named else ("",) * 4)
    assert (standing.amount, standing.gone, standing.matched) == (Decimal("900"), "", BY_HAND)
    assert standing.contact == {"id": "1"} | ({"name": "ООО «Вектор»"} if named else {})
    assert [one.amount for one in standing.payments] == [Decimal("500"), Decimal("-40")]
    assert standing.payments[0].paid_at.tzinfo
    assert [one["step"] for one in standing.details["steps"]] == ["11", "12"]
    assert [one["name"] for one in standing.details["goods"]] == ["Окно двухкамерное", "Подоконник"]
    assert [one["done"] for one in standing.details["checklists"]] == [True, False]


@pytest.mark.parametrize("style", STYLES, ids=lambda style: "-".join(style.values()))
def test_a_lead_is_found_in_every_style(keeper, lead, style):
    keeper.box.switches.update(style)
    made = keeper.convert(lead.remote_id)
    standing = look(keeper, lead)
    assert (standing.record_id, standing.matched, standing.link) == (str(made), "mark", "")


def test_details_can_be_kept_and_are_bounded(keeper, linked, project):
    for index in range(60):
        keeper.act("move", project_id=project, step_id=11 + index % 5)
        keeper.act("add_good", project_id=project, good_id=501)
        keeper.act("add_checklist", project_id=project, name="Ж" * 5000)
    details = look(keeper, linked).details
    assert len(details["steps"]) == len(details["goods"]) == len(details["checklists"]) == 20
    assert details["steps"][-1]["step"] == "15"
    assert len(json.dumps(details)) < 50_000


def test_moments_are_of_the_clock_that_the_operator_names(keeper, linked, project):
    keeper.choose(utc_offset_hours=3.0, project_path="/crm/projects/{id}")
    keeper.box.clock.advance(3600)
    keeper.act("move", project_id=project, step_id=13)
    standing = look(keeper, linked)
    moved = datetime.fromtimestamp(keeper.box.clock.now(), UTC) - timedelta(hours=3)
    assert abs(standing.changed_at - moved) < timedelta(seconds=2)
    assert standing.link == f"https://demo7.solos.pro/crm/projects/{project}"


# -- money ---------------------------------------------------------------------------------------------------


@pytest.fixture
def payments(monkeypatch):
    """Let P9 answer rows of another make, by ``filter_type``."""

    def use(answer):
        def handler(call):
            return Reply.json(200, {"payload": answer(call.text("filter_type"))})

        monkeypatch.setitem(projects.ROUTES, ("GET", "/projects/payments"), handler)

    return use


def test_money_of_which_rows_do_not_tell_the_way(keeper, linked, payments):
    answers = {"": [{"id": 1, "sum": "500"}, {"id": 2, "sum": 40}], "1": [{"sum": 500}], "0": [{"sum": 40}]}
    payments(lambda kind: answers[kind])
    assert [one.amount for one in look(keeper, linked).payments] == [500, -40]


def test_money_where_the_kind_is_ignored_came_in(keeper, linked, payments):
    payments(lambda kind: [{"sum": "500,5"}, {"sum": "", "id": 2}])
    assert [one.amount for one in look(keeper, linked).payments] == [Decimal("500.5")]


def test_many_payments_are_all_counted(keeper, linked, project):
    for _ in range(150):
        keeper.act("add_payment", project_id=project, sum=1)
    assert sum(one.amount for one in look(keeper, linked).payments) == 460 + 150


def test_no_payments_are_nothing_received(keeper, lead):
    keeper.convert(lead.remote_id)
    assert look(keeper, lead).payments == ()


# -- gone ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mood", ["there", "404", "empty"])
def test_a_deleted_project_is_gone(styled, linked, project, mood):
    styled.box.switches["deleted_project"] = mood
    styled.act("delete", project_id=project)
    standing = look(styled, linked)
    assert (standing.record_id, standing.gone, standing.matched) == (str(project), "deleted", BY_HAND)
    styled.act("delete", project_id=project, deleted=False)
    assert look(styled, linked).gone == ""


@pytest.mark.parametrize("mood", ["404", "empty"])
def test_a_project_that_never_was_is_not_found(keeper, linked, mood):
    keeper.box.switches["missing_project"] = mood
    standing = look(keeper, replace(linked, record_id="999"))
    assert (standing.record_id, standing.gone) == ("999", "not found")


def test_a_bare_404_is_one_project_while_others_are_shown(keeper, linked):
    keeper.box.faults.add("/projects/info", status=404, body="", times=None)
    assert look(keeper, linked).gone == "not found"
    keeper.box.switches["v2"] = "closed"
    error = look(keeper, linked)
    assert isinstance(error, TryLater)
    assert (error.code, error.account_wide) == ("no_api", True)


@pytest.mark.parametrize("obeyed", [True, False])
def test_rows_that_do_not_tell_are_deleted_only_if_no_living_one_is_like_them(
    keeper, linked, project, monkeypatch, obeyed
):
    """A CRM that ignores the flag shows the same projects either way."""
    write = projects.project_row
    monkeypatch.setattr(projects, "project_row", lambda call, one: _silent(write(call, one)))
    if not obeyed:
        monkeypatch.setattr(projects, "_of_the_set", lambda call: list(call.account.projects.values()))
    keeper.act("delete", project_id=project)
    assert look(keeper, linked).gone == ("deleted" if obeyed else "")


def _silent(row):
    return {key: value for key, value in row.items() if key != "deleted"}


# -- when it breaks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["steps", "payments", "goods", "checklists"])
@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_part_that_is_closed_costs_no_more_than_itself(keeper, linked, part, status):
    keeper.box.faults.add(f"/projects/{part}", times=None, status=status)
    standing = look(keeper, linked)
    assert isinstance(standing, LeadStatus)
    assert (standing.payments is None) == (part == "payments")
    assert part not in standing.details
    assert standing.step == "12"


def test_a_project_of_a_strange_form_costs_no_other(keeper, linked, deliver, draft):
    lead = followed(deliver(draft()))
    made = keeper.convert(lead.remote_id)
    body = json.dumps({"table": [1, 2]})
    keeper.box.faults.add("/projects/info", status=200, body=body, content_type="application/json")
    first, second = keeper.connector.follow([linked, lead])
    assert isinstance(first, TryLater)
    assert (first.code, first.account_wide) == ("unreadable", False)
    assert second.record_id == str(made)


def test_another_project_than_was_asked_for_is_no_answer(keeper, linked):
    body = json.dumps({"payload": {"id": 1, "step_id": 15}})
    keeper.box.faults.add("/projects/info", status=200, body=body, content_type="application/json")
    assert look(keeper, linked).code == "unreadable"


def test_projects_closed_to_good_keys_do_not_end_deliveries(keeper, linked, lead):
    keeper.box.faults.add("/backend", times=None, status=403)
    for error in keeper.connector.follow([linked, lead]):
        assert isinstance(error, TryLater)
        assert (error.code, error.account_wide, error.repeatable) == ("no_projects", True, False)


def test_wrong_keys_end_them(keeper, linked, lead):
    keeper.box.revoke(keeper.account)
    assert all(isinstance(error, NeedsReconnect) for error in keeper.connector.follow([linked, lead]))


def test_with_api_v1_alone_nobody_knows_and_nobody_is_asked(keeper, linked, lead):
    keeper.box.switches["v2"] = "closed"
    keeper.learn()
    keeper.box.journal.clear()
    assert keeper.connector.follow([linked, lead]) == [None, None]
    assert len(keeper.box.journal) == 0


def test_any_notice_is_a_hint(keeper):
    assert keeper.connector.read_hook({"event": "projects.move", "id": "7"}).records is None


# -- how answers look ----------------------------------------------------------------------------------------


def test_the_forms_of_first_answers_are_kept_a_few_at_a_time(styled, project):
    for expected in ({"info", "steps"}, {"actions", "checklists"}, {"goods", "payments"}):
        before = set(styled.facts.get("shapes", {"v2"}))
        styled.learn()
        assert set(styled.facts["shapes"]) - before == expected
    shown = json.dumps(styled.facts, ensure_ascii=False)
    assert set(styled.facts["shapes"]) == {
        *("v2", "info", "steps", "actions", "checklists", "goods", "payments")
    }
    assert "Окно" not in shown
    assert "Звонок" not in shown
    styled.box.journal.clear()
    styled.learn()
    assert len(styled.box.journal) == 1


def test_parts_that_are_closed_or_empty_are_looked_at_another_time(keeper, project):
    keeper.box.faults.add("/projects/payments", status=403, times=None)
    keeper.account.related["goods"].clear()
    for _ in range(2):
        keeper.learn()
    assert {"goods", "payments"}.isdisjoint(keeper.facts["shapes"])
    keeper.act("add_good", project_id=project, good_id=501)
    keeper.box.faults.clear()
    keeper.learn()
    assert {"goods", "payments"} <= set(keeper.facts["shapes"])
