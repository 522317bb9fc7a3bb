"""A person with an open lead answers again: a note, a mention, or another lead, in each CRM that can."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import db_clock
from rules import test_leads
from rules.delivery import outbox
from rules.models import Delivery, Outcome, Rule, RuleVersion, Turns
from tests.stories.conftest import QUIZ
from tests.stories.test_responsible import people_of
from tests.stories.test_rule_round_trip import Rules, rules  # noqa: F401

ANNA = {"name": "Анна", "phone": "+79990000001", "email": "anna@example.ru"}
NOTE = {"Repeated": {"Do": "note", "WithinDays": 30}}
LINK = {"Repeated": {"Do": "link", "WithinDays": 30}}
AGAIN = [{"questionID": "q2", "question": "Размер", "answer": "двести метров"}]


class Twice:
    """Anna answers twice; what became of the second answer."""

    def __init__(self, side: Any) -> None:
        self.side = side

    def first(self, **body: Any) -> Delivery:
        return self.answer("a-1", contact=ANNA, **body)

    def second(self, **body: Any) -> Delivery:
        return self.answer("a-2", **{"contact": ANNA, "answers": AGAIN, **body})

    def answer(self, answer: str, **body: Any) -> Delivery:
        assert self.side.post(answer, **body).status_code in (200, 202)
        self.side.work()
        return self.of(answer)

    def of(self, answer: str) -> Delivery:
        return Delivery.objects.get(answer__answer_id=answer)

    def shown(self, delivery: Delivery) -> dict[str, Any]:
        found: dict[str, Any] = self.side.api.get(f"/deliveries/{delivery.pk}").json()
        return found

    @property
    def notes(self) -> str:
        return json.dumps([row["notes"] for row in self.side.leads], ensure_ascii=False)


@pytest.fixture
def twice(transactional_db: None, rules: Rules) -> Twice:  # noqa: F811
    """With a rule that wants notes on open leads."""
    if rules.crm == "solos":
        pytest.skip("solOS can't be asked for open leads")
    assert rules.change(Extra=NOTE).json() == "Success"
    return Twice(rules.side)


def test_the_second_answer_joins_the_first_ones_lead(twice):
    first, second = twice.first(), twice.second()
    assert (second.state, second.remote_id, second.remote_link) == (
        "delivered",
        first.remote_id,
        first.remote_link,
    )
    shown = twice.shown(second)
    assert (shown["leadID"], f"joined to lead {first.remote_id}" in shown["joined"]) == (
        first.remote_id,
        True,
    )
    assert "an earlier answer made it" in shown["joined"]
    assert twice.shown(first)["joined"] == ""
    assert (len(twice.side.leads), twice.notes.count("двести метров")) == (1, 1)


def test_two_answers_at_once_make_one_lead(twice):
    """Never two of one person in flight: the second finds what the first has made."""
    for answer in ("a-1", "a-2"):
        twice.side.post(answer, contact=ANNA, answers=AGAIN)
    twice.side.work()
    assert len(twice.side.leads) == 1
    assert sorted(bool(one.steps.get("joined")) for one in Delivery.objects.all()) == [False, True]


def test_a_lead_that_counts_twice_is_won_once(twice):
    first, second = twice.first(), twice.second()
    flags = dict(Outcome.objects.values_list("delivery", "joined"))
    assert flags == {first.pk: False, second.pk: True}
    Outcome.objects.update(status="won", amount=100, seen_at=timezone.now())
    counts = twice.side.api.get("/outcomes").json()
    assert counts["counts"] == {"open": 0, "won": 1, "lost": 0}
    assert [row["joined"] for row in counts["items"]] == [True, False]


def test_a_closed_lead_is_followed_by_a_new_one(twice, rules):  # noqa: F811
    first = twice.first()
    Outcome.objects.update(status="lost")  # as we saw it: the CRM alone is asked now
    second = twice.second()
    assert second.remote_id == first.remote_id  # it is open there: what the CRM says counts
    assert "the CRM shows it" in twice.shown(second)["joined"]


def test_the_answer_of_a_month_ago_is_another_matter(twice, clocks):
    twice.first()
    clocks(days=40)
    second = twice.second()
    assert second.steps.get("joined") is None


def test_a_mention_leaves_the_answer_with_us_and_says_so(twice, rules):  # noqa: F811
    first = twice.first()
    rules.change(Extra=LINK)
    second = twice.second()
    shown = twice.shown(second)
    assert (shown["leadID"], len(twice.side.leads)) == (first.remote_id, 1)
    assert "двести метров" not in twice.notes
    assert ("Размер", "двести метров") in [(one["question"], one["value"]) for one in shown["losses"]]


def test_the_rules_task_is_made_on_the_open_lead_where_the_rule_says_so(twice, rules):  # noqa: F811
    """Once for the lead that was made; for the open one only with ``Task``."""
    task = {"Task": {"Text": "Перезвонить", "Minutes": 15}}
    assert rules.change(Extra={**NOTE, **task}).json() == "Success"
    twice.first()
    assert "task" not in twice.second().steps
    assert rules.change(Extra={"Repeated": {**NOTE["Repeated"], "Task": True}, **task}).json() == "Success"
    third = twice.answer("a-3", contact=ANNA)
    told = third.steps.keys() & {"task", "task_given_up"}  # a deal of Envybox keeps one task
    assert (bool(third.steps["joined"]), len(told)) == (True, 1)


def test_who_joins_a_lead_takes_nobodys_turn(twice, rules):  # noqa: F811
    """Anna, twice, and Boris: he is the next one's after Anna's first lead."""
    first, second = people_of(twice.side)[:2]
    turns = {"Responsible": {"People": [{"PerformerID": first}, {"PerformerID": second}]}}
    assert rules.change(Extra={**NOTE, **turns}).json() == "Success"
    lead, joined = twice.first(), twice.second()
    boris = twice.answer("b-1", contact={"name": "Борис", "phone": "+79990000002"})
    assert (lead.performer, joined.performer, boris.performer) == (str(first), "", str(second))
    assert "keeps the turn: the answer joined a lead" in twice.shown(joined)["draw"]
    assert set(Turns.objects.get().owed.values()) == {0}


def test_whom_a_deleted_rule_has_drawn_keeps_no_lane_from_its_end(quiz, later):
    """The next rule of the quiz draws nobody, and its answers join leads that are open."""
    people = [{"PerformerID": one} for one in people_of(quiz)[:2]]
    quiz.change_rule(Extra={"Responsible": {"People": people}})
    quiz.post("a-1", contact=ANNA)
    quiz.work()
    quiz.amo.faults.add("/leads/complex", "answer", status=429)
    quiz.post("a-2", contact=ANNA)
    quiz.post("b-1", contact={"name": "Борис", "phone": "+79990000002"})
    quiz.work()
    assert quiz.api.delete(f"/rules/{QUIZ}").status_code == 200
    assert quiz.save_rule(**quiz.place(), Extra=NOTE).status_code == 200
    assert "" not in Delivery.objects.values_list("performer", flat=True)
    later(minutes=30)
    quiz.work()

    found = {one.answer.answer_id: one for one in Delivery.objects.select_related("answer")}
    assert {one.state for one in found.values()} == {"delivered"}
    assert (found["a-2"].remote_id, len(quiz.leads)) == (found["a-1"].remote_id, 2)
    assert (found["a-2"].performer, found["b-1"].performer, found["b-1"].draw) == ("", "", "")


def test_tests_write_on_nobodys_lead(twice):
    twice.first()
    rule = Rule.objects.get(quiz_id=QUIZ, deleted=False)
    sent = test_leads.send_test(rule, {"contact": ANNA, "answers": AGAIN})
    twice.side.work()
    sent.refresh_from_db()
    assert (sent.state, sent.steps.get("joined"), len(twice.side.leads)) == ("delivered", None, 2)


class Killed(BaseException):
    """A worker's end, which nothing of ours catches."""


