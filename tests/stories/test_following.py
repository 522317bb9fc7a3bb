"""What became of a lead, whatever its CRM: when we look, and what is written down."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from accounts.models import Account
from accounts.worker_threads import worker
from connectors.errors import NeedsReconnect, Refused, TryLater
from connectors.lead_status import Payment
from crm_cache.models import CrmUser
from rules import retention
from rules.delivery import concurrency
from rules.models import Answer, Delivery, Outcome
from rules.outcomes import following
from tests.stories.followed import lead_of, look, shown, standing


def test_a_delivered_lead_is_followed_from_then_on(delivered):
    outcome = shown(delivered)
    assert (outcome["status"], outcome["recordID"]) == ("open", lead_of(delivered))
    assert outcome["seenAt"] is None
    assert outcome["nextLookAt"] is not None


def test_what_is_not_delivered_has_no_outcome(quiz):
    quiz.post()
    assert shown(quiz) is None
    assert not Outcome.objects.exists()


def test_a_look_tells_the_step_the_person_and_the_money(delivered, crm, later):
    place = delivered.place("Квизы", "Дозвон")
    paid = (Payment(Decimal("500.00"), "1"), Payment(Decimal("-100"), "2"))
    performer = CrmUser.objects.first()
    crm.says[lead_of(delivered)] = standing(
        lead_of(delivered),
        pipeline=str(place["PipelineID"]),
        step=str(place["StepID"]),
        performer=performer.remote_id,
        amount=Decimal("1500.5"),
        currency="RUB",
        payments=paid,
        contact={"id": "7", "name": "Анна"},
    )
    later(hours=2)
    assert look(delivered) == 1

    outcome = shown(delivered)
    assert outcome["step"] == {"id": str(place["StepID"]), "name": "Дозвон"}
    assert outcome["pipeline"]["name"] == "Квизы"
    assert outcome["performer"]["name"] == performer.name
    assert (outcome["amount"], outcome["currency"], outcome["paid"]) == ("1500.50", "RUB", "400.00")
    assert outcome["contact"]["name"] == "Анна"
    assert outcome["seenAt"] is not None


def test_a_crm_without_won_and_lost_is_judged_by_its_steps(delivered, crm, later):
    won = next(p for p in delivered.crm.pipelines.values() if p.name == "Квизы")
    crm.says[lead_of(delivered)] = standing(lead_of(delivered), pipeline=str(won.id), step="142")
    later(hours=2)
    look(delivered)
    assert shown(delivered)["status"] == "won"
    assert shown(delivered)["closedAt"] is not None


def test_a_lead_that_is_opened_again_is_open_again(delivered, crm, later):
    crm.says[lead_of(delivered)] = standing(lead_of(delivered), status="lost")
    later(hours=2)
    look(delivered)
    assert shown(delivered)["status"] == "lost"

    crm.says[lead_of(delivered)] = standing(lead_of(delivered), status="open")
    later(days=8)
    look(delivered)
    assert (shown(delivered)["status"], shown(delivered)["closedAt"]) == ("open", None)


def test_nobody_looks_before_it_is_time(delivered, crm, later):
    assert look(delivered) == 0
    later(hours=2)
    assert look(delivered) == 1
    assert look(delivered) == 0
    assert len(crm.asked) == 1


def test_leads_are_asked_about_in_batches(quiz, crm, later):
    for _ in range(5):
        quiz.post()
    quiz.work()
    later(hours=2)
    assert look(quiz) == 5
    assert sorted(map(len, crm.asked)) == [1, 2, 2]


def test_deliveries_go_first(delivered, crm, later):
    later(hours=2)
    delivered.post()
    assert look(delivered) == 0
    delivered.work()
    assert look(delivered) == 1


def test_a_silent_crm_is_asked_again_later_and_says_why(delivered, crm, later):
    crm.says[lead_of(delivered)] = TryLater("The CRM does not answer", account_wide=True)
    later(hours=2)
    look(delivered)
    assert shown(delivered)["error"] == "The CRM does not answer"
    assert look(delivered) == 0

    crm.says[lead_of(delivered)] = standing(lead_of(delivered), status="won")
    later(minutes=11)
    look(delivered)
    assert (shown(delivered)["status"], shown(delivered)["error"]) == ("won", "")


def test_one_bad_lead_never_holds_back_the_others(quiz, crm, later):
    quiz.post()
    quiz.post()
    quiz.work()
    first, second = Delivery.objects.order_by("pk").values_list("remote_id", flat=True)
    crm.says = {first: Refused("No right to see it"), second: standing(second, status="won")}
    later(hours=2)
    assert look(quiz) == 2
    by_lead = {row.record_id: row for row in Outcome.objects.all()}
    assert by_lead[first].error == "No right to see it"
    assert by_lead[second].status == "won"


def test_refused_credentials_park_the_account(delivered, crm, later):
    crm.says[lead_of(delivered)] = NeedsReconnect("The CRM does not know us any more")
    later(hours=2)
    look(delivered)
    assert delivered.account.state == Account.State.NEEDS_RECONNECT
    later(days=1)
    assert look(delivered) == 0


def test_a_bug_in_a_connector_costs_no_more_than_a_pause(delivered, crm, later):
    crm.while_asked = lambda: 1 / 0
    later(hours=2)
    look(delivered)
    assert "ZeroDivisionError" in shown(delivered)["error"]


def test_the_list_is_narrowed_and_counted(quiz, crm, later):
    for _ in range(3):
        quiz.post()
    quiz.work()
    leads = list(Delivery.objects.order_by("pk").values_list("remote_id", flat=True))
    crm.says = {
        leads[0]: standing(leads[0], status="won"),
        leads[1]: standing(leads[1], status="lost"),
        leads[2]: standing(leads[2]),
    }
    later(hours=2)
    look(quiz)

    won = quiz.api.get("/outcomes?quizID=42&status=won").json()
    assert won["counts"] == {"open": 1, "won": 1, "lost": 1}
    assert [item["recordID"] for item in won["items"]] == [leads[0]]
    assert quiz.api.get("/outcomes?quizID=43").json()["count"] == 0
    assert quiz.api.get("/outcomes?crm=amocrm&size=2").json()["count"] == 3
    assert quiz.api.get("/outcomes?status=gone").json()["error"]["field"] == "status"


def test_other_quiz_accounts_see_nothing_of_it(delivered, caller):
    assert caller("rival").get("/outcomes").json()["count"] == 0


def test_who_it_was_is_forgotten_with_the_answer(delivered, crm, later):
    crm.says[lead_of(delivered)] = standing(lead_of(delivered), status="won", contact={"name": "Анна"})
    later(hours=2)
    look(delivered)
    assert shown(delivered)["contact"] == {"name": "Анна"}

    later(days=91)
    retention.purge()
    assert Answer.objects.get().payload == {}
    assert delivered.delivery.contact_keys == []
    assert shown(delivered)["contact"] == {}
    look(delivered)
    assert (shown(delivered)["contact"], shown(delivered)["status"]) == ({}, "won")


def test_who_it_was_is_forgotten_by_a_look_under_way_too(delivered, crm, later):
    crm.says[lead_of(delivered)] = standing(lead_of(delivered), contact={"name": "Анна"})
    crm.while_asked = retention.purge
    later(days=91)
    assert look(delivered) == 1
    assert shown(delivered)["contact"] == {}


def test_of_a_lead_that_is_gone_the_last_we_saw_stays(delivered, crm, later):
    lead = lead_of(delivered)
    crm.says[lead] = standing(lead, status="won", amount=Decimal(700), step="142")
    later(hours=2)
    look(delivered)
    crm.says[lead] = standing(lead, gone="deleted")
    later(days=8)
    look(delivered)
    outcome = shown(delivered)
    assert (outcome["status"], outcome["gone"], outcome["amount"]) == ("won", "deleted", "700.00")
    assert outcome["closedAt"] is not None

    crm.says[lead] = standing(lead, status="open", amount=Decimal(700), step="142")
    later(days=8)
    look(delivered)
    assert (shown(delivered)["status"], shown(delivered)["gone"]) == ("open", "")


def test_looks_take_turns_so_that_threads_are_left_for_answers(delivered, crm, later):
    later(hours=2)
    with ExitStack() as others:
        for _ in range(worker.part()):
            assert others.enter_context(concurrency.looks.take())
        assert look(delivered) == 0
    assert look(delivered) == 1


def test_the_longest_waiting_account_has_the_next_turn(delivered, crm, later, queued):
    later(hours=2)
    waiting = Outcome.objects.get()
    for number, hours in ((2, 1), (3, 3), (4, 2)):
        add_account(waiting, f"shop{number}", hours)
    first, *_, last = following._due()
    assert (Account.objects.get(pk=first).account_id, last) == ("shop3", waiting.account_id)

    queued.clear()
    assert following.follow(waiting.account_id) == 1
    assert queued == [("rules.tasks.follow", [first])]


def add_account(like: Outcome, owner: str, hours: int) -> None:
    """Another account with a lead whose look is due that long."""
    account = Account.objects.create(account_id=owner, crm="amocrm", state="active", remote_id=owner)
    answer, delivery, rule = like.delivery.answer, like.delivery, like.delivery.rule
    answer.pk, answer.account_id = None, owner
    answer.save()
    rule.pk, rule.account = None, account
    rule.save()
    delivery.pk, delivery.uid, delivery.owner = None, f"qz{owner}", owner
    delivery.answer, delivery.rule, delivery.account = answer, rule, account
    delivery.save()
    due = like.next_look_at - timedelta(hours=hours)
    Outcome.objects.create(delivery=delivery, account=account, owner=owner, quiz_id=42, next_look_at=due)


def test_a_lead_that_alone_cannot_be_read_is_asked_about_less_and_less_and_not_for_ever(
    delivered, crm, later, settings
):
    crm.says[lead_of(delivered)] = TryLater("A riddle")
    later(hours=2)
    look(delivered)
    later(minutes=11)
    assert look(delivered) == 1
    later(minutes=11)
    assert look(delivered) == 0
    later(minutes=11)
    assert look(delivered) == 1

    later(days=settings.FOLLOW_DAYS)
    look(delivered)
    assert (shown(delivered)["error"], shown(delivered)["nextLookAt"]) == ("A riddle", None)


def test_what_one_lead_says_of_itself_costs_no_other_one(quiz, crm, later):
    quiz.post()
    quiz.post()
    quiz.work()
    first, second = Delivery.objects.order_by("pk").values_list("remote_id", flat=True)
    endless = Payment(Decimal("9e999999"))
    crm.says = {
        first: standing(first, payments=(endless, endless)),
        second: standing(second, status="won"),
    }
    later(hours=2)
    assert look(quiz) == 2
    by_lead = {row.record_id: row for row in Outcome.objects.all()}
    assert "Overflow" in by_lead[first].error
    assert by_lead[second].status == "won"


@pytest.mark.parametrize(
    "never",
    [
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=3))),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-3))),
    ],
)
def test_a_moment_that_is_none_is_no_change(delivered, crm, later, never):
    crm.says[lead_of(delivered)] = standing(lead_of(delivered), status="lost", changed_at=never)
    later(hours=2)
    look(delivered)
    assert shown(delivered)["changedAt"] == shown(delivered)["closedAt"] == shown(delivered)["seenAt"]
