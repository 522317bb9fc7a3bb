"""A person's data is given out and forgotten on request, by whoever has the platform's token."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from crm_cache.models import KnownContact
from rules import people, retention
from rules.delivery import outbox, worker
from rules.models import (
    Answer,
    AnswerTraits,
    Attempt,
    DayConversion,
    Delivery,
    Erasure,
    FormerBody,
    Outcome,
)

ANNA = {"name": "Анна", "phone": "8 (999) 111-22-33", "email": "Anna@Example.ru"}
BORIS = {"name": "Борис", "phone": "+79995556677"}


@pytest.fixture
def platform(settings: Any) -> Any:
    def ask(path: str, scope: Any = "people platform", **body: Any) -> Any:
        claims = {"exp": time.time() + 1000, "scope": scope}
        token = jwt.encode(claims, settings.JWT_KEY, algorithm="HS256")
        client = Client(headers={"Authorization": f"Bearer {token}"})
        return client.post(f"/people/{path}", body, content_type="application/json")

    return ask


def everything() -> str:
    """All that is stored of people, as text."""
    tables = (
        Answer, AnswerTraits, DayConversion, FormerBody, Delivery, Attempt, Outcome, KnownContact, Erasure,
    )  # fmt: skip
    return " ".join(repr(row) for table in tables for row in table.objects.values())


def test_a_person_is_forgotten_and_nobody_else(quiz, platform):
    quiz.post("a", contact=ANNA)
    quiz.post("b", contact=BORIS)
    quiz.work()
    annas = Outcome.objects.filter(delivery__answer__answer_id="a")
    annas.update(contact={"name": "Анна"}, details={"note": "79991112233"})
    assert "9991112233" in everything()

    told = platform("erase", phone="+7 999 111 22 33")

    assert (told.status_code, told.json()["done"], told.json()["answers"]) == (200, True, 1)
    assert told.json()["erased"] == list(people.ERASED)
    assert told.json()["kept"] == list(people.KEPT)
    left = everything()
    assert not [word for word in ("9991112233", "(999)", "anna@", "Anna@") if word in left]
    assert "9995556677" in left
    answer = Answer.objects.get(answer_id="a")
    assert (answer.payload, bool(answer.digest)) == ({}, True)
    row = Delivery.objects.get(answer=answer)
    assert (row.state, row.remote_id) == ("delivered", str(quiz.leads[0]["id"]))
    assert quiz.post("a", contact=ANNA).status_code == 200  # a late repeat is known, and stores nothing
    assert Answer.objects.get(answer_id="a").payload == {}


def test_what_waits_is_sent_no_more_and_nobody_can_try_it_again(quiz, platform):
    quiz.post(contact=ANNA)
    assert platform("erase", email="anna@example.ru").status_code == 200
    quiz.work()
    assert (quiz.delivery.state, quiz.delivery.held_because) == ("held", "erased")
    assert quiz.api.post(f"/deliveries/{quiz.delivery.pk}/retry").status_code == 409
    assert quiz.leads == []


def test_what_is_being_sent_is_finished_first(quiz, platform):
    quiz.post(contact=ANNA)
    quiz.post("second", contact=ANNA)
    [claimed] = outbox.claim(quiz.account.pk, 1)

    told = platform("erase", phone=ANNA["phone"]).json()
    assert (told["done"], told["answers"], told["inFlight"]) == (False, 1, 1)
    assert Delivery.objects.get(pk=claimed).answer.payload["contact"] == ANNA
    assert platform("erase", phone=ANNA["phone"]).json()["id"] == told["id"]

    outbox.free_stale(quiz.account.pk, can_look=False, send_again=False)
    people.erase_due()
    assert "9991112233" not in everything()
    assert Erasure.objects.get().done_at


def test_a_lead_that_was_made_meanwhile_is_forgotten_too(quiz, platform, monkeypatch):
    quiz.post(contact=ANNA)
    draft = worker.Drain._draft

    def while_sending(self: Any, claimed: Any) -> Any:
        assert platform("erase", phone=ANNA["phone"]).status_code == 202
        return draft(self, claimed)

    monkeypatch.setattr(worker.Drain, "_draft", while_sending)
    worker.drain(quiz.account.pk)
    assert len(quiz.leads) == 1
    people.erase_due()
    assert (quiz.delivery.state, "9991112233" in everything()) == ("delivered", False)


def test_an_answer_without_a_rule_is_found_too_and_others_accounts_are_left(shop, platform):
    shop.post(contact=ANNA)
    assert platform("erase", phone=ANNA["phone"], accountID="rival").json()["answers"] == 0
    assert platform("erase", phone=ANNA["phone"], accountID="shop").json()["answers"] == 1


def test_all_that_is_kept_is_given_out(quiz, platform):
    quiz.post("a", contact=ANNA, complete=False)
    quiz.post("a", contact={**ANNA, "name": "Анна Б"})
    quiz.post("b", contact=BORIS)
    quiz.work()
    told = platform("export", email="anna@example.ru").json()
    [answer] = told["answers"]
    assert (answer["answerID"], answer["body"]["contact"]["name"]) == ("a", "Анна Б")
    assert answer["formerBodies"][0]["contact"] == ANNA
    assert answer["deliveries"][0]["leadID"] == str(quiz.leads[0]["id"])
    assert platform("export", answerID="b").json()["answers"][0]["body"]["contact"] == BORIS
    assert platform("export", phone="+79990000000").json() == {"answers": [], "more": False}


@pytest.mark.parametrize("path", ["erase", "export"])
@pytest.mark.parametrize("scope", ["", "people", ["events"], None, 5])
def test_only_the_platform_may(path, scope, platform, db):
    assert platform(path, scope=scope, phone=ANNA["phone"]).status_code == 403


def test_a_quiz_accounts_own_token_may_not(quiz):
    reply = quiz.api.post("/people/erase", {"phone": "+79991112233"}, content_type="application/json")
    assert reply.status_code == 403
    assert Client().post("/people/erase", {}, content_type="application/json").status_code == 401


@pytest.mark.parametrize("body", [{}, {"phone": "hello"}, {"email": "x"}, {"phone": ""}, {"phone": 5}])
def test_nobody_in_particular_is_refused(body, platform, db):
    assert platform("erase", **body).status_code == 400
    assert not Erasure.objects.exists()


def test_the_command_says_what_stays(quiz, capsys):
    quiz.post(contact=ANNA)
    call_command("erase_person", phone=ANNA["phone"])
    told = capsys.readouterr().out
    assert "Answers erased: 1" in told
    assert people.KEPT[0] in told
    with pytest.raises(CommandError, match="no phone"):
        call_command("erase_person", phone="nobody")


def test_purging_goes_on_until_nothing_is_left(quiz, later, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    kept = [quiz.post(f"held-{n}", contact=BORIS).json()["deliveries"][0]["id"] for n in range(3)]
    Delivery.objects.filter(pk__in=kept).update(state="held", held_because="refused")
    for number in range(7):
        quiz.post(f"sent-{number}")
    quiz.work()
    Delivery.objects.update(losses=[{"question": "?", "value": "+79991112233"}])
    Outcome.objects.update(details={"goods": "+79991112233"})
    later(days=91)
    retention.purge()
    assert set(Answer.objects.filter(purged_at=None).values_list("answer_id", flat=True)) == {
        "held-0", "held-1", "held-2",
    }  # fmt: skip
    assert Attempt.objects.count() == 0
    purged = Delivery.objects.exclude(pk__in=kept)
    assert not purged.exclude(losses=[]).exists()
    assert not Outcome.objects.filter(delivery__in=purged).exclude(details={}).exists()
