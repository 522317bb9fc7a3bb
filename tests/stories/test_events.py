"""What happens is told in the order in which it happened, to whom it concerns and to nobody else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import jwt
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import states
from accounts.events import feed
from accounts.events.models import Event, NewEvent
from accounts.models import Account
from accounts.serializers.events import EXAMPLES, example
from rules import incidents
from rules.models import Rule
from tests.stories.conftest import QUIZ
from tests.stories.followed import lead_of, look, standing


@pytest.fixture
def platform(settings: Any) -> Client:
    """The quiz platform itself."""
    claims = {"exp": time.time() + 1000, settings.JWT_SCOPE_CLAIM: "people platform"}
    token = jwt.encode(claims, settings.JWT_KEY, algorithm="HS256")
    return Client(headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def told(caller: Callable[..., Client]) -> Callable[..., list[dict[str, Any]]]:
    """What the shop is told behind the last call: events of the types that are named, or all."""
    place: dict[str, str] = {}

    def told(*types: str) -> list[dict[str, Any]]:
        answer = caller("shop").get("/events", place).json()
        place["after"] = answer["next"]
        assert not answer["more"]
        for one in answer["items"]:  # each is as the schema's example shows it
            assert one.keys() == example(one["type"]).keys()
            shown = EXAMPLES[one["type"]]
            assert one["data"].keys() == shown.keys()
            assert all(
                value is None or type(value) is type(shown[name]) for name, value in one["data"].items()
            )
        return [one for one in answer["items"] if not types or one["type"].startswith(types)]

    return told


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [one["type"] for one in events]


def test_the_way_of_an_answer_is_told_in_order_and_of_nobody_by_name(delivered, crm, later, told):
    crm.says[lead_of(delivered)] = standing(
        lead_of(delivered), pipeline="7", step="8", amount=Decimal("1500.5"), contact={"name": "Анна"}
    )
    later(hours=2)
    look(delivered)
    crm.says[lead_of(delivered)] = standing(
        lead_of(delivered), pipeline="7", step="8", amount=Decimal("1500.5"), status="won"
    )
    later(hours=2)
    look(delivered)
    later(hours=8)
    look(delivered)  # nothing has changed

    accepted, made, moved, won = told("answer", "delivery", "outcome")

    assert kinds([accepted, made, moved, won]) == [
        "answer.accepted", "delivery.delivered", "outcome.changed", "outcome.changed",
    ]  # fmt: skip
    assert accepted["data"] == {"quizID": QUIZ, "answerID": "k-1", "revision": 1, "complete": True}
    row = delivered.delivery
    assert made["accountID"] == "shop"
    assert made["data"] == {
        "crm": "amocrm", "crmAccountID": row.account_id, "quizID": QUIZ, "answerID": "k-1",
        "deliveryID": row.pk, "state": "delivered", "heldBecause": "", "leadID": row.remote_id,
    }  # fmt: skip
    assert (moved["data"]["changed"], moved["data"]["stepID"], moved["data"]["amount"]) == (
        ["step", "amount", "record"], "8", "1500.50",
    )  # fmt: skip
    assert (won["data"]["changed"], won["data"]["status"], won["data"]["paid"]) == (["status"], "won", "")
    assert len({one["id"] for one in (accepted, made, moved, won)}) == 4
    assert "Анна" not in json.dumps(list(Event.objects.values_list("data", flat=True)), ensure_ascii=False)


def test_what_is_held_and_released_says_why(quiz, told):
    quiz.api.post(f"/rules/{QUIZ}/pause")
    quiz.post()
    quiz.post()
    quiz.api.post(f"/rules/{QUIZ}/resume")
    quiz.work()

    events = told("delivery")

    assert kinds(events) == [
        "delivery.held", "delivery.held", "delivery.released", "delivery.released",
        "delivery.delivered", "delivery.delivered",
    ]  # fmt: skip
    why = [(one["data"]["state"], one["data"]["heldBecause"]) for one in events]
    assert why[::2] == [("held", "rule_paused"), ("waiting", "rule_paused"), ("delivered", "")]


def test_a_later_body_is_told_too_and_so_is_the_lead_that_it_changes(quiz, told):
    quiz.post("a", complete=False)
    quiz.work()
    quiz.post("a", complete=True, contact={"name": "Борис"})
    quiz.work()
    events = told("answer", "delivery")
    assert kinds(events) == ["answer.accepted", "delivery.delivered"] * 2
    assert [(one["data"]["revision"], one["data"]["complete"]) for one in events[::2]] == [
        (1, False), (2, True),
    ]  # fmt: skip


def test_accounts_and_their_lists_are_told(shop, connect, told):
    events = told("account", "sync")
    assert kinds(events) == ["account.connected"] + ["sync.finished"] * 5
    assert {one["data"]["list"] for one in events[1:]} == {"users", "pipelines", "steps", "fields", "tags"}
    assert {one["data"]["state"] for one in events[1:]} == {"done"}

    shop.amo.faults.add("/api/v4/users", "answer", status=500, times=1)
    shop.sync()
    assert [one["data"]["state"] for one in told("sync") if one["data"]["list"] == "users"] == ["failed"]

    states.needs_reconnect(shop.account, "The key was revoked")
    states.needs_reconnect(shop.account, "The key was revoked")
    connect(shop.crm)
    connect(shop.crm)
    states.pause(shop.account, "Stop")
    states.resume(shop.account)
    assert kinds(told("account")) == [
        "account.needs_reconnect", "account.recovered", "account.recovered",
    ]  # fmt: skip


def test_problems_and_incidents_are_told_once_each_way(quiz, told):
    told()
    rules = Rule.objects.filter(pk=quiz.rule.pk)
    missing = {"code": "step_missing", "message": "Анна", "field": "StepID"}
    rules.update(problems=[missing])
    rules.update(problems=[{**missing, "message": "in other words"}])
    rules.update(problems=[missing, {"code": "other", "message": "", "field": ""}])
    rules.update(problems=[missing])
    rules.update(problems=[])
    states.needs_reconnect(quiz.account, "The key was revoked")
    incidents.look()
    incidents.look()
    Account.objects.update(state="active")
    incidents.look()

    events = told("rule", "incident")

    assert kinds(events) == [
        "rule.problem", "rule.problem", "rule.solved", "incident.opened", "incident.solved",
    ]  # fmt: skip
    assert [one["data"]["problems"] for one in events[:3]] == [
        [{"code": "step_missing", "field": "StepID"}], [{"code": "other", "field": ""}], [],
    ]  # fmt: skip
    assert [one["data"]["kind"] for one in events[3:]] == ["reconnect"] * 2
    assert events[3]["data"]["incidentID"] == events[4]["data"]["incidentID"]


def write(owner: str, *types: str) -> None:
    NewEvent.objects.bulk_create(
        NewEvent(owner=owner, type=kind, at=timezone.now(), data={}) for kind in types
    )


def read(client: Client, **asked: Any) -> tuple[list[str], str, bool]:
    answer = client.get("/events", asked)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    return [f"{one['accountID']} {one['type']}" for one in body["items"]], body["next"], body["more"]


@pytest.mark.django_db
def test_everybody_reads_their_own_events_and_the_platform_reads_all(caller, platform):
    write("shop", "sync.finished", "account.connected")
    write("clinic", "account.connected")
    write("shop", "account.recovered")

    mine, end, more = read(caller("shop"))
    assert (mine, more) == (["shop sync.finished", "shop account.connected", "shop account.recovered"], False)
    assert read(caller("clinic"))[0] == ["clinic account.connected"]
    assert read(caller("other"))[0] == []
    assert len(read(platform)[0]) == 4
    assert read(platform, accountID="clinic")[0] == ["clinic account.connected"]
    assert read(caller("shop"), accountID="shop")[0] == mine

    refused = caller("shop").get("/events?accountID=clinic")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "permission_denied")
    assert Client().get("/events").status_code == 401
    # Whoever has read to the end goes on with what comes, and is not shown it twice.
    assert read(caller("shop"), after=end) == ([], end, False)
    write("shop", "account.connected")
    assert read(caller("shop"), after=end)[0] == ["shop account.connected"]


@pytest.mark.django_db
def test_the_feed_is_read_in_parts_and_by_type(caller, monkeypatch):
    shop = caller("shop")
    write("shop", *["sync.finished"] * 5, "account.connected", *["sync.finished"] * 5)
    first, after, more = read(shop, size=7)
    assert (len(first), more) == (7, True)
    rest, after, more = read(shop, size=7, after=after)
    assert (len(rest), more) == (4, False)
    assert read(shop, types="account.connected,account.recovered")[0] == ["shop account.connected"]
    monkeypatch.setattr(feed, "MOST_SCANNED", 4)  # what is rare is looked for in several answers
    found, after, answers = [], "", 0
    more = True
    while more:
        part, after, more = read(shop, types="account.connected", **({"after": after} if after else {}))
        found, answers = found + part, answers + 1
    assert (found, answers) == (["shop account.connected"], 3)
    for query, field in (("types=lead.won", "types"), ("after=x", "after"), ("size=-1", "size")):
        answer = shop.get(f"/events?{query}")
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


@pytest.mark.django_db
def test_old_events_are_deleted_and_whoever_comes_too_late_is_told(caller, settings, monkeypatch):
    monkeypatch.setattr(feed, "AT_ONCE", 2)
    shop = caller("shop")
    write("shop", "account.connected", "account.recovered")
    after = read(shop)[1]
    write("shop", *["sync.finished"] * 5)
    write("clinic", "account.connected")
    while feed.number():
        pass
    past = timezone.now() - timedelta(days=settings.EVENT_DAYS, minutes=1)
    Event.objects.filter(owner="shop").exclude(type="account.recovered").update(at=past)
    assert feed.purge() == 0  # what stands before one that isn't old tells where the feed begins
    Event.objects.filter(owner="shop").update(at=past)
    assert feed.purge() == 6
    gone = shop.get("/events", {"after": after})
    assert (gone.status_code, gone.json()["error"]["code"]) == (410, "cursor_expired")
    assert read(shop)[0] == ["shop sync.finished"]
    end = read(shop)[1]
    Event.objects.update(at=past)
    feed.purge()
    write("shop", "account.recovered")
    assert read(shop, after=end)[0] == ["shop account.recovered"]


def test_an_installation_without_events_writes_none(quiz, settings):
    NewEvent.objects.all().delete()
    settings.EVENT_DAYS = 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SET quiz_crm.events = 'off'"
        )  # as every connection begins then (tests/test_settings.py)
        quiz.post()
        quiz.api.post(f"/deliveries/{quiz.delivery.pk}/cancel")
        cursor.execute("RESET quiz_crm.events")
    quiz.sync()
    assert not NewEvent.objects.exists()
