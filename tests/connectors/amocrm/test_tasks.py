"""What is special about tasks in amoCRM: types, dismissed people, filters that nobody heard."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.draft import Placement, Receipt, Task
from tests.connectors.cast import again, followed

TASK = Task("Перезвонить", datetime.now(UTC) + timedelta(minutes=15))
TASKS = "/api/v4/tasks$"


@pytest.fixture
def answer(shop, draft):
    return draft(task=TASK, placement=Placement(shop.user("Игорь"), *shop.step()))


def test_a_type_of_the_account(shop, draft, deliver):
    shop.account.task_types[77] = "Отправить КП"
    deliver(draft(task=replace(TASK, type="77")))
    assert shop.leads[0]["tasks"][0]["type"] == "Отправить КП"


def test_a_dismissed_responsible_person_passes_the_task_on(shop, answer, deliver):
    """Nobody was named for the task: it goes where the lead goes."""
    shop.amo.control("deactivate_user", {"user_id": int(shop.user("Игорь"))})
    (receipt,) = deliver(answer)
    (lead,) = shop.leads
    assert (receipt.losses, lead["tasks"][0]["responsible"]) == ((), lead["responsible"])


def test_a_responsible_person_dismissed_between_lead_and_task(shop, amo, answer, deliver, journal):
    amo.faults.add(TASKS, "reset")
    deliver(answer)
    amo.control("deactivate_user", {"user_id": int(shop.user("Игорь"))})
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert (receipt.losses, len(shop.leads[0]["tasks"])) == ((), 1)


@pytest.mark.parametrize("wrong", [{"performer": "Игорь"}, {"type": "4711"}], ids=["person", "type"])
def test_a_task_that_amocrm_refuses_costs_nobody_elses(shop, answer, draft, deliver, wrong):
    if "performer" in wrong:
        wrong = {"performer": shop.user("Игорь")}
        shop.amo.control("deactivate_user", {"user_id": int(wrong["performer"])})
    bad = draft(task=replace(TASK, **wrong))
    receipts = deliver(bad, *(draft(task=TASK) for _ in range(4)))
    assert [len(lead["tasks"]) for lead in shop.leads] == [0, 1, 1, 1, 1]
    assert [len(receipt.losses) for receipt in receipts] == [1, 0, 0, 0, 0]
    assert "Choose another person" in receipts[0].problems[0].message


def test_a_task_is_found_though_the_filter_is_ignored(shop, amo, answer, deliver, journal):
    amo.switches["task_filters"] = False
    amo.faults.add(TASKS, "reset_after")
    deliver(answer)
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert (isinstance(receipt, Receipt), len(shop.leads[0]["tasks"])) == (True, 1)


def test_what_nobody_can_tell_is_told_and_not_repeated(shop, amo, answer, draft, deliver, journal):
    """A page of strangers' newer tasks says nothing of ours: none is made, the text is in the note."""
    amo.faults.add(TASKS, "reset_after")
    deliver(answer)
    for _ in range(5):
        deliver(*(draft(task=TASK) for _ in range(50)))
    amo.switches["task_filters"] = False
    (receipt,) = deliver(again(answer, journal, look_first=True))
    lead = next(one for one in shop.leads if one["id"] == int(receipt.journal["lead"]))
    assert "it is not known whether the task was made" in receipt.losses[0].reason
    assert (len(lead["tasks"]), "Перезвонить" in lead["notes"][0]) == (1, True)


@pytest.mark.parametrize("heard", [True, False])
def test_a_deleted_task_is_gone_only_where_the_filter_was_heard(shop, amo, draft, deliver, heard):
    (receipt, _) = deliver(draft(task=TASK), draft(task=TASK))
    amo.control("end_task", {"task_id": int(receipt.journal["task"]), "delete": True})
    amo.switches["task_filters"] = heard
    (told,) = shop.connector.follow([followed(receipt, task=receipt.journal["task"])])
    assert (told.task.state if told.task else None) == ("gone" if heard else None)


def test_an_answer_that_is_no_list_proves_no_task_missing(shop, amo, answer, deliver, journal):
    """Neither is it made twice, nor told as deleted."""
    nonsense = {"status": 200, "body": '{"status": "ok"}', "content_type": "application/json", "times": None}
    amo.faults.add(TASKS, "reset_after", method="POST")
    deliver(answer)
    amo.faults.add(TASKS, method="GET", **nonsense)
    deliver(again(answer, journal, look_first=True))
    (lead,) = shop.leads
    assert len(lead["tasks"]) == 1
    amo.faults.clear()
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert isinstance(receipt, Receipt)
    assert len(shop.leads[0]["tasks"]) == 1
    amo.faults.add(TASKS, method="GET", **nonsense)
    (seen,) = shop.connector.follow([followed(receipt)])
    assert seen.task is None
