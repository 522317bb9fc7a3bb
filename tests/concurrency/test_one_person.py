"""Two quiz accounts on one account of a CRM, and somebody who answers both quizzes at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import connection

from accounts.models import Account
from connectors.amocrm import delivery as amo_delivery
from crm_cache import directory, walks
from crm_cache.models import ContactDirectory
from crm_cache.refresh import run_waiting
from crm_cache.runs import ask_for
from rules import provisioning
from rules.delivery import worker
from rules.models import Attempt, Delivery
from tests.stories.conftest import QUIZ

pytestmark = pytest.mark.django_db(transaction=True)
ANNA = {"name": "Анна", "phone": "+79991112233"}


@pytest.fixture
def branch(quiz, connect, caller):
    """Another quiz account, connected to the shop's amoCRM, with a rule for its own quiz."""
    assert connect(quiz.crm, "branch").json() == "Success"
    account = Account.objects.get(account_id="branch")
    ask_for(account)
    run_waiting(account.pk)
    api = caller("branch")
    assert api.post(f"/rules/{QUIZ}", quiz.place(), content_type="application/json").status_code == 200
    provisioning.prepare_due()
    return api


@pytest.fixture(autouse=True)
def meeting(monkeypatch):
    """Whoever has looked a person up in amoCRM waits a moment for another lane that has looked, too."""
    both = Barrier(2)

    def looked(*args, **options):
        found = look(*args, **options)
        with suppress(BrokenBarrierError):
            both.wait(timeout=0.5)
        return found

    look = amo_delivery.find_contact
    monkeypatch.setattr(amo_delivery, "find_contact", looked)


def drain(account_id: int) -> int:
    try:
        return worker.drain(account_id)
    finally:
        connection.close()


def test_somebody_who_answers_two_quizzes_at_once_is_one_contact(quiz, branch, later):
    quiz.post(contact=ANNA)
    body = {"quizID": QUIZ, "answerID": "b-1", "contact": ANNA}
    assert branch.post("/answers", body, content_type="application/json").status_code == 202

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(drain, Account.objects.values_list("pk", flat=True)))
    later(seconds=6)
    quiz.work()

    assert set(Delivery.objects.values_list("state", "attempts_made")) == {("delivered", 1)}
    assert Attempt.objects.count() == 2
    assert len({lead["contact"]["id"] for lead in quiz.leads}) == 1


def test_somebody_who_is_in_no_directory_is_one_contact(quiz, branch, later):
    """Both lanes know at the same moment that nobody has this phone yet."""
    directory.begin(quiz.account)
    walks.read(quiz.account.pk)
    assert ContactDirectory.objects.get().complete
    quiz.post(contact=ANNA)
    body = {"quizID": QUIZ, "answerID": "b-1", "contact": ANNA}
    branch.post("/answers", body, content_type="application/json")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(drain, Account.objects.values_list("pk", flat=True)))
    later(seconds=6)
    quiz.work()

    assert set(Delivery.objects.values_list("state", "attempts_made")) == {("delivered", 1)}
    assert len({lead["contact"]["id"] for lead in quiz.leads}) == 1
    searched = [one for one in quiz.amo.journal.find("GET", "/contacts$") if one.request.params.get("query")]
    assert searched == []


def test_a_lost_answer_keeps_the_person_from_the_other_lane(quiz, branch, later):
    """The contact may have been made and not be found yet."""
    quiz.amo.faults.add("/leads/complex", "reset_after")
    quiz.post(contact=ANNA)
    shop, other = (Account.objects.get(account_id=name).pk for name in ("shop", "branch"))
    drain(shop)
    body = {"quizID": QUIZ, "answerID": "b-1", "contact": ANNA}
    branch.post("/answers", body, content_type="application/json")

    assert drain(other) == 0
    later(minutes=2)
    quiz.work()
    later(seconds=10)
    quiz.work()

    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert len({lead["contact"]["id"] for lead in quiz.leads}) == 1


def test_a_lost_answer_keeps_the_person_from_the_other_lane_though_its_account_left(quiz, branch, later):
    quiz.amo.switches["index_delay"] = 60
    quiz.amo.faults.add("/leads/complex", "reset_after")
    quiz.post(contact=ANNA)
    drain(quiz.account.pk)
    quiz.api.delete("/account")
    body = {"quizID": QUIZ, "answerID": "b-1", "contact": ANNA}
    branch.post("/answers", body, content_type="application/json")

    other = Account.objects.get(account_id="branch").pk
    assert drain(other) == 0
    later(minutes=6)
    assert drain(other) == 1
    assert len({lead["contact"]["id"] for lead in quiz.leads}) == 1
