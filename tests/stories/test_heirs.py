"""Disconnected and connected anew: the same account of the same CRM goes on with what was left."""

from __future__ import annotations

from accounts.models import Account
from rules.models import Delivery, Outcome
from tests.stories.followed import lead_of, look, shown, standing


def test_leads_of_before_are_followed_again(delivered, crm, connect, later):
    lead = lead_of(delivered)
    delivered.api.delete("/account")
    connect(delivered.crm)
    delivered.work()
    crm.says[lead] = standing(lead, status="won")
    later(hours=2)
    assert look(delivered) == 1
    assert shown(delivered)["status"] == "won"
    assert Outcome.objects.get().account == delivered.account


def test_answers_that_waited_go_on_by_themselves(quiz, connect):
    quiz.amo.faults.add("/leads/complex", "answer", status=500, times=None)
    quiz.post()
    quiz.api.delete("/account")
    quiz.work()
    assert (quiz.delivery.state, quiz.delivery.held_because) == ("held", "disconnected")
    assert quiz.delivery.remedy == "Connect it again: what waits goes on by itself."

    quiz.amo.faults.clear()
    connect(quiz.crm)
    quiz.sync()
    quiz.work()
    assert (quiz.delivery.state, len(quiz.leads)) == ("delivered", 1)


def test_they_go_by_the_rule_that_the_owner_has_saved_since(quiz, connect):
    quiz.post()
    quiz.api.delete("/account")
    quiz.work()
    connect(quiz.crm)
    quiz.sync()
    assert quiz.save_rule(**quiz.place("Квизы", "Новая заявка")).status_code == 200
    quiz.work()
    assert quiz.delivery.rule == quiz.rule
    [lead] = quiz.leads
    assert lead["step"] == "Новая заявка"


def test_another_account_of_the_crm_inherits_nothing(quiz, amo, connect):
    quiz.post()
    quiz.api.delete("/account")
    connect(amo.add_account("bakery"))
    quiz.work()
    assert Account.objects.filter(deleted=False).get().deliveries.count() == 0
    assert quiz.delivery.state == Delivery.State.HELD
