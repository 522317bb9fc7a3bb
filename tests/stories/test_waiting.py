"""Answers wait: for their account while it is away, and for a rule that comes later. In every CRM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from accounts import maintenance, states
from connectors.errors import TryLater
from connectors.registry import connector_class
from crm_cache import refresh
from crm_cache.models import Pipeline, Step, SyncRun
from rules.delivery import outbox, sweep, worker
from rules.models import Answer, Attempt, Delivery
from tests.bitrix import name_portal
from tests.stories.conftest import QUIZ, Shop, passing

PREFIXES = {"amocrm": "", "bitrix24": "bitrix/", "envybox": "envybox/", "solos": "solos/"}


@dataclass
class Owner:
    """A quiz account with one CRM, a rule there, and its ways to leave and come back."""

    kind: str
    shop: Shop
    connect: Callable[[], Any]
    later: Callable[..., None]

    def leave(self) -> None:
        reply = self.shop.api.delete(f"/{PREFIXES[self.kind]}account")
        assert reply.status_code in (200, 204), reply.content

    def come_back(self) -> None:
        assert self.connect().status_code in (200, 302)

    def backfill(self, **body: Any) -> Any:
        body = {"from": (timezone.now() - timedelta(days=30)).isoformat(), **body}
        url = f"/{PREFIXES[self.kind]}rules/{QUIZ}/backfill"
        return self.shop.api.post(url, body, content_type="application/json")


@pytest.fixture(params=PREFIXES)
def owner(request: pytest.FixtureRequest, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Owner:
    name = {"amocrm": "quiz", "bitrix24": "clinic", "envybox": "florist", "solos": "windows"}[request.param]
    shop = request.getfixturevalue(name)
    way = {"amocrm": "connect", "bitrix24": "connect_portal"}.get(request.param)
    connect = request.getfixturevalue(way) if way else None
    again = (lambda: connect(shop.crm)) if connect else shop.connect
    return Owner(request.param, shop, again, passing(monkeypatch, shop.amo))


def test_an_answer_to_a_disconnected_account_waits_and_goes_out_on_its_return(owner):
    shop = owner.shop
    owner.leave()
    reply = shop.post()

    assert reply.status_code == 202
    [told] = reply.json()["deliveries"]
    assert (told["state"], told["heldBecause"], told["nextTryAt"]) == ("held", "disconnected", None)
    assert "Connect it again" in told["error"]["remedy"]
    assert "held: The account was disconnected: Its owner disconnected it" in reply.json()["message"]
    assert "Connect it again" in reply.json()["message"]

    shop.work()
    assert shop.leads == []
    owner.come_back()
    shop.work()
    assert (shop.delivery.state, len(shop.leads)) == ("delivered", 1)


def test_what_is_older_than_three_days_at_the_return_is_left_to_a_person(owner):
    shop = owner.shop
    owner.leave()
    old = shop.post().json()["deliveries"][0]["id"]
    owner.later(hours=71)
    shop.post()
    owner.later(hours=2)
    owner.come_back()
    shop.work()

    assert len(shop.leads) == 1
    told = shop.api.get(f"/deliveries/{old}").json()
    assert (told["state"], told["heldBecause"]) == ("held", "stale")
    assert "72 hours" in told["error"]["message"]
    assert told["waitsFor"].startswith("A person: ")
    assert shop.api.post(f"/deliveries/{old}/retry").status_code == 202
    shop.work()
    assert len(shop.leads) == 2


def test_nothing_goes_before_the_lists_are_read_that_its_rule_names(owner):
    shop = owner.shop
    if owner.kind != "solos":  # its rules name no pipelines
        shop.change_rule(
            **{k: v for k, v in shop.place().items() if k in ("PipelineID", "StepID", "StageID")}
        )
    owner.leave()
    shop.post()
    owner.come_back()
    shop.amo.journal.clear()
    sweep.review()
    assert sweep.lanes_with_work() == []
    assert SyncRun.objects.filter(account=shop.account, state="waiting").exists()
    [told] = shop.api.get("/deliveries").json()["items"]
    assert (told["state"], told["nextTryAt"]) == ("held", None)
    assert "lists" in told["waitsFor"]
    assert (
        "The account is connected; the lists that its rule names are read first" in told["error"]["message"]
    )

    shop.work()
    assert (shop.delivery.state, len(shop.leads)) == ("delivered", 1)


def broken(connector: Any, what: str) -> Any:
    """A list that the CRM can't give just now."""
    raise TryLater("The list is broken")


