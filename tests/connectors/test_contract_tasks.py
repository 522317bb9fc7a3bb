"""What every CRM that makes tasks promises of them: once, after the lead, and never at its cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.draft import LeadDraft, Receipt, Task
from connectors.errors import TryLater, Unclear
from connectors.registry import connector_class
from tests.connectors.cast import Notebook, again, followed
from tests.connectors.harness import HARNESSES, Harness, harness_class

DUE = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=15)
TEXT = "Перезвонить Анне\nСпросить про площадь"
CAN = [kind for kind in HARNESSES if connector_class(kind).can.tasks]


@pytest.fixture(params=CAN)
def crm(request: pytest.FixtureRequest, mocked) -> Harness:
    return harness_class(request.param)(mocked)


@pytest.fixture
def asked(crm, draft):
    """A draft whose rule wants a task."""
    return lambda **task: draft(placement=crm.place, task=Task(TEXT, DUE, **task))


def tasks_of(crm: Harness) -> list[dict[str, object]]:
    return [task for lead in crm.leads() for task in lead["tasks"]]


def moment(due: object) -> datetime:
    return datetime.fromisoformat(due) if isinstance(due, str) else datetime.fromtimestamp(due, UTC)


def told(crm: Harness) -> str:
    return json.dumps([lead["notes"] for lead in crm.leads()], ensure_ascii=False)


def test_who_makes_none_says_why():
    refusals = {kind: connector_class(kind).can.tasks.refusal for kind in HARNESSES if kind not in CAN}
    assert refusals == {"solos": "solOS documents no method that makes a task"}


def test_a_lead_has_its_task(crm, asked, journal):
    answer = asked()
    (receipt,) = crm.connector.deliver([answer], journal)
    (lead,) = crm.leads()
    (task,) = lead["tasks"]
    assert task["text"].startswith(TEXT)
    assert moment(task["due"]) == DUE
    assert task["responsible"] == lead["responsible"]
    assert (receipt.journal["task"], task["done"]) == (str(task["id"]), False)
    assert journal.of(answer.uid)["task"] == receipt.journal["task"]
    assert receipt.losses == ()
    assert "Перезвонить" not in told(crm)


def test_somebody_else_may_have_the_task(crm, asked, journal):
    crm.connector.deliver([asked(performer=crm.person)], journal)
    (lead,) = crm.leads()
    assert lead["tasks"][0]["responsible"] != lead["responsible"]


def test_no_task_is_no_request(crm, draft, journal):
    crm.connector.deliver([draft(placement=crm.place)], journal)
    sent = [(entry.path, str(entry.json)) for entry in crm.box.journal]
    assert not [one for one in sent if "task" in one[0].lower() or "activity" in "".join(one)]


def test_a_batch_shares_the_request(crm, asked, journal):
    if crm.connector.can.batch == 1:
        pytest.skip("one lead at a time")
    crm.connector.deliver([asked() for _ in range(10)], journal)
    sent = [entry for entry in crm.box.journal if entry.path == "/api/v4/tasks" or "todo" in str(entry.json)]
    assert (len(sent), len(tasks_of(crm))) == (1, 10)


# -- once ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["reset_after", "timeout_after", "truncate", "reset", "timeout"])
def test_a_lost_reply_makes_no_second_task(crm, asked, journal, action):
    answer = asked()
    crm.box.faults.add(crm.tasks, action)
    (lost,) = crm.connector.deliver([answer], journal)
    assert isinstance(lost, Unclear | TryLater)
    (receipt,) = crm.connector.deliver(
        [again(answer, journal, look_first=isinstance(lost, Unclear))], journal
    )
    assert isinstance(receipt, Receipt)
    (task,) = tasks_of(crm)
    assert receipt.journal["task"] == str(task["id"])


def test_whichever_reply_is_lost_there_is_one_lead_with_one_task(crm, asked, journal):
    for request in range(30):
        answer = asked()
        crm.box.faults.add("", "reset_after", after=request)
        (outcome,) = crm.connector.deliver([answer], journal)
        whole = isinstance(outcome, Receipt)
        crm.box.faults.clear()
        while not isinstance(outcome, Receipt):
            unclear = isinstance(outcome, Unclear) or answer.look_first
            answer = again(answer, journal, look_first=unclear)
            (outcome,) = crm.connector.deliver([answer], journal)
        assert len(crm.leads()) == len(tasks_of(crm)) == request + 1
        if whole and not outcome.adopted:
            return
    pytest.fail("no delivery came through")


class Killed(BaseException):
    """kill -9: nobody catches it."""


class Mortal(Notebook):
    """Ends the process at its nth entry, before or after that was stored."""

    def __init__(self, nth: int, stored: bool) -> None:
        super().__init__()
        self.nth, self.stored = nth, stored

    def record(self, done: Mapping[str, Mapping[str, str]]) -> None:
        self.nth -= 1
        if self.nth == 0 and not self.stored:
            raise Killed
        super().record(done)
        if self.nth == 0:
            raise Killed


@pytest.mark.parametrize("stored", [False, True])
def test_killed_at_any_entry_of_the_journal_there_is_one_task(crm, asked, stored):
    for nth in range(1, 20):
        answer: LeadDraft = asked()
        book = Mortal(nth, stored)
        try:
            crm.connector.deliver([answer], book)
            killed = False
        except Killed:
            killed = True
        (receipt,) = crm.connector.deliver([again(answer, book, look_first=killed)], book)
        assert isinstance(receipt, Receipt)
        assert len(crm.leads()) == len(tasks_of(crm)) == nth
        if not killed:
            return
    pytest.fail("no delivery came through")


def test_a_task_that_was_done_meanwhile_is_not_made_again(crm, asked, journal):
    answer = asked()
    crm.box.faults.add(crm.tasks, "reset_after")
    crm.connector.deliver([answer], journal)
    (task,) = tasks_of(crm)
    crm.end_task(task["id"])
    (receipt,) = crm.connector.deliver([again(answer, journal, look_first=True)], journal)
    assert (len(tasks_of(crm)), receipt.journal["task"]) == (1, str(task["id"]))


# -- never at the lead's cost -------------------------------------------------------------------------------


def test_a_lost_task_that_may_not_be_looked_for_costs_no_lead(crm, asked, journal):
    """Nobody can tell whether it was made: none is made beside it, and that is told."""
    answer = asked()
    crm.box.faults.add(crm.tasks, "reset_after")
    crm.connector.deliver([answer], journal)
    crm.hide_tasks()
    for _ in range(2):
        (receipt,) = crm.connector.deliver([again(answer, journal, look_first=True)], journal)
        assert isinstance(receipt, Receipt), receipt
        assert [loss.value for loss in receipt.losses] == [TEXT]
        assert len(tasks_of(crm)) == 1
        crm.box.faults.clear()
        crm.box.switches.reset()
    assert told(crm).count("Перезвонить Анне") == 1


def test_a_refused_task_stands_in_the_note(crm, asked, journal):
    crm.refuse_tasks()
    (receipt,) = crm.connector.deliver([asked()], journal)
    assert isinstance(receipt, Receipt)
    assert [(loss.question, loss.value) for loss in receipt.losses] == [("task", TEXT)]
    assert [problem.field for problem in receipt.problems] == ["Extra.Task"]
    assert (tasks_of(crm), told(crm).count("Перезвонить Анне")) == ([], 1)


def test_a_refused_task_is_not_asked_for_again(crm, asked, journal):
    crm.refuse_tasks()
    answer = asked()
    crm.connector.deliver([answer], journal)
    crm.box.switches.reset()
    crm.box.faults.clear()
    (receipt,) = crm.connector.deliver([again(answer, journal, look_first=True)], journal)
    assert [loss.value for loss in receipt.losses] == [TEXT]
    assert (tasks_of(crm), told(crm).count("Перезвонить Анне")) == ([], 1)


def test_the_plan_shows_the_task(crm, asked):
    plan = crm.connector.plan(asked())
    bodies = json.dumps([request.body for request in plan.requests], ensure_ascii=False)
    assert "Перезвонить Анне" in bodies


def test_a_later_body_makes_no_task(crm, asked, journal):
    answer = asked()
    crm.connector.deliver([answer], journal)
    later = replace(again(answer, journal), note="Площадь: сто", revision=2, formers=(answer,))
    crm.connector.deliver([later], journal)
    assert len(tasks_of(crm)) == 1


# -- what became of it --------------------------------------------------------------------------------------


def test_a_task_is_followed_with_its_lead(crm, asked, journal):
    receipts = [one for _ in range(2) for one in crm.connector.deliver([asked()], journal)]
    leads = [followed(receipt, task=receipt.journal["task"]) for receipt in receipts]
    seen = [one.task for one in crm.connector.follow(leads)]
    assert [(one.state, one.due) for one in seen] == [("open", DUE)] * 2

    crm.box.journal.clear()
    crm.connector.follow([replace(lead, task="") for lead in leads])
    without = len(crm.box.journal)
    crm.end_task(receipts[0].journal["task"])
    crm.box.journal.clear()
    seen = [one.task for one in crm.connector.follow(leads)]
    assert [one.state for one in seen] == ["done", "open"]
    assert seen[0].ended_at is not None
    assert len(crm.box.journal) <= without + 2


def test_a_lead_is_told_though_its_task_can_t_be_read(crm, asked, journal):
    (receipt,) = crm.connector.deliver([asked()], journal)
    crm.hide_tasks()
    (told,) = crm.connector.follow([followed(receipt, task=receipt.journal["task"])])
    assert (told.status, told.task) == ("open", None)