def killed_at(moment: int, patch: pytest.MonkeyPatch) -> list[str]:
    """The worker dies before its word to the database with this number; what it said so far."""
    said: list[str] = []

    def dying(name: str) -> Any:
        real = getattr(outbox, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            said.append(name)
            if len(said) == moment:
                raise Killed
            return real(*args, **kwargs)

        return call

    for name in ("record_steps", "begin_writing", "settle"):
        patch.setattr(outbox, name, dying(name))
    return said


def test_wherever_a_worker_dies_there_is_one_note_on_one_lead(twice, monkeypatch, clocks):
    """Each time somebody else answers twice, and another worker takes over an hour later."""
    for moment in range(1, 12):
        contact = {"name": "Анна", "phone": f"+7999000001{moment}"}
        twice.side.post(f"first-{moment}", contact=contact)
        twice.side.work()
        with monkeypatch.context() as patch:
            said = killed_at(moment, patch)
            twice.side.post(f"second-{moment}", contact=contact, answers=AGAIN)
            with suppress(Killed):
                twice.side.work()
        for _ in range(2):  # freed and looked up first
            clocks(hours=1)
            twice.side.work()
        second = twice.of(f"second-{moment}")
        assert (second.state, second.remote_id) == ("delivered", twice.of(f"first-{moment}").remote_id), said
        assert (twice.notes.count("двести метров"), len(twice.side.leads)) == (moment, moment)
        if len(said) < moment:
            break
    assert 3 < moment < 11


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Any:
    passed, now = [timedelta()], {clock: clock.now for clock in (timezone, db_clock)}
    for clock, real in now.items():
        monkeypatch.setattr(clock, "now", lambda real=real: real() + passed[0])

    def later(**time: float) -> None:
        passed[0] += timedelta(**time)

    return later


def test_it_comes_back_as_it_was_sent_and_is_part_of_the_versions(rules):  # noqa: F811
    if rules.crm == "solos":
        pytest.skip("solOS can't be asked for open leads")
    assert rules.change(Extra=NOTE).json() == "Success"
    assert rules.shown()["Extra"] == NOTE
    assert RuleVersion.objects.order_by("-pk")[0].said["extra"] == {"repeated": {"do": "note", "days": 30}}
    with_task = {"Repeated": {**NOTE["Repeated"], "Task": True}}
    assert rules.change(Extra=with_task).json() == "Success"
    assert rules.shown()["Extra"] == with_task
    assert rules.change(Extra={"Repeated": {"Do": "link"}}).json() == "Success"
    assert rules.shown()["Extra"] == LINK
    assert rules.change(Extra={"Repeated": {"Do": "new"}}).json() == "Success"
    assert "Extra" not in rules.shown()


REFUSED = [
        ({"Repeated": 5}, "Extra.Repeated"),
        ({"Repeated": {"Do": "join"}}, "Extra.Repeated.Do"),
        ({"Repeated": {"WithinDays": 3}}, "Extra.Repeated.Do"),
        ({"Repeated": {"Do": "note", "WithinDays": 0}}, "Extra.Repeated.WithinDays"),
        ({"Repeated": {"Do": "note", "WithinDays": True}}, "Extra.Repeated.WithinDays"),
        ({"Repeated": {"Do": "note", "WithinDays": 366}}, "Extra.Repeated.WithinDays"),
        ({"Repeated": {"Do": ["note"]}}, "Extra.Repeated.Do"),
        ({"Repeated": {"Do": "note", "Task": 1}}, "Extra.Repeated.Task"),
        ({"Repeated": {"Do": "link", "Task": True}}, "Extra.Repeated.Task"),
        ({"Repeated": {"Do": "note", "For": 3}}, "Extra.Repeated.For"),
    ]  # fmt: skip


def test_what_cannot_be_meant_is_refused_by_its_place(rules):  # noqa: F811
    before = rules.shown()
    for extra, at in REFUSED:
        answer = rules.change(Extra=extra)
        assert (answer.status_code, answer.json().partition(": ")[0]) == (400, at)
    assert rules.shown() == before


def test_a_crm_that_can_not_be_asked_says_so(rules):  # noqa: F811
    if rules.crm != "solos":
        pytest.skip("the others can")
    answer = rules.change(Extra=NOTE)
    assert answer.status_code == 400
    assert answer.json().startswith("Extra.Repeated.Do: this CRM shows no open leads")


def test_the_preview_says_what_is_done_instead(twice):
    path = {"amocrm": "", "bitrix24": "/bitrix", "envybox": "/envybox"}[twice.side.account.crm]
    answer = {"answer": {"contact": ANNA, "answers": AGAIN}}
    found = twice.side.api.post(
        f"{path}/rules/{QUIZ}/preview", answer, content_type="application/json"
    ).json()
    assert "has an open lead of the last 30 days" in found["repeated"]