def test_a_pipeline_missing_from_lists_of_before_holds_no_lead(owner, monkeypatch):
    """The lists were emptied, or never read, and a lead is due before they are there."""
    shop = owner.shop
    if owner.kind == "solos":
        pytest.skip("its rules name no pipelines")
    SyncRun.objects.all().delete()
    Pipeline.objects.all().delete()
    Step.objects.all().delete()
    shop.post()
    worker.drain(shop.account.pk)
    assert (shop.delivery.state, shop.delivery.error_code) == ("waiting", "lists_unread")
    assert (shop.delivery.attempts_made, shop.delivery.strikes, Attempt.objects.count()) == (0, 0, 0)

    with monkeypatch.context() as during:
        during.setattr(connector_class(owner.kind), "fetch", broken)
        shop.work()
        owner.later(days=3)
        refresh.sync_due()
        shop.work()
    told = shop.api.get(f"/deliveries/{shop.delivery.pk}").json()
    assert (told["state"], told["tries"]) == ("waiting", 0)
    assert "lists that its rule names are read first (pipelines, steps)" in told["waitsFor"]
    assert "steps: The list is broken" in told["waitsFor"]
    assert "Mend what keeps them from it" in told["error"]["remedy"]

    owner.later(hours=8)
    refresh.sync_due()
    shop.work()
    owner.later(seconds=30)
    shop.work()
    assert (shop.delivery.state, len(shop.leads)) == ("delivered", 1)


@pytest.mark.parametrize(
    ("answers", "disconnected"), [(200, False), (60, True)], ids=["refused", "disconnected"]
)
def test_no_answer_is_lost_or_doubled_when_an_account_leaves_while_they_are_sent(
    owner, monkeypatch, answers, disconnected
):
    shop, handle, requests = owner.shop, owner.shop.amo.handle, count(1)
    shop.post_many(answers)

    def and_then_refuse(*request: Any) -> Any:
        number = next(requests)  # of several threads
        reply = handle(*request)
        if number == 3:
            shop.amo.revoke(shop.crm)
        return reply

    with monkeypatch.context() as during:
        during.setattr(shop.amo, "handle", and_then_refuse)
        worker.drain(shop.account.pk)
    assert len(shop.leads) < answers
    assert shop.account.state == "needs_reconnect"
    if disconnected:
        owner.leave()
    sweep.review()
    for _ in range(5):
        shop.post()
    assert set(Delivery.objects.exclude(state="delivered").values_list("held_because", flat=True)) == {
        "disconnected" if disconnected else "reconnect"
    }

    owner.come_back()
    shop.work()
    for _ in range(3):
        owner.later(minutes=10)
        shop.work()

    states_now = list(Delivery.objects.order_by().values_list("state", "held_because").distinct())
    assert states_now == [("delivered", "")]
    assert len(shop.leads) == len({row.remote_id for row in Delivery.objects.all()}) == answers + 5


def test_a_paused_account_holds_at_once_and_goes_on_when_resumed(quiz):
    states.pause(quiz.account, "The owner asked for it")
    reply = quiz.post().json()
    assert reply["deliveries"][0]["heldBecause"] == "paused"
    assert "The owner asked for it" in reply["message"]
    states.resume(quiz.account)
    quiz.work()
    assert len(quiz.leads) == 1


def test_what_is_held_says_the_reason_of_today(quiz):
    states.needs_reconnect(quiz.account, "Revoked")
    quiz.post()
    assert quiz.delivery.held_because == "reconnect"
    quiz.api.delete("/account")
    sweep.review()
    assert quiz.delivery.held_because == "disconnected"


def test_rules_of_a_former_account_rest_once_another_one_is_in_its_place(quiz, amo, connect):
    quiz.api.delete("/account")
    connect(amo.add_account("bakery"))
    reply = quiz.post().json()
    assert reply["deliveries"] == []
    assert "amoCRM: no rule for this quiz, the answer is kept" in reply["message"]


def test_a_former_account_that_was_only_named_again_rests_too(clinic, b24, connect_portal):
    clinic.api.delete("/bitrix/account")
    clinic.api.post(
        "/bitrix/account", {"client_bitrix_url": clinic.portal.host}, content_type="application/json"
    )
    connect_portal(b24.add_portal("orthodontist"))
    assert clinic.post().json()["deliveries"] == []


def test_of_two_former_accounts_the_last_one_keeps_its_rules_while_nobody_finishes_its_return(
    clinic, b24, connect_portal, later_there
):
    first = clinic.account
    clinic.api.delete("/bitrix/account")
    orthodontist = b24.add_portal("orthodontist")
    connect_portal(orthodontist)
    last = clinic.account
    clinic.sync()
    assert clinic.save_rule(PipelineID=0, StageID="NEW").status_code == 200
    clinic.api.delete("/bitrix/account")

    name_portal(clinic.api, orthodontist.host)
    clinic.post()
    former, pending = clinic.api.get("/accounts").json()["items"][::-1]
    assert (former["id"], pending["id"], pending["state"]) == (first.pk, last.pk, "connecting")
    assert former["remedy"].startswith("Connect ")

    later_there(days=3)
    maintenance.expire_attempts()
    last.refresh_from_db()
    assert (last.state, last.deleted, last.state_reason) == (
        "disconnected",
        True,
        "Nobody finished connecting it",
    )
    clinic.post()
    sweep.review()
    assert (
        list(Delivery.objects.values_list("account", "state", "held_because"))
        == [(last.pk, "held", "disconnected")] * 2
    )


