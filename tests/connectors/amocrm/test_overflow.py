"""What does not fit into one creation: long quizzes, incoming leads, customers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.draft import FieldValue, Placement, Receipt, Tag, Target
from tests.connectors.amocrm.shop import connect
from tests.connectors.cast import again


def problem_codes(receipt: Receipt) -> list[str]:
    return [problem.code for problem in receipt.problems]


@pytest.fixture
def long_quiz(amo, options, sign_in):
    found = connect(amo, amo.add_account("long", extra_fields=60), options, sign_in)
    found.prepare()
    return found


def test_more_than_forty_values_arrive_all_the_same(long_quiz, draft, journal):
    values = tuple(long_quiz.value(f"Вопрос {n}", f"ответ {n}") for n in range(1, 61))
    (receipt,) = long_quiz.connector.deliver([draft(values=values, utm={"utm_source": "ads"})], journal)
    fields = long_quiz.leads[0]["fields"]
    assert [fields[f"Вопрос {n}"] for n in range(1, 61)] == [f"ответ {n}" for n in range(1, 61)]
    assert fields["utm_source"] == "ads"
    assert (receipt.losses, receipt.problems) == ((), ())


def test_a_value_of_the_overflow_that_is_refused_costs_only_itself(long_quiz, draft, journal):
    values = tuple(long_quiz.value(f"Вопрос {n}", f"ответ {n}") for n in range(1, 61))
    long_quiz.account.fields["leads"].remove(int(values[50].target.remote_id))
    receipt, other = long_quiz.connector.deliver([draft(values=values), draft(values=values[:45])], journal)
    assert [loss.question for loss in receipt.losses] == ["Вопрос 51?"]
    assert long_quiz.leads[0]["fields"]["Вопрос 60"] == "ответ 60"
    assert other.losses == ()


def test_an_incoming_step_makes_an_incoming_lead(shop, draft, deliver):
    pipeline, step = shop.step("Квизы", "Неразобранное")
    (receipt,) = deliver(draft(placement=Placement(shop.user("Игорь"), pipeline, step, "incoming")))
    (lead,) = shop.leads
    assert (lead["pipeline"], lead["step"]) == ("Квизы", "Неразобранное")
    assert lead["incoming"]
    assert lead["notes"]
    assert "status_id" not in shop.sent()[0][0]
    assert receipt.problems == ()


def test_an_incoming_lead_is_not_touched_again(long_quiz, draft, journal):
    pipeline, step = long_quiz.step("Квизы", "Неразобранное")
    values = tuple(long_quiz.value(f"Вопрос {n}", "x") for n in range(1, 46))
    answer = draft(placement=Placement("", pipeline, step, "incoming"), values=values)
    (receipt,) = long_quiz.connector.deliver([answer], journal)
    assert long_quiz.leads[0]["step"] == "Неразобранное"
    assert len(receipt.losses) == 6
    assert "Вопрос 45?: x" in long_quiz.leads[0]["notes"][0]


def test_duplicate_control_may_answer_with_an_older_lead(shop, draft, deliver):
    shop.account.dup_control.enabled = True
    first, second = draft(), draft()
    (one,) = deliver(first)
    (two,) = deliver(replace(second, person=first.person))
    assert one.journal["lead"] == two.journal["lead"]
    assert len(shop.leads) == 1
    assert len(shop.leads[0]["notes"]) == 2


# -- customers -------------------------------------------------------------------------------------


def test_a_customer_is_made_and_linked_to_the_contact(shop, draft, deliver):
    answer = draft(
        values=(shop.value("Город", "Казань", "customers"),), tags=(Tag("customers", "постоянный"),)
    )
    (receipt,) = deliver(answer)
    customer = shop.account.customers[int(receipt.journal["customer"])]
    assert customer["name"] == answer.person.name
    assert shop.leads[0]["customers"] == [customer.id]
    assert receipt.journal["customer_link"] == receipt.journal["contact"]


def test_nothing_for_customers_makes_no_customer(shop, draft, deliver):
    deliver(draft())
    assert len(shop.account.customers) == 0


def test_a_returning_customer_is_not_doubled(shop, draft, deliver):
    value = (shop.value("Город", "Казань", "customers"),)
    first = draft(values=value)
    (one,) = deliver(first)
    (two,) = deliver(draft(values=value, person=first.person))
    assert two.journal["customer"] == one.journal["customer"]
    assert len(shop.account.customers) == 1
    assert [loss.entity for loss in two.losses] == ["customers"]


def test_customers_that_are_switched_off_cost_their_values(shop, draft, deliver):
    shop.facts["customers_mode"] = "disabled"
    (receipt,) = deliver(draft(values=(shop.value("Город", "Казань", "customers"),)))
    assert [(loss.question, loss.entity) for loss in receipt.losses] == [("Город?", "customers")]
    assert "покупатели в этом аккаунте amoCRM отключены" in shop.leads[0]["notes"][0]


def test_customers_switched_off_since_do_not_hold_the_lead(shop, draft, deliver):
    value = shop.value("Город", "Казань", "customers")
    shop.account.customers_mode = "disabled"
    (receipt,) = deliver(draft(values=(value,)))
    assert problem_codes(receipt) == ["customer_refused"]
    assert [loss.entity for loss in receipt.losses] == ["customers"]


def test_customers_that_may_not_be_seen_cost_no_lead(shop, amo, draft, deliver, journal):
    """Whether a lost answer made one nobody can tell: no other is made."""
    answer = draft(values=(shop.value("Город", "Казань", "customers"),))
    amo.faults.add("/customers$", "reset_after", method="POST")
    deliver(answer)
    amo.faults.add("/customers$", method="GET", status=403, body='{"title": "Forbidden"}')
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert isinstance(receipt, Receipt), receipt
    assert (problem_codes(receipt), len(shop.account.customers)) == (["customer_refused"], 1)


def test_the_mode_of_periodic_purchases_wants_a_date(shop, draft, deliver):
    shop.account.customers_mode = shop.facts["customers_mode"] = "periodicity"
    (receipt,) = deliver(draft(values=(shop.value("Город", "Казань", "customers"),)))
    assert receipt.problems == ()
    assert len(shop.account.customers) == 1


def test_a_customer_field_that_is_gone_costs_its_answer(shop, draft, deliver):
    gone = FieldValue(Target("customers", "90001", "Gone", "text"), "Gone?", "x")
    (receipt,) = deliver(draft(values=(gone, shop.value("Город", "Казань", "customers"))))
    assert [loss.question for loss in receipt.losses] == ["Gone?"]
    assert len(shop.account.customers) == 1


# -- long notes -------------------------------------------------------------------------------------------

LONG = "\n".join(f"Вопрос {number}: {'да' * 50}" for number in range(1200))  # three notes


def assert_whole(shop):
    (lead,) = shop.leads
    assert len(lead["notes"]) == 3
    assert all(line in "\n".join(lead["notes"]) for line in LONG.splitlines())


def test_a_long_note_goes_on_in_further_ones(shop, draft, deliver):
    (receipt,) = deliver(draft(note=LONG))
    assert {"note", "note/2", "note/3"} <= receipt.journal.keys()
    assert_whole(shop)


def test_long_notes_of_a_batch_share_their_requests(shop, draft, deliver):
    deliver(draft(note=LONG), draft(), draft(note=LONG))
    assert [len(lead["notes"]) for lead in shop.leads] == [3, 1, 3]
    assert [len(body) for body in shop.sent("POST /api/v4/leads/notes")] == [3, 2, 2]


@pytest.mark.parametrize("action", ["reset", "reset_after"])
@pytest.mark.parametrize("after", [0, 1])
def test_a_note_among_several_is_never_made_twice(shop, amo, draft, deliver, journal, action, after):
    answer = draft(note=LONG)
    amo.faults.add("/leads/notes$", action, after=after)
    (lost,) = deliver(answer)
    assert lost.next_step == "look_first"
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert isinstance(receipt, Receipt)
    assert_whole(shop)


def test_the_preview_has_all_notes(shop, draft):
    plan = shop.connector.plan(draft(note=LONG))
    assert sum(request.url.endswith("/leads/notes") for request in plan.requests) == 3
