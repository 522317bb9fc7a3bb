"""Lists of answers, deliveries and outcomes: found by person, walked by cursor while rows come in."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.utils import timezone

from rules.models import Answer, Delivery, Outcome


def ids(shown: dict[str, Any]) -> list[int]:
    return [row["id"] for row in shown["items"]]


def test_answers_are_found_by_their_ids_and_by_person(quiz):
    quiz.post("a-1", contact={"phone": "8 (999) 123-45-67", "email": "Anna@Example.com"})
    quiz.post("a-2")
    for query in ("answerID=a-1", "phone=%2B79991234567", "phone=89991234567", "email=anna@example.COM"):
        for path in ("/answers", "/deliveries"):
            found = quiz.api.get(f"{path}?quizID=42&{query}").json()["items"]
            assert [row["answerID"] for row in found] == ["a-1"], (path, query)
    [answer] = quiz.api.get("/answers?answerID=a-1").json()["items"]
    assert [row["answerID"] for row in answer["deliveries"]] == ["a-1"]
    assert quiz.api.get("/answers?quizID=7").json()["count"] == 0


def test_an_answer_without_a_rule_is_found_by_person(shop):
    shop.post("a-1", contact={"email": "early@example.com"})
    assert shop.api.get("/answers?email=early@example.com").json()["count"] == 1
    assert shop.api.get("/answers?email=late@example.com").json()["count"] == 0


@pytest.mark.parametrize("query", ["phone=123", "email=nobody", "after=xyz", "order=up", "changedFrom=soon"])
def test_what_can_not_be_read_is_refused_by_name(quiz, query):
    answer = quiz.api.get(f"/deliveries?{query}")
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, query.split("=")[0])


def test_strangers_find_nobody(quiz, caller):
    quiz.post("a-1", contact={"phone": "+79991234567"})
    for path in ("/answers", "/deliveries"):
        assert caller("stranger").get(f"{path}?phone=%2B79991234567").json()["count"] == 0


@pytest.mark.parametrize("path", ["/deliveries", "/answers"])
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_cursor_meets_each_row_once_while_others_come_in(quiz, path, order):
    for number in range(5):
        quiz.post(f"a-{number}")
    met: list[int] = []
    shown = quiz.api.get(f"{path}?order={order}&size=2").json()
    for _ in range(10):
        met += ids(shown)
        if not shown["more"]:
            break
        quiz.post()
        shown = quiz.api.get(f"{path}?order={order}&size=2&after={shown['next']}").json()
    assert len(met) == len(set(met))
    assert met == sorted(met, reverse=order == "newest")
    assert set(met) >= set(range(min(met), min(met) + 5))
    end = quiz.api.get(f"{path}?order={order}&after={shown['next']}").json()
    assert (end["items"], end["next"], end["more"]) == ([], shown["next"], False)


def test_pages_are_as_they_were(quiz):
    for number in range(3):
        quiz.post(f"a-{number}")
    first, second = (quiz.api.get(f"/deliveries?size=2&page={page}").json() for page in (1, 2))
    assert (ids(first), ids(second)) == ([3, 2], [1]) or ids(first)[-1] > ids(second)[0]
    assert (first["count"], first["more"], second["more"]) == (3, True, False)


def test_a_long_list_is_counted_and_skipped_only_so_far(quiz, monkeypatch):
    for number in range(4):
        quiz.post(f"a-{number}")
    monkeypatch.setattr("accounts.rest.paging.MOST_LISTED", 3)
    first = quiz.api.get("/deliveries?size=2").json()
    assert (first["count"], len(first["items"]), first["more"]) == (3, 2, True)
    assert len(quiz.api.get("/deliveries?size=2&page=2").json()["items"]) == 2
    beyond = quiz.api.get("/deliveries?size=2&page=3")
    assert (beyond.status_code, beyond.json()["error"]["field"]) == (400, "page")
    last = quiz.api.get(f"/deliveries?size=3&after={first['next']}").json()
    assert (len(last["items"]), last["more"]) == (2, False)


@pytest.mark.parametrize("path", ["/answers", "/deliveries", "/outcomes"])
def test_a_list_of_a_time_has_all_that_was_made_in_it(quiz, path):
    """Keys grow with time, but not strictly: two were made in the other order, minutes apart."""
    hours = (0, 5, 9.9, 9.7, 24, 30)
    for number in range(len(hours)):
        quiz.post(f"a-{number}")
    quiz.work()
    begun = timezone.now().replace(microsecond=0) - timedelta(days=3)
    for model in (Answer, Delivery, Outcome):
        for row, hour in zip(model.objects.order_by("pk"), hours, strict=True):
            model.objects.filter(pk=row.pk).update(created_at=begun + timedelta(hours=hour))
    ends = (-50, 0, 5, 9.7, 9.8, 9.9, 25, 50)
    for start, end in [*product(ends, ends), (None, 9.8), (9.8, None)]:
        told = {"from": start, "to": end}
        query = {name: f"{begun + timedelta(hours=at):%FT%TZ}" for name, at in told.items() if at is not None}
        shown = quiz.api.get(path, query).json()
        wanted = [hour for hour in hours if (start is None or hour >= start) and (end is None or hour < end)]
        assert (shown["count"], len(shown["items"])) == (len(wanted), len(wanted)), query


def test_what_has_changed_since_a_moment(quiz):
    quiz.post("a-1")
    quiz.post("a-2")
    before = Delivery.objects.get(answer__answer_id="a-1").updated_at
    quiz.api.post(f"/deliveries/{Delivery.objects.get(answer__answer_id='a-2').pk}/cancel")
    assert Delivery.objects.get(answer__answer_id="a-1").updated_at == before
    since = Delivery.objects.get(answer__answer_id="a-2").updated_at.isoformat().replace("+00:00", "Z")
    [changed] = quiz.api.get(f"/deliveries?changedFrom={since}").json()["items"]
    assert (changed["answerID"], changed["heldBecause"]) == ("a-2", "cancelled")


def test_outcomes_by_change_and_cursor(quiz):
    quiz.post()
    quiz.work()
    [shown] = quiz.api.get("/outcomes?changedFrom=2020-01-01").json()["items"]
    assert shown["details"] == {}
    late = timezone.now().replace(year=timezone.now().year + 1).isoformat().replace("+00:00", "Z")
    assert quiz.api.get(f"/outcomes?changedFrom={late}").json()["items"] == []
    row = Delivery.objects.get().outcome
    before = row.updated_at
    type(row).objects.filter(pk=row.pk).update(seen_at=timezone.now())
    row.refresh_from_db()
    assert row.updated_at == before
    type(row).objects.filter(pk=row.pk).update(status="won")
    row.refresh_from_db()
    assert row.updated_at > before
