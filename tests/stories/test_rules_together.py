"""Parts of a rule that each do well alone, at once: joined leads, tasks, known people, options, replays,
reconciliation and figures, in every CRM that can."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import timezone

from rules import figures
from rules.delivery import outbox
from rules.models import DayConversion, Delivery, Outcome, Replay
from rules.outcomes import findings
from rules.people import Who, erase
from tests.stories.conftest import QUIZ, passing
from tests.stories.test_reconciliation import found, reconcile
from tests.stories.test_repeated import AGAIN, ANNA, Killed, killed_at
from tests.stories.test_rule_round_trip import Rules, rules  # noqa: F401

TASK = {"Text": "Перезвонить: {{ contact.name }}", "Minutes": 15}
NOTE = {"Do": "note", "WithinDays": 30}
EXISTING = {"Contact": {"Mode": "fill", "Append": True, "Fields": {"name": "overwrite"}}}
ALL = {"Repeated": NOTE, "Task": TASK, "Existing": EXISTING}


class Shop:
    """A rule with notes on open leads, tasks and write modes; answers of Anna."""

    def __init__(self, rules: Rules, later: Callable[..., None]) -> None:  # noqa: F811
        self.rules, self.side, self.later = rules, rules.side, later

    def answer(self, name: str, **body: Any) -> Delivery:
        assert self.side.post(name, **{"contact": ANNA, **body}).status_code in (200, 202)
        self.side.work()
        return self.of(name)

    def of(self, name: str) -> Delivery:
        return Delivery.objects.get(answer__answer_id=name)

    def twice(self) -> tuple[Delivery, Delivery]:
        first, second = self.answer("a-1"), self.answer("a-2", answers=AGAIN)
        assert (first.state, second.state) == ("delivered", "delivered"), (first.error, second.error)
        assert (bool(second.steps["joined"]), second.remote_id) == (True, first.remote_id)
        return first, second

    def post(self, path: str, **body: Any) -> Any:
        return self.side.api.post(path, body, content_type="application/json")

    def replay(self, row: Delivery, **body: Any) -> Any:
        return self.post(f"/deliveries/{row.pk}/replay", **body)

    def settle(self, times: int = 3, **time: float) -> None:
        for _ in range(times):
            self.later(**(time or {"hours": 1}))
            self.side.work()

    @property
    def alive(self) -> list[dict[str, Any]]:
        return [lead for lead in self.side.leads if not lead.get("deleted")]

    def said(self, text: str) -> int:
        """How often a note of a lead says it."""
        return json.dumps([row["notes"] for row in self.alive], ensure_ascii=False).count(text)

    @property
    def tasks(self) -> int:
        return sum(len(lead["tasks"]) for lead in self.alive)

    def delete(self, row: Delivery) -> None:
        if self.rules.crm == "amocrm":
            self.side.amo.control("delete_lead", {"account": self.side.crm.id, "lead_id": int(row.remote_id)})
        elif self.rules.crm == "bitrix24":
            self.side.box.control(
                "delete_record", {"account": self.side.portal.id, "kind": "deal", "id": int(row.remote_id)}
            )
        else:
            crm = self.side.envy
            for kind, ids in (("lead", crm.leads), ("deal", crm.deals)):
                for number in list(ids):
                    self.side.amo.control("delete", {"account": self.side.crm.id, "kind": kind, "id": number})


@pytest.fixture
def shop(transactional_db: None, rules: Rules, monkeypatch: pytest.MonkeyPatch) -> Shop:  # noqa: F811
    if rules.crm == "solos":
        pytest.skip("solOS joins no leads and makes no tasks")
    extra = dict(ALL)
    if rules.crm == "envybox":
        rules.change(LeadFlag=False)
    assert rules.change(Extra=extra).json() == "Success"
    return Shop(rules, passing(monkeypatch, rules.side.amo))


def die_once_joined(patch: pytest.MonkeyPatch) -> None:
    """The worker dies when it has written down which lead is joined."""
    real = outbox.record_steps

    def dying(done: Any, *args: Any) -> None:
        real(done, *args)
        if any(steps.get("joined") for steps in done.values()):
            raise Killed

    patch.setattr(outbox, "record_steps", dying)


def conversion() -> tuple[int, int]:
    """(answers, leads) of all days."""
    for day in figures.due_days(timezone.localdate()):
        figures.count(day)
    rows = DayConversion.objects.filter(owner="shop", quiz_id=QUIZ)
    told = rows.aggregate(a=Sum("answers"), l=Sum("leads"))
    return told["a"], told["l"]


# -- joined, and then? -------------------------------------------------------------------------------------


def test_a_joined_answer_is_no_replays_and_counts_once(shop):
    first, second = shop.twice()
    assert shop.replay(second).json()["error"]["code"] == "joined"
    answer = second.answer_id
    mended = shop.post(f"/answers/{answer}/mend", what="contact.name", value="Анна Кузнецова", replay="now")
    assert mended.status_code == 200, mended.content
    shop.side.work()
    assert shop.said("Кузнецова") == 0
    assert shop.replay(first).status_code == 202
    shop.side.work()
    assert (len(shop.alive), shop.tasks, shop.said("двести метров")) == (1, 1, 1)
    assert conversion() == (2, 1)


def test_a_joined_answer_that_is_completed_adds_a_note_and_changes_no_lead(shop):
    shop.answer("a-1")
    fields = shop.alive[0]["fields"]
    shop.answer("a-2", answers=AGAIN, complete=False)
    more = [*AGAIN, {"questionID": "q3", "question": "Цвет", "answer": "лазурный"}]
    second = shop.answer("a-2", answers=more, complete=True)
    assert (second.state, len(shop.alive), shop.tasks) == ("delivered", 1, 1)
    assert (shop.said("лазурный"), shop.alive[0]["fields"]) == (1, fields)


def test_a_rule_that_no_longer_joins_makes_no_change_to_the_lead_that_was_joined(shop, monkeypatch):
    """The note was being written when the worker died; then the answer is replayed by a rule without it."""
    first = shop.answer("a-1")
    with monkeypatch.context() as patch:
        die_once_joined(patch)
        shop.side.post("a-2", contact={**ANNA, "name": "Другая"}, answers=AGAIN, price=777)
        with suppress(Killed):
            shop.side.work()
    second = shop.of("a-2")
    assert (bool(second.steps.get("joined")), second.delivered_at) == (True, None)
    tried = {"state": "waiting", "claimed_at": None, "look_first": True, "version": second.rule.current_id}
    Delivery.objects.filter(pk=second.pk).update(**tried)
    shop.later(hours=1)
    shop.rules.change(Extra={"Task": TASK})
    theirs = ("notes", "tasks", "contact")
    before = {name: value for name, value in shop.alive[0].items() if name not in theirs}
    answer = shop.replay(second)
    assert answer.status_code == 202, answer.content
    shop.settle()
    second.refresh_from_db()
    assert second.state == "delivered", second.error
    after = next(one for one in shop.alive if str(one["id"]) == first.remote_id)
    assert {name: value for name, value in after.items() if name not in theirs} == before
    assert Replay.objects.values_list("state", "changes").get() == ("made", [])
    assert (second.replay_id, shop.said("двести метров"), len(shop.alive)) == (None, 1, 1)


def test_sending_a_joined_answer_again_finds_its_note(shop):
    _, second = shop.twice()
    assert outbox.send_again(second.pk)
    shop.settle()
    second = shop.of("a-2")
    assert (second.state, len(shop.alive)) == ("delivered", 1), second.error
    assert shop.said("двести метров") == 1
    assert shop.tasks == 1
    assert Outcome.objects.get(delivery=second).joined
    assert conversion() == (2, 1)


def test_a_deleted_lead_that_another_answer_joined_is_made_once(shop):
    first, _second = shop.twice()
    shop.later(hours=1)
    assert found(reconcile(shop.side, shop.later)) == {}
    shop.delete(first)
    told = found(run := reconcile(shop.side, shop.later))
    assert sorted(x for some in told.values() for x in some) == ["a-1", "a-2"], told
    for one in run.findings.select_related("delivery__answer").order_by("delivery_id"):
        assert findings.send_again(one)
    assert conversion() == (2, 0)
    shop.settle()
    assert [shop.of(name).state for name in ("a-1", "a-2")] == ["delivered"] * 2
    assert (len(shop.alive), shop.said("двести метров")) == (1, 1)
    assert conversion() == (2, 1)
    shop.later(hours=1)
    assert found(reconcile(shop.side, shop.later)) == {}


def test_findings_outlive_their_person(shop):
    first, _ = shop.twice()
    shop.later(hours=1)
    shop.delete(first)
    run = reconcile(shop.side, shop.later)
    erase(Who(keys=("phone:+79990000001",)), "test")
    for one in run.findings.select_related("delivery__answer"):
        assert not findings.send_again(one)
        assert findings.deeds_of(one) == []
    told = shop.side.api.get(f"/reconciliations/{run.pk}/findings")
    assert told.status_code == 200
    assert "Анна" not in told.content.decode()
    assert conversion() == (2, 2 - 1)
    shop.settle()
    assert len(shop.alive) == 0


def test_a_delivery_without_an_outcome_is_sent_again_all_the_same(shop):
    first = shop.answer("a-1")
    Outcome.objects.all().delete()
    assert outbox.send_again(first.pk)
    shop.settle()
    assert len(shop.alive) == 1


def test_an_old_finding_makes_no_lead_of_one_that_was_made_anew_since(shop):
    first = shop.answer("a-1")
    shop.later(hours=1)
    shop.delete(first)
    of_monday, of_tuesday = (reconcile(shop.side, shop.later).findings.get() for _ in range(2))
    shop.later(minutes=1)
    assert findings.deeds_of(of_monday) == ["send_again"]
    assert findings.send_again(of_tuesday)
    shop.settle()
    of_monday.refresh_from_db()
    assert shop.of("a-1").state == "delivered"
    assert findings.deeds_of(of_monday) == []
    assert not findings.send_again(of_monday)


# -- tasks, kept over everything ----------------------------------------------------------------------------


def test_a_replay_makes_no_second_task_and_a_lead_made_anew_has_one(shop):
    row = shop.answer("a-1")
    assert shop.replay(row).status_code == 202
    shop.settle()
    assert (len(shop.alive), shop.tasks) == (1, 1)
    shop.delete(row)
    answer = shop.replay(row, anew=True)
    assert answer.status_code == 202, answer.content
    shop.settle()
    row = shop.of("a-1")
    assert (row.state, len(shop.alive), shop.tasks) == ("delivered", 1, 1), row.error
    assert Outcome.objects.get().task in ("open", "")
    assert conversion() == (1, 1)
    shop.later(hours=1)
    assert found(reconcile(shop.side, shop.later)) == {}


def test_wherever_a_worker_dies_nothing_is_there_twice(shop, monkeypatch):
    """Lead, task, the contact's values and the note of a person whom the CRM knows, whose leads are not
    joined."""
    shop.rules.change(Extra={"Task": TASK, "Existing": EXISTING})
    for moment in range(1, 14):
        contact = {"name": "Анна", "phone": f"+799900001{moment:02d}"}
        shop.answer(f"first-{moment}", contact=contact)
        shop.later(minutes=5)
        with monkeypatch.context() as patch:
            said = killed_at(moment, patch)
            again = {**contact, "name": f"Анна К{moment}", "email": f"anna{moment}@mail.example"}
            shop.side.post(f"second-{moment}", contact=again, answers=AGAIN)
            with suppress(Killed):
                shop.side.work()
        shop.settle()
        second = shop.of(f"second-{moment}")
        assert (second.state, len(shop.alive)) == ("delivered", 2 * moment), (moment, said, second.error)
        assert (shop.tasks, shop.said("двести метров")) == (2 * moment, moment), (moment, said)
        told = shop.side.api.get(f"/deliveries/{second.pk}").json()["formerValues"]
        names = [one for one in told if one["now"] == [f"Анна К{moment}"]]
        if shop.rules.crm != "envybox":
            assert [one["before"] for one in names] == [["Анна"]], (moment, told, second.steps, shop.alive)
            emails = [one["before"] for one in told if f"anna{moment}@mail.example" in one["now"]]
            assert emails == [[]], (moment, told)
        if len(said) < moment:
            break
    assert 3 < moment < 13


def test_a_replay_does_not_take_our_own_value_for_what_was_there(shop):
    if shop.rules.crm == "envybox":
        pytest.skip("a client of this very second came with the lead")
    shop.rules.change(Extra={"Existing": EXISTING})
    shop.answer("a-1")
    second = shop.answer("a-2", contact={**ANNA, "name": "Анна К"})
    answer = second.answer_id
    assert (
        shop.post(f"/answers/{answer}/mend", what="contact.name", value="Анна Л", replay="now").status_code
        == 200
    )
    shop.settle()
    told = shop.side.api.get(f"/deliveries/{second.pk}").json()["formerValues"]
    assert [
        (one["before"], one["now"]) for one in told if "Анна Л" in one["now"] or "Анна К" in one["now"]
    ] == [(["Анна"], ["Анна Л"])]
    assert "Анна Л" in str(shop.alive)
    erase(Who(keys=("phone:+79990000001",)), "test")
    assert "Анна" not in str(Delivery.objects.values_list("steps", "losses"))
    assert "Анна" not in str(Replay.objects.values_list("changes"))
