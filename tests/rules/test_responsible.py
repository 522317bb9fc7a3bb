"""Who is responsible: turns by weight, hours, absences, the answer; who left is skipped with a word."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.delivery.assignment import draw, looked_after
from rules.mapping.responsible import Candidate, read_stored, return_turn, take_turn
from rules.mapping.rule_snapshot import RuleSnapshot, Seen
from tests.rules.test_mapping import BOOK

FRIDAY = datetime(2026, 1, 2, 22, 30, tzinfo=UTC)  # 01:30 on Saturday in Moscow
SEEN = {"1": Seen("Маша", True), "2": Seen("Олег", True), "3": Seen("Ира", True), "4": Seen("Пётр", False)}


def rule(zone: str = "UTC", **said: Any) -> RuleSnapshot:
    return replace(BOOK, zone=ZoneInfo(zone), responsible=read_stored(said), seen_people=SEEN)


def person(performer: str, **more: Any) -> dict[str, Any]:
    return {"performer": performer, **more}


def drawn(book: RuleSnapshot, count: int = 1, body: Any = None, at: datetime = FRIDAY) -> list[str]:
    owed: dict[str, int] = {}
    return [draw(owed, book, body or {}, at, at).performer for _ in range(count)]


def test_equal_people_go_round():
    assert drawn(rule(people=[person("1"), person("2"), person("3")]), 7) == [
        "1",
        "2",
        "3",
        "1",
        "2",
        "3",
        "1",
    ]


def test_weights_are_shares_that_come_evenly():
    assert drawn(rule(people=[person("1", weight=2), person("2"), person("3")]), 8) == [
        "1", "2", "3", "1", "1", "2", "3", "1",
    ]  # fmt: skip


@given(weights=st.lists(st.integers(1, 100), min_size=1, max_size=6), turns=st.integers(1, 300))
@settings(max_examples=100, derandomize=True, database=None, deadline=None)
def test_nobody_is_ever_a_lead_away_from_their_share(weights, turns):
    people = [Candidate(str(number), weight) for number, weight in enumerate(weights)]
    owed: dict[str, int] = {}
    took: Counter[str] = Counter()
    for _ in range(turns):
        took[take_turn(owed, people)] += 1
        if len(set(weights)) == 1:
            assert max(took.values()) - min(took[one.performer] for one in people) <= 1
    for one in people:
        share = turns * one.weight / sum(weights)
        assert abs(took[one.performer] - share) < len(people)
    assert sum(owed.values()) == 0


@given(
    weights=st.lists(st.integers(1, 100), min_size=1, max_size=6),
    used=st.lists(st.booleans(), min_size=1, max_size=60),
    later=st.integers(0, 10),
)
@settings(max_examples=100, derandomize=True, database=None, deadline=None)
def test_turns_that_were_not_used_leave_the_shares_as_they_were(weights, used, later):
    """Each is given back ``later`` turns after it was taken: only those that were used count."""
    people = [Candidate(str(number), weight) for number, weight in enumerate(weights)]
    owed: dict[str, int] = {}
    took: Counter[str] = Counter()
    waiting: list[str] = []
    for is_used in used:
        chosen = take_turn(owed, people)
        if is_used:
            took[chosen] += 1
        else:
            waiting.append(chosen)
        if len(waiting) > later:
            return_turn(owed, people, waiting.pop(0))
    for chosen in waiting:
        return_turn(owed, people, chosen)
    shares = {one.performer: took.total() * one.weight for one in people}
    assert owed == {who: share - took[who] * sum(weights) for who, share in shares.items()}


def test_who_comes_back_is_not_given_all_that_was_missed():
    owed: dict[str, int] = {}
    both = [Candidate("1"), Candidate("2")]
    for _ in range(50):
        assert take_turn(owed, both[:1]) == "1"
    assert [take_turn(owed, both) for _ in range(4)] == ["1", "2", "1", "2"]


@pytest.mark.parametrize(
    ("zone", "more", "works"),
    [
        ("UTC", {}, True),
        ("UTC", {"hours": [{"Days": [5], "From": "09:00", "To": "18:00"}]}, False),
        ("UTC", {"hours": [{"Days": [5], "From": "22:00", "To": "24:00"}]}, True),
        ("UTC", {"hours": [{"From": "22:30", "To": "22:31"}]}, True),
        ("UTC", {"hours": [{"From": "22:00", "To": "22:30"}]}, False),
        ("Europe/Moscow", {"hours": [{"Days": [5], "From": "22:00", "To": "06:00"}]}, True),
        ("Europe/Moscow", {"hours": [{"Days": [6], "From": "22:00", "To": "06:00"}]}, False),
        ("Europe/Moscow", {"hours": [{"Days": [6], "From": "00:00", "To": "02:00"}]}, True),
        ("UTC", {"away": [{"From": "2026-01-02", "To": "2026-01-02"}]}, False),
        ("Europe/Moscow", {"away": [{"From": "2026-01-02", "To": "2026-01-02"}]}, True),
    ],
)
def test_hours_and_absences_are_by_the_accounts_clock(zone, more, works):
    assert drawn(rule(zone, people=[person("1", **more), person("2")])) == ["1" if works else "2"]


def test_where_nobody_works_somebody_gets_it_all_the_same():
    night = [{"From": "02:00", "To": "03:00"}]
    found = draw({}, rule(people=[person("1", hours=night)]), {}, FRIDAY, FRIDAY)
    assert (found.performer, found.words) == ("1", "Маша, by turn among 1; nobody works at this hour")


def test_who_left_is_skipped_with_a_word():
    found = draw({}, rule(people=[person("4"), person("2"), person("99")]), {}, FRIDAY, FRIDAY)
    assert found.performer == "2"
    assert found.words == (
        "Олег, by turn among 1; Пётр left the CRM and was skipped; 99 left the CRM and was skipped"
    )
    nobody = draw({}, rule(people=[person("4")]), {}, FRIDAY, FRIDAY)
    assert nobody.performer == ""
    assert nobody.words.endswith("nobody is left to draw, so it is as the rule says")
    assert looked_after(rule(people=[person("4")]), "").performer == BOOK.performer


def test_the_answer_names_somebody():
    said = {"by": "answer.city", "map": {"Тула": "3", "Орёл": "4"}, "people": [person("1")]}

    def whom(city: str) -> tuple[str, str]:
        body = {"answers": [{"questionID": "city", "answer": city}]}
        found = draw({}, rule(**said), body, FRIDAY, FRIDAY)
        return found.performer, found.words

    assert whom(" тула") == ("3", "Ира, chosen by the answer")
    assert whom("Рим") == ("1", "Маша, by turn among 1")
    assert whom("Орел") == ("1", "Маша, by turn among 1; Пётр, whom the answer names, left the CRM")
    assert looked_after(rule(**said), "3").seen_performer == SEEN["3"]
