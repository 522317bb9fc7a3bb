"""What is special about tasks in Envybox: a deal has one, which may be somebody's already."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.draft import Task
from connectors.envybox.connector import EnvyConnector
from tests.connectors.cast import again, followed

DUE = datetime.now(UTC) + timedelta(minutes=15)
TASK = Task("Перезвонить", DUE)


@pytest.mark.parametrize("where", ["result", "result.tasks", "tasks"])
def test_wherever_tasks_are_kept(florist, envy, draft, deliver, journal, where):
    envy.switches["get_tasks"] = where
    answer = draft(task=TASK, placement=florist.place())
    envy.faults.add("/deal/updatetask", "reset_after")
    deliver(answer)
    receipt = deliver(again(answer, journal, look_first=True))
    assert (receipt.losses, len(florist.crm.tasks)) == ((), 1)


def test_a_department(florist, draft, deliver):
    deliver(draft(task=Task("Перезвонить", DUE, department="12"), placement=florist.place()))
    (task,) = florist.leads[0]["tasks"]
    assert (task["department"], task["responsible"]) == (12, None)


def test_the_task_that_came_with_our_deal_takes_our_text(florist, envy, draft, deliver):
    envy.switches["task_of_start"] = "Связаться с клиентом"
    receipt = deliver(draft(task=TASK, placement=florist.place()))
    (task,) = florist.leads[0]["tasks"]
    assert receipt.losses == ()
    assert task["text"].startswith("Перезвонить\nСвязаться с клиентом\n")


def test_the_task_of_somebodys_deal_is_left_alone(florist, envy, draft, deliver):
    """Automatic intake took the lead first: whatever is there is not ours to change."""
    envy.switches["auto_intake"] = 0.000001
    envy.switches["task_of_start"] = "Связаться с клиентом"
    receipt = deliver(draft(task=TASK, placement=florist.place()))
    (lead,) = florist.leads
    assert [task["text"] for task in lead["tasks"]] == ["Связаться с клиентом"]
    assert [loss.value for loss in receipt.losses] == ["Перезвонить"]
    assert any("Перезвонить" in note for note in lead["notes"])


def test_a_lead_that_stays_a_lead_has_no_task(florist, draft, deliver):
    place = florist.place(LeadFlag=True)
    assert "deals alone" in EnvyConnector.refuses_task(place)
    receipt = deliver(draft(task=TASK, placement=place))
    assert [loss.value for loss in receipt.losses] == ["Перезвонить"]
    assert "Перезвонить" in florist.leads[0]["notes"][0]
    assert EnvyConnector.refuses_task(florist.place()) == ""


def test_a_task_that_was_put_off_is_asked_for_by_its_deal(florist, draft, deliver):
    receipt = deliver(draft(task=TASK, placement=florist.place()))
    (task,) = florist.crm.tasks
    task.time += 7 * 24 * 3600
    lead = followed(receipt, task=receipt.journal["task"])
    (told,) = florist.connector.follow([lead])
    assert (told.task.state, told.task.due) == ("open", DUE.replace(microsecond=0) + timedelta(days=7))
    task.success = True  # at another time than that for which it was made
    (told,) = florist.connector.follow([lead])
    assert told.task.state == "gone"
