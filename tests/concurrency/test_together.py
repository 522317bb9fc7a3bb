"""What several threads want done is done by one of them; nobody waits for a stranger's trouble."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from accounts import database, together
from accounts.together import Together
from rules import intake
from rules.models import Answer, Delivery
from tests.concurrency.waiting import QUIZ


class Act:
    """Notes what it is given, waits where it is told to, and fails for bad works."""

    def __init__(self) -> None:
        self.given: list[list[str]] = []
        self.go_on = threading.Event()

    def __call__(self, works: Any) -> None:
        self.given.append(list(works))
        if "slow" in works:
            assert self.go_on.wait(10)
        if bad := [work for work in works if work.startswith("bad")]:
            raise ValueError(bad[0])


@pytest.fixture
def act() -> Act:
    return Act()


@pytest.fixture
def crowd(act: Act, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Has each work done by a thread of its own, all while the first one is under way."""
    monkeypatch.setattr(together, "PATIENCE", 10)
    ours = Together(act, most=3)

    def do(*works: str) -> list[Future[None]]:
        with ThreadPoolExecutor(len(works) + 1) as pool:
            first = pool.submit(ours.do, "slow")
            until(lambda: bool(act.given))
            found = []
            for number, work in enumerate(works):
                found.append(pool.submit(ours.do, work))
                until(lambda number=number: len(ours.waiting) > number)
            act.go_on.set()
        first.result()
        return found

    return do


def until(condition: Any) -> None:
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never happened")


def test_who_waits_goes_together_and_no_more_than_may(act, crowd):
    for done in crowd("a", "b", "c", "d"):
        done.result()
    assert act.given == [["slow"], ["a", "b", "c"], ["d"]]


def test_what_fails_for_all_is_done_by_each_and_fails_for_its_own_alone(act, crowd):
    good, bad, fine = crowd("a", "bad", "b")
    good.result()
    fine.result()
    with pytest.raises(ValueError, match="bad"):
        bad.result()
    assert act.given[:2] == [["slow"], ["a", "bad", "b"]]
    assert sorted(act.given[2:]) == [["a"], ["b"], ["bad"]]


def test_who_cannot_begin_takes_nobody_along(act, monkeypatch):
    """The second one has no connection."""
    monkeypatch.setattr(together, "PATIENCE", 10)
    begun: list[None] = []

    def begin() -> None:
        begun.append(None)
        if len(begun) == 2:
            raise ConnectionError("away")

    ours = Together(act, most=3, begin=begin)
    with ThreadPoolExecutor(4) as pool:
        slow = pool.submit(ours.do, "slow")
        until(lambda: bool(act.given))
        waiting = []
        for number, work in enumerate("abc"):
            waiting.append(pool.submit(ours.do, work))
            until(lambda number=number: len(ours.waiting) > number)
        act.go_on.set()
    assert [one.exception() and str(one.exception()) for one in (slow, *waiting)] == [
        None,
        "away",
        None,
        None,
    ]
    assert act.given == [["slow"], ["b", "c"]]


def test_nobody_waits_for_long(act, monkeypatch):
    monkeypatch.setattr(together, "PATIENCE", 0.05)
    ours = Together(act, most=3)
    with ThreadPoolExecutor(4) as pool:
        stuck = pool.submit(ours.do, "slow")
        until(lambda: bool(act.given))
        for done in [pool.submit(ours.do, work) for work in "abc"]:
            done.result(5)
        assert not stuck.done()
        act.go_on.set()
    ours.do("d")
    assert sorted(work for works in act.given for work in works) == ["a", "b", "c", "d", "slow"]


@pytest.fixture
def slow_first(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The first statement that stores answers takes until so many others wait; the counts of all of them."""
    monkeypatch.setattr(together, "PATIENCE", 10)
    sent: list[int] = []
    real = database.run

    def begin(others: int) -> list[int]:
        def run(statement: str, values: Any) -> Any:
            if statement == intake.STORE:
                sent.append(values["sent"].count('"mark"'))
                if len(sent) == 1:
                    until(lambda: len(intake.together.waiting) == others)
            return real(statement, values)

        monkeypatch.setattr("rules.intake.database.run", run)
        return sent

    return begin


def post(api: Any, **body: Any) -> Any:
    try:
        return api.post("/answers", {"quizID": QUIZ, **body}, "application/json")
    finally:
        connection.close()


def test_answers_of_several_accounts_and_quizzes_are_stored_by_one_statement(quiz, caller, slow_first):
    stranger = caller("stranger")
    quiz.post("before")
    stranger.post("/answers", {"quizID": QUIZ, "answerID": "before"}, "application/json")
    sent = slow_first(others=5)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(post, quiz.api, answerID="k-0")
        until(lambda: bool(sent))
        ours = [pool.submit(post, quiz.api, answerID=f"k-{n}", page=f"https://{n}.example") for n in (1, 2)]
        theirs = pool.submit(post, stranger, answerID="k-1")
        until(lambda: len(intake.together.waiting) == 3)
        twins = [pool.submit(post, quiz.api, answerID="twin", price=price) for price in (1, 2)]
    assert sent == [1, 4]
    assert [one.result().status_code for one in (first, *ours, theirs)] == [202] * 4
    for number, one in enumerate(ours, 1):
        told = one.result().json()
        row = Answer.objects.get(pk=told["id"])
        assert (row.account_id, row.answer_id, row.payload["page"]) == (
            "shop", f"k-{number}", f"https://{number}.example",
        )  # fmt: skip
        assert [delivery["id"] for delivery in told["deliveries"]] == list(
            row.deliveries.values_list("pk", flat=True)
        )
    assert theirs.result().json()["deliveries"] == []
    assert sorted(one.result().status_code for one in twins) == [202, 409]
    assert Delivery.objects.filter(answer__answer_id="twin").count() == 1


def test_a_body_that_no_database_takes_costs_no_others_answer(quiz, slow_first, monkeypatch):
    quiz.post("before")
    sent = slow_first(others=2)
    with monkeypatch.context() as broken, ThreadPoolExecutor(3) as pool:
        real = intake.digest
        broken.setattr(intake, "digest", lambda body: "x" * 65 if body.get("ip") else real(body))
        first = pool.submit(post, quiz.api, answerID="k-0")
        until(lambda: bool(sent))
        good = pool.submit(post, quiz.api, answerID="k-1")
        bad = pool.submit(post, quiz.api, answerID="k-2", ip="a word too long for its column")
    assert [one.result().status_code for one in (first, good, bad)] == [202, 202, 400]
    assert sent == [1, 2, 1, 1]
    assert Answer.objects.filter(answer_id="k-1").exists()
    assert not Answer.objects.filter(answer_id="k-2").exists()
