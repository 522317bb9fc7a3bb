"""What is special about tasks in Bitrix24: leads and deals, old portals, dismissed people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.draft import Placement, Receipt, Task
from tests.connectors.cast import again, followed

TASK = Task("Перезвонить\nи спросить", datetime.now(UTC) + timedelta(minutes=15))
TODO = r"/crm\.activity\.todo\.add"


@pytest.mark.parametrize("is_lead", [False, True])
def test_a_task_of_whatever_was_made(dentist, draft, deliver, is_lead):
    deliver(draft(task=TASK, placement=Placement(choices={"LeadFlag": is_lead})))
    (record,) = dentist.leads
    assert (record["kind"], len(record["tasks"])) == ("lead" if is_lead else "deal", 1)
    assert record["tasks"][0]["title"] == "Перезвонить"


def test_an_old_portal_without_titles_has_the_whole_text(dentist, draft, deliver):
    dentist.box.switches["todo_titles"] = False
    deliver(draft(task=TASK))
    assert dentist.leads[0]["tasks"][0]["text"].startswith(TASK.text)


def test_an_older_portal_is_told(dentist, draft, deliver):
    dentist.box.switches["todo"] = "gone"
    (receipt,) = deliver(draft(task=TASK))
    assert "CRM 22.1350 is needed" in receipt.problems[0].message


@pytest.mark.parametrize("rule", ["accepted", "refused"])
def test_somebody_dismissed(dentist, draft, deliver, rule):
    """The lead arrives either way; where the portal refuses, the task's text is in the timeline."""
    dentist.box.switches["todo_performer"] = rule
    person = next(user.id for user in dentist.portal.users.values() if user.active and not user.admin)
    dentist.portal.users[person].active = False
    (receipt,) = deliver(draft(task=Task(TASK.text, TASK.due, str(person))))
    assert isinstance(receipt, Receipt)
    (deal,) = dentist.leads
    assert (len(deal["tasks"]), len(receipt.losses)) == ((1, 0) if rule == "accepted" else (0, 1))
    assert any("Перезвонить" in note for note in deal["notes"]) == (rule == "refused")


def test_without_the_right_the_deal_is_made_and_the_task_told(dentist, draft, deliver):
    dentist.box.faults.add(
        TODO, status=403, body='{"error":"ACCESS_DENIED","error_description":"no"}', times=None
    )
    (receipt,) = deliver(draft(task=TASK))
    assert "the right to change this record" in receipt.problems[0].message
    assert len(dentist.leads) == 1


def test_more_tasks_than_can_be_looked_through(dentist, draft, deliver, journal):
    answer = draft(task=TASK)
    dentist.box.faults.add(TODO, "reset_after")
    deliver(answer)
    deal = dentist.leads[0]["id"]
    todo = {"ownerTypeId": 2, "ownerId": deal, "deadline": "2026-01-01T10:00:00+03:00"}
    for _ in range(260):
        dentist.connector.http_client().call("POST", "/crm.activity.todo.add", json=todo)
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert "it is not known whether the task was made" in receipt.losses[0].reason
    assert len(dentist.leads[0]["tasks"]) == 261


def test_tasks_are_asked_for_in_the_request_of_their_leads(dentist, draft, deliver):
    receipts = deliver(*(draft(task=TASK) for _ in range(5)))
    leads = [followed(one, task=one.journal["task"]) for one in receipts]
    dentist.box.control("end_task", {"task_id": int(leads[0].task), "delete": True})
    dentist.box.journal.clear()
    assert [one.task.state for one in dentist.connector.follow(leads)] == ["gone", *["open"] * 4]
    assert dentist.methods() == ["batch", "crm.contact.list"]
