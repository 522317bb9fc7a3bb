"""Who looks after the leads of a rule, in each CRM: drawn once, kept over retries, told; refused by name."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.db import OperationalError

from crm_cache.models import CrmUser
from rules.models import Delivery, Turns
from tests.stories.conftest import QUIZ
from tests.stories.test_rule_round_trip import rules  # noqa: F401


def people_of(side: Any) -> list[Any]:
    rows = CrmUser.objects.filter(account=side.account, deleted=False, active=True).order_by("remote_id")
    ids = list(rows.values_list("remote_id", flat=True))
    return [int(one) for one in ids] if side.account.crm == "amocrm" else ids


def test_turns_go_round_in_every_crm(transactional_db, rules):  # noqa: F811
    side, people = rules.side, people_of(rules.side)[:2]
    extra = {"Responsible": {"People": [{"PerformerID": one, "Weight": 1} for one in people]}}
    assert rules.change(Extra=extra).json() == "Success"
    assert rules.shown()["Extra"] == extra
    assert rules.change(**rules.shown()).json() == "Success"
    for number in range(4):
        side.post(f"a-{number}", contact={"name": "Анна", "phone": f"+7999000000{number}"})
    side.work()
    rows = Delivery.objects.filter(state="delivered")
    assert Counter(rows.values_list("performer", flat=True)) == {str(one): 2 for one in people}
    told = side.api.get(f"/deliveries/{rows[0].pk}").json()
    assert told["performer"] == rows[0].performer
    assert told["draw"].endswith("by turn among 2")
    if rules.crm == "amocrm":
        assert Counter(lead["responsible_id"] for lead in side.leads) == dict.fromkeys(people, 2)


def test_a_delivery_draws_once_whatever_becomes_of_its_tries(quiz):
    people = people_of(quiz)[:2]
    quiz.change_rule(Extra={"Responsible": {"People": [{"PerformerID": one} for one in people]}})
    quiz.post("first")
    quiz.work()
    drawn = Delivery.objects.get().performer
    Delivery.objects.update(state="waiting", delivered_at=None, steps={}, remote_id="")
    quiz.work()
    assert Delivery.objects.get().performer == drawn


@pytest.fixture
def blinking(monkeypatch):
    """The database breaks off while turns are written down for the time with this number."""
    real, patch = Turns.save, monkeypatch.setattr

    def begin(number: int) -> None:
        moments = iter(range(1, 100))

        def save(turns: Turns, **options: Any) -> None:
            if next(moments) == number:
                raise OperationalError("it breaks off")
            real(turns, **options)

        patch(Turns, "save", save)

    patch("accounts.database.PAUSES", (0,))
    return begin


@pytest.mark.parametrize("own", [False, True])
def test_a_draw_that_the_database_broke_off_is_drawn_anew(quiz, blinking, own):
    """What is not stored counts for nothing, whoever has seen it."""
    people = people_of(quiz)[:2]
    turns = {"People": [{"PerformerID": one} for one in people]}
    quiz.change_rule(Extra={"Responsible": turns | ({"Own": True} if own else {})})
    blinking(1)
    quiz.post()
    quiz.work()
    [lead], row = quiz.leads, quiz.delivery
    assert (row.performer, str(lead["responsible_id"])) == (str(people[0]), str(people[0]))
    assert "by turn among 2" in row.draw
    assert Turns.objects.get().owed == {str(people[0]): -1, str(people[1]): 1}


def test_a_turn_whose_return_the_database_broke_off_is_returned_all_the_same(quiz, blinking):
    person, anna = people_of(quiz)[0], {"name": "Анна", "phone": "+79990000001"}
    others = people_of(quiz)[1:3]
    turns = {"Responsible": {"People": [{"PerformerID": one} for one in others]}}
    quiz.change_rule(Extra={"Repeated": {"Do": "note"}}, PerformerID=person)
    quiz.post("a-1", contact=anna)
    quiz.work()
    quiz.change_rule(Extra={"Repeated": {"Do": "note"}, **turns})
    quiz.post("a-2", contact=anna)
    blinking(2)
    quiz.work()
    row = Delivery.objects.get(answer__answer_id="a-2")
    assert (row.performer, "keeps the turn" in row.draw) == ("", True)
    assert set(Turns.objects.get().owed.values()) == {0}


def test_who_left_before_it_was_sent_is_drawn_anew(quiz):
    people = people_of(quiz)[:2]
    quiz.change_rule(Extra={"Responsible": {"People": [{"PerformerID": one} for one in people]}})
    quiz.post()
    Delivery.objects.update(performer=str(people[0]), draw="before")
    CrmUser.objects.filter(remote_id=people[0]).update(active=False)
    quiz.work()
    assert quiz.delivery.performer == str(people[1])
    assert "left the CRM and was skipped" in quiz.delivery.draw


def test_a_route_that_says_who_needs_no_draw(quiz):
    first, second = people_of(quiz)[:2]
    route = {"Name": "Р", "If": {"value": "sum", "empty": False}, "Then": {"PerformerID": second}}
    quiz.change_rule(Extra={"Responsible": {"People": [{"PerformerID": first}]}, "Routes": [route]})
    quiz.post(price="5")
    quiz.work()
    [lead] = quiz.leads
    assert (lead["responsible_id"], quiz.delivery.performer, quiz.delivery.draw) == (second, "", "")


def test_the_preview_tells_who_would_be_next_and_takes_no_turn(quiz):
    first = people_of(quiz)[0]
    quiz.change_rule(Extra={"Responsible": {"People": [{"PerformerID": one} for one in people_of(quiz)[:2]]}})
    for _ in range(2):
        shown = quiz.api.post(
            f"/rules/{QUIZ}/preview", {"answer": {}}, content_type="application/json"
        ).json()
        assert str(first) in str(shown["requests"])


def of_one(**said: Any) -> dict[str, Any]:
    return {"People": [{"PerformerID": 1, **said}]}


REFUSED: list[tuple[Any, str]] = [
    (5, ""),
    ({"People": [{}]}, ".People[0].PerformerID"),
    (of_one(PerformerID=True), ".People[0].PerformerID"),
    ({"People": [{"PerformerID": 1}, {"PerformerID": 1}]}, ".People[1].PerformerID"),
    (of_one(Weight=0), ".People[0].Weight"),
    (of_one(Weight=True), ".People[0].Weight"),
    (of_one(Hours=[{"From": "9", "To": "18:00"}]), ".People[0].Hours[0].From"),
    (of_one(Hours=[{"Days": [8], "From": "09:00", "To": "18:00"}]), ".People[0].Hours[0].Days"),
    (of_one(Hours=[{"From": "09:00", "To": "09:00"}]), ".People[0].Hours[0].To"),
    (of_one(Away=[{"From": "2026-02-30", "To": ""}]), ".People[0].Away[0].From"),
    (of_one(Away=[{"From": "2026-02-03", "To": "2026-02-02"}]), ".People[0].Away[0].To"),
    ({"By": "city", "Map": {"a": 1}}, ".By"),
    ({"By": "answer.city"}, ".Map"),
    ({"By": "answer.city", "Map": {"a": None}}, ".Map.a"),
    ({"By": "answer.city", "Map": {"a": 1, "A": 2}}, ".Map.A"),
    ({"By": "answer.city", "Map": {" ": 1}}, ".Map. "),
    ({"Map": []}, ".By"),
    (of_one(PerformerID=0), ".People[0].PerformerID"),
    (of_one(Hours={}), ".People[0].Hours"),
    (of_one(Away=0), ".People[0].Away"),
    ({"Persons": []}, ".Persons"),
]


def test_what_cannot_be_meant_is_refused_by_its_place(quiz):
    for said, at in REFUSED:
        answer = quiz.change_rule(Extra={"Responsible": said})
        assert (answer.status_code, answer.json().partition(": ")[0]) == (400, f"Extra.Responsible{at}")
