"""A task on each new lead: in every CRM that has tasks, by route, told where it can't be, followed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm_cache.models import CrmUser
from rules.models import Delivery, Outcome
from rules.outcomes import following
from tests.stories.conftest import QUIZ
from tests.stories.followed import look
from tests.stories.test_responsible import people_of
from tests.stories.test_rule_round_trip import Rules, rules  # noqa: F401

TASK = {"Text": "Перезвонить: {{ contact.name }}, {{ contact.phone }}", "Minutes": 15}
ANNA = {"name": "Анна", "phone": "+79990000001"}
ADS = {"value": "utm.source", "equals": "ads"}


@pytest.fixture
def asking(transactional_db, rules: Rules) -> Any:  # noqa: F811
    """A rule of a CRM that makes tasks, which asks for one."""
    if rules.crm == "solos":
        pytest.skip("solOS makes no tasks")
    if rules.crm == "envybox":
        rules.change(LeadFlag=False)
    assert rules.change(Extra={"Task": TASK}).json() == "Success"
    return rules


def tasks_of(side: Any) -> list[dict[str, Any]]:
    return [task for lead in side.leads for task in lead["tasks"]]


def due_of(task: dict[str, Any]) -> datetime:
    due = task["due"]
    return datetime.fromisoformat(due) if isinstance(due, str) else datetime.fromtimestamp(due, UTC)


def outcome_of(side: Any) -> dict[str, Any]:
    found: dict[str, Any] = side.api.get("/outcomes").json()["items"][0]
    return found


def do(side: Any, task: dict[str, Any]) -> None:
    """Somebody does the task in the CRM."""
    word = {"envybox": ("close_task", "id")}.get(side.account.crm, ("end_task", "task_id"))
    side.amo.control(word[0], {"account": side.crm.id, word[1]: task["id"]})


def dismiss(side: Any, person: Any) -> None:
    forgotten = ("forget", {"kind": "employee", "id": person})
    word, said = forgotten if side.account.crm == "envybox" else ("deactivate_user", {"user_id": int(person)})
    side.amo.control(word, {"account": side.crm.id, **said})


def test_a_task_comes_with_the_lead_and_its_end_is_seen(asking):
    side = asking.side
    assert asking.shown()["Extra"] == {"Task": TASK}
    assert asking.change(**asking.shown()).json() == "Success"
    side.post(contact=ANNA)
    side.work()
    [task] = tasks_of(side)
    assert task["text"].startswith("Перезвонить: Анна, +79990000001")
    assert timedelta(minutes=14) < due_of(task) - timezone.now() <= timedelta(minutes=15)
    assert side.delivery.losses == []
    assert outcome_of(side)["task"] == {
        "state": "open", "id": str(task["id"]), "dueAt": None, "endedAt": None,
    }  # fmt: skip

    following.look_now(Outcome.objects.all())
    look(side)
    told = outcome_of(side)["task"]
    assert (told["state"], datetime.fromisoformat(told["dueAt"])) == ("open", due_of(task))
    before = side.api.get("/events").json()["next"]
    do(side, task)
    following.look_now(Outcome.objects.all())
    look(side)
    assert outcome_of(side)["task"]["state"] == "done"
    [event] = side.api.get(f"/events?after={before}&types=outcome.changed").json()["items"]
    assert ("task" in event["data"]["changed"], event["data"]["task"]) == (True, "done")


def test_somebody_of_the_crm_has_the_task(asking):
    side, person = asking.side, people_of(asking.side)[-1]
    asking.change(Extra={"Task": TASK | {"PerformerID": person}})
    side.post()
    side.work()
    name = CrmUser.objects.get(account=side.account, remote_id=person).name
    assert name.startswith(tasks_of(side)[0]["responsible"].split()[0])


def test_a_route_has_its_own_task_or_none(asking):
    side = asking.side
    own = {"Text": "Другое", "Minutes": 60}
    routes = [
        {"Name": "Реклама", "If": ADS, "Then": {"Task": own}},
        {"Name": "Без", "If": {"value": "sum", "equals": "5"}, "Then": {"Task": None}},
    ]
    extra = {"Task": TASK, "Routes": routes}
    assert asking.change(Extra=extra).json() == "Success"
    assert asking.shown()["Extra"] == {"Routes": routes, "Task": TASK}
    for body in ({"utm": {"source": "ads"}}, {"price": "5"}, {}):
        side.post(**body)
    side.work()
    assert Delivery.objects.filter(state="delivered").count() == 3
    assert sorted(task["text"].split("\n")[0].partition(":")[0] for task in tasks_of(side)) == [
        "Другое",
        "Перезвонить",
    ]


def test_who_left_has_no_tasks_and_the_lead_s_own_person_has_them(asking):
    side, person = asking.side, people_of(asking.side)[-1]
    asking.change(Extra={"Task": TASK | {"PerformerID": person}})
    dismiss(side, person)
    side.sync()
    asking.change(Extra=asking.shown()["Extra"])
    problems = [(one["code"], one["field"]) for one in asking.shown()["Problems"]]
    assert ("performer_gone", "Extra.Task.PerformerID") in problems
    side.post()
    side.work()
    [lead] = side.leads
    assert (len(lead["tasks"]), lead["tasks"][0]["responsible"]) == (1, lead["responsible"])


def test_the_preview_shows_it(asking):
    path = {"amocrm": "", "bitrix24": "/bitrix", "envybox": "/envybox"}[asking.crm]
    shown = asking.side.api.post(
        f"{path}/rules/{QUIZ}/preview", {"answer": {"contact": ANNA}}, content_type="application/json"
    ).json()
    assert "Перезвонить: Анна" in str(shown["requests"]) or "%D0%9F" in str(shown["requests"])


def test_a_crm_without_tasks_refuses_the_rule(transactional_db, rules):  # noqa: F811
    if rules.crm != "solos":
        pytest.skip("it makes tasks")
    answer = rules.change(Extra={"Task": TASK})
    assert (answer.status_code, answer.json()) == (
        400,
        "Extra.Task: solOS documents no method that makes a task",
    )


def test_a_lead_that_stays_a_lead_can_have_none(florist):
    assert florist.change_rule(Extra={"Task": TASK}).json() == "Success"
    words = "Envybox has tasks on deals alone: have the rule make a deal (LeadFlag: false)"
    answer = florist.change_rule(LeadFlag=True)
    assert (answer.status_code, answer.json()) == (400, f"Bad Request: Extra.Task: {words}")
    route = {"Name": "Р", "If": ADS, "Then": {"LeadFlag": True}}
    answer = florist.change_rule(Extra={"Task": TASK, "Routes": [route]})
    assert answer.json() == f"Bad Request: Extra.Routes[0].Then.Task: {words}"
    route["Then"]["Task"] = None
    assert florist.change_rule(Extra={"Task": TASK, "Routes": [route]}).json() == "Success"


def test_a_missing_right_costs_the_task_alone(quiz, amo):
    quiz.change_rule(Extra={"Task": TASK})
    amo.switches["tasks_allowed"] = False
    quiz.post(contact=ANNA)
    quiz.work()
    assert quiz.delivery.state == "delivered"
    [loss] = quiz.delivery.losses
    assert (loss["question"], loss["value"]) == ("task", "Перезвонить: Анна, +79990000001")
    assert "Перезвонить: Анна" in quiz.leads[0]["notes"][0]
    assert outcome_of(quiz)["task"] == {"state": "refused", "id": "", "dueAt": None, "endedAt": None}
    problem = next(one for one in quiz.rule.problems if one["code"] == "task_refused")
    assert "the right to make tasks" in str(problem["message"])


def test_looks_cost_one_request_for_all_tasks_and_none_once_they_are_done(quiz, amo, later):
    quiz.change_rule(Extra={"Task": TASK})
    for number in range(20):
        quiz.post(f"a-{number}")
    quiz.work()

    def asked() -> int:
        amo.journal.clear()
        following.look_now(Outcome.objects.all())
        look(quiz)
        return len(amo.journal.find("GET", "/api/v4/tasks$"))

    assert asked() == 1
    for task in tasks_of(quiz):
        do(quiz, task)
    assert asked() == 1
    assert set(Outcome.objects.values_list("task", flat=True)) == {"done"}
    assert asked() == 0


def test_a_look_comes_soon_after_a_task_is_due():
    now, hour = timezone.now(), timedelta(hours=1)
    later = now + 30 * hour
    due = now + hour
    assert following.look_for_task(later, due, now) == due + following.TASK_GRACE
    assert following.look_for_task(later, now - hour, now) == now + following.LATE_TASK_PAUSE
    assert following.look_for_task(now + hour / 2, due, now) == now + hour / 2
    assert following.look_for_task(None, due, now) is None
    assert following.look_for_task(later, None, now) == later


REFUSED: list[tuple[Any, str]] = [
    (5, ""),
    ({"Minutes": 5}, ".Text"),
    ({"Text": " ", "Minutes": 5}, ".Text"),
    ({"Text": "{{ nope }}", "Minutes": 5}, ".Text"),
    ({"Text": "x"}, ".Minutes"),
    (TASK | {"Minutes": 0}, ".Minutes"),
    (TASK | {"Minutes": True}, ".Minutes"),
    (TASK | {"Minutes": 10**9}, ".Minutes"),
    (TASK | {"PerformerID": "-1"}, ".PerformerID"),
    (TASK | {"PerformerID": [901]}, ".PerformerID"),
    (TASK | {"PerformerID": True}, ".PerformerID"),
    (TASK | {"PerformerID": "9" * 101}, ".PerformerID"),
    (TASK | {"Type": [1]}, ".Type"),
    (TASK | {"Hours": False}, ".Hours"),
    (TASK | {"DepartmentID": 5}, ".DepartmentID"),
    (TASK | {"Type": "call"}, ".Type"),
    (TASK | {"Hours": [{"From": "9", "To": "18:00"}]}, ".Hours[0].From"),
    (TASK | {"Tex": "x"}, ".Tex"),
]


def test_what_cannot_be_meant_is_refused_by_its_place(quiz):
    for said, at in REFUSED:
        answer = quiz.change_rule(Extra={"Task": said})
        assert (answer.status_code, answer.json().partition(": ")[0]) == (400, f"Extra.Task{at}"), said
        then = {"Routes": [{"If": ADS, "Then": {"Task": said}}]}
        answer = quiz.change_rule(Extra=then)
        assert answer.json().partition(": ")[0] == f"Extra.Routes[0].Then.Task{at}", said


def test_a_department_or_a_person_not_both(florist):
    both = TASK | {"PerformerID": people_of(florist)[0], "DepartmentID": "12"}
    assert florist.change_rule(Extra={"Task": both}).json().startswith("Extra.Task.DepartmentID: ")
    del both["PerformerID"]
    assert florist.change_rule(Extra={"Task": both}).json() == "Success"
    florist.post()
    florist.work()
    assert tasks_of(florist)[0]["department"] == 12