def test_an_answer_before_its_rule_is_delivered_by_a_backfill(owner):
    shop = owner.shop
    rule = shop.account.rules.get()
    rule.deleted = True
    rule.save()
    reply = shop.post("early").json()
    assert reply["deliveries"] == []
    assert "no rule for this quiz" in reply["message"]
    purged = Answer.objects.get(pk=shop.post("purged").json()["id"])
    Answer.objects.filter(pk=purged.pk).update(payload={}, purged_at=timezone.now())
    assert owner.backfill().status_code == 404
    rule.deleted = False
    rule.save()
    shop.post("timely")

    counted = {"answers": 1, "deliveries": 1, "purged": 1, "more": False}
    dry = owner.backfill(dryRun=True)
    assert (dry.status_code, dry.json()) == (200, counted | {"dryRun": True})
    assert Delivery.objects.count() == 1
    made = owner.backfill()
    assert (made.status_code, made.json()) == (202, counted | {"dryRun": False})
    again = owner.backfill()
    assert (again.status_code, again.json()["deliveries"]) == (200, 0)
    shop.work()
    assert len(shop.leads) == 2


def test_a_backfill_keeps_to_its_moments_and_says_what_is_wrong(quiz, monkeypatch):
    Answer.objects.bulk_create(
        Answer(
            account_id="shop", quiz_id=QUIZ, answer_id=f"old-{day}", payload={"quizID": QUIZ}, digest="",
            created_at=timezone.now() - timedelta(days=day),
        )
        for day in range(1, 6)
    )  # fmt: skip
    url = f"/rules/{QUIZ}/backfill"

    def ask(**body: Any) -> Any:
        return quiz.api.post(url, body, content_type="application/json")

    def ago(days: float) -> str:
        return (timezone.now() - timedelta(days=days)).isoformat()

    for body, field in [({}, "from"), ({"from": "yesterday"}, "from"), ({"from": ago(1), "to": "x"}, "to")]:
        reply = ask(**body)
        assert (reply.status_code, reply.json()["error"]["field"]) == (400, field)
    assert quiz.api.post(url, "[]", content_type="application/json").status_code == 400
    assert ask(**{"from": ago(3.5), "to": ago(1.5), "dryRun": True}).json()["answers"] == 2

    monkeypatch.setattr("rules.planning.MOST_BACKFILLED", 2)
    monkeypatch.setattr("rules.views.rule_life.MOST_BACKFILLED", 2)
    first = ask(**{"from": ago(30)}).json()
    assert (first["answers"], first["deliveries"], first["more"]) == (5, 2, True)
    assert set(Delivery.objects.values_list("answer__answer_id", flat=True)) == {"old-1", "old-2"}
    assert [ask(**{"from": ago(30)}).json()["more"] for _ in range(2)] == [True, False]
    assert Delivery.objects.count() == 5


def test_without_any_crm_the_answer_says_so(caller, db):
    body = {"quizID": QUIZ, "answerID": "k"}
    reply = caller("nobody").post("/answers", body, content_type="application/json")
    assert reply.status_code == 202
    assert "No CRM is connected" in reply.json()["message"]


def test_many_deliveries_are_moved_in_portions_and_locked_ones_are_left(quiz, monkeypatch):
    monkeypatch.setattr(outbox, "AT_ONCE", 2)
    for _ in range(5):
        quiz.post()
    states.pause(quiz.account, "")
    sweep.review()
    assert set(Delivery.objects.values_list("held_because", flat=True)) == {"paused"}
    states.resume(quiz.account)
    sweep.review()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"waiting"}


def test_a_lead_that_was_held_for_long_has_its_retry_plan_anew(quiz, amo, later):
    """It failed once, waited for its rule for longer than anything is retried, and the CRM is busy again."""
    quiz.post()
    amo.faults.add("/api/v4/leads", status=429)
    quiz.work()
    assert quiz.delivery.first_failed_at
    Delivery.objects.update(state="held", held_because="fix_rule")
    later(days=11)
    quiz.change_rule(**quiz.place())
    amo.faults.add("/api/v4/leads", status=429)
    quiz.work()
    assert (quiz.delivery.state, quiz.delivery.held_because) == ("waiting", "")


@pytest.mark.parametrize("back", ["resumed", "tried again"])
def test_what_may_have_arrived_a_moment_ago_is_not_looked_for_too_soon(quiz, amo, later, back):
    """The CRM may be at work on it still, and a search finds what is new a minute late."""
    amo.faults.add("/leads/complex", "reset_after")
    quiz.post()
    worker.drain(quiz.account.pk)
    if back == "resumed":
        states.pause(quiz.account, "")
        sweep.review()
        states.resume(quiz.account)
        sweep.review()
    else:
        assert quiz.api.post(f"/deliveries/{quiz.delivery.pk}/retry").status_code == 202
    assert (quiz.delivery.state, sweep.lanes_with_work()) == ("waiting", [])
    later(seconds=61)
    quiz.work()
    assert (quiz.delivery.state, len(quiz.leads)) == ("delivered", 1)
