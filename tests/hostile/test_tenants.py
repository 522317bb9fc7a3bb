"""Other people's ids, on every route that takes one: the answer is that of an id which doesn't exist."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import NewEvent
from connectors.registry import CONNECTORS
from rules.models import Rule, RuleVersion
from tests.hostile.routes import Route, rest_routes, routes
from tests.hostile.shapes import assert_clear_error
from tests.hostile.tenants import NOBODYS, QUIZ, belongings, ids_of

BODIES: tuple[Any, ...] = (
    None,
    {},
    {"leadID": "1"},
    {"answer": {}},
    {"answerID": "a-amocrm"},
    {"PipelineID": 1},
)
WITH_IDS = [route for route in rest_routes() if route.ids]
# A quiz's number is the caller's own: whoever posts a rule makes one for a quiz of theirs.
MAKES_ONES_OWN = {("create", "quizID")}


def ask(client: Client, method: str, url: str, body: Any) -> Any:
    """Named alike, so that answers can be compared letter by letter."""
    named = {"X-Request-Id": "one-of-them"}
    if body is None:
        return client.generic(method.upper(), url, headers=named)
    return client.generic(
        method.upper(), url, json.dumps(body), content_type="application/json", headers=named
    )


def tries() -> list[tuple[Route, str]]:
    return [(route, method) for route in WITH_IDS for method in route.methods]


@pytest.mark.parametrize(("route", "method"), tries(), ids=lambda one: str(one))
def test_another_accounts_id_is_an_id_that_does_not_exist(
    spy: Client, route: Route, method: str, settings: Any
) -> None:
    settings.API_RATE = 0  # what is left of it is told by every answer
    (name,) = route.ids
    before = belongings()
    for body in BODIES:
        nothing = ask(spy, method, route.url(**{name: NOBODYS}), body)
        for found in ids_of(name):
            answer = ask(spy, method, route.url(**{name: found}), body)
            same = (answer.status_code, answer.content, dict(answer.headers))
            assert same == (nothing.status_code, nothing.content, dict(nothing.headers))
            if (route.view.actions[method], name) not in MAKES_ONES_OWN or "preview" in route.path:
                assert_clear_error(answer, route, {400, 404})
    if method == "get":
        assert_clear_error(nothing, route, {404})
    forget_own_rules()
    assert belongings() == before


def forget_own_rules() -> None:
    """Of the spy's own quizzes, with all that was written down about them."""
    rules = Rule.objects.filter(account__account_id="spy")
    rules.update(current=None)
    RuleVersion.objects.filter(rule__in=rules).delete()
    rules.delete()
    NewEvent.objects.filter(owner="spy").delete()


def test_the_owner_does_find_them(owner: Client) -> None:
    """The ids above are real ones: else nothing would be proven."""
    for route in WITH_IDS:
        if "get" in route.methods:
            (name,) = route.ids
            for found in ids_of(name):
                assert owner.get(route.url(**{name: found})).status_code == 200, route


def test_no_list_shows_anothers_rows(spy: Client, owner: Client) -> None:
    shown = 0
    for route in rest_routes():
        if route.ids or "get" not in route.methods:
            continue
        mine, theirs = (client.get(route.url()).content.decode() for client in (spy, owner))
        assert "shop" not in mine, route
        assert "Тайный" not in mine, route
        shown += "shop" in theirs or "Тайный" in theirs
    assert shown >= len(CONNECTORS)


@pytest.mark.parametrize("name", ["quizID", "crm", "state"])
def test_filters_reach_no_further(spy: Client, name: str) -> None:
    for value in (QUIZ, "amocrm", "held"):
        for path in ("/deliveries", "/outcomes"):
            answer = spy.get(path, {name: value})
            assert answer.status_code == 400 or answer.json()["count"] == 0


def test_an_answer_id_of_another_account_is_free(spy: Client) -> None:
    """Nor is it told by a conflict that somebody has used it."""
    body = {"quizID": QUIZ, "answerID": "a-amocrm", "contact": {"name": "x"}}
    assert spy.post("/answers", body, content_type="application/json").status_code == 202


def test_an_open_route_does_not_tell_whether_an_id_exists(neighbours: None) -> None:
    asked = 0
    for route in routes():
        numbers = [name for name, is_number in route.ids.items() if is_number]
        if route.needs_token or not numbers:
            continue
        for method in route.methods:
            if method in ("head", "options"):
                continue
            others = dict.fromkeys(route.ids, "guessed")
            nothing, *found = (
                ask(Client(), method, route.url(**others | dict.fromkeys(numbers, one)), None)
                for one in (NOBODYS, *ids_of(numbers[0]))
            )
            assert {(a.status_code, a.content) for a in found} == {(nothing.status_code, nothing.content)}
            assert nothing.status_code == 404
            asked += len(found)
    assert asked
