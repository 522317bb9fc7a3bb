"""What is special about open leads in Envybox: they become deals, and deals take tags."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.draft import Person, Receipt, Repeated, Tag, Task, WriteMode
from connectors.envybox.records import LONGEST_COMMENT
from connectors.repeated import JOINED
from tests.connectors.cast import Notebook, again
from tests.connectors.envybox.harness import NO

NOTE = Repeated("note", datetime.now(UTC) - timedelta(days=30))
ANNA = Person("Анна", ("+79990001122",), ("anna@example.ru",))


@pytest.fixture
def deliver(florist, journal):
    return lambda *drafts: florist.connector.deliver(drafts, journal)


def test_a_deal_in_work_is_joined_with_its_tags(florist, draft, deliver):
    (made,) = deliver(draft(person=ANNA, placement=florist.place(), tags=(Tag("deal", "старый"),)))
    tags = (Tag("deal", "квиз"),)
    (receipt,) = deliver(draft(person=ANNA, placement=florist.place(), tags=tags, repeated=NOTE))
    assert (receipt.journal[JOINED], receipt.journal["lead"]) == (made.journal["deal"], made.journal["lead"])
    [lead] = florist.leads
    assert (lead["tags"], len(florist.deals())) == (["старый", "квиз"], 1)


def test_a_deal_that_people_made_is_joined(florist, draft, deliver):
    """It never was a lead: the delivery leads to the deal itself."""
    (made,) = deliver(draft(person=ANNA, placement=florist.place()))
    deal = florist.crm.deals[int(made.journal["deal"])]
    deal.leads.clear()
    (receipt,) = deliver(draft(person=ANNA, placement=florist.place(), repeated=NOTE))
    assert (receipt.journal[JOINED], receipt.journal.get("lead")) == (str(deal.id), None)
    assert receipt.link.endswith(f"deals/{deal.id}")


def test_of_two_deals_the_open_one_is_joined(florist, draft, deliver):
    (closed,) = deliver(draft(person=ANNA, placement=florist.place()))
    florist.end(closed.journal["lead"], "lost")
    assert JOINED not in deliver(draft(person=ANNA, placement=florist.place(), repeated=NOTE))[0].journal
    (third,) = deliver(draft(person=ANNA, placement=florist.place(), repeated=NOTE))
    assert third.journal[JOINED] != closed.journal["deal"]


def test_a_deal_of_another_pipeline_is_not_joined(florist, draft, deliver):
    place = florist.place()
    deliver(draft(person=ANNA, placement=place))
    elsewhere = replace(NOTE, pipeline="999")
    assert JOINED not in deliver(draft(person=ANNA, placement=place, repeated=elsewhere))[0].journal
    here = replace(NOTE, pipeline=place.pipeline)
    assert JOINED in deliver(draft(person=ANNA, placement=place, repeated=here))[0].journal


@pytest.mark.parametrize("action", ["reset", "reset_after"])
def test_a_lead_taken_into_work_meanwhile_gets_the_comment_once(florist, draft, deliver, action):
    """The comment's reply is lost, then somebody takes the lead."""
    (made,) = deliver(draft(person=ANNA))
    answer, notebook = draft(person=ANNA, note="Площадь: двести", repeated=NOTE), Notebook()
    florist.box.faults.add("lead/log/create", action)
    florist.connector.deliver([answer], notebook)
    florist.take(made.journal["lead"])
    (receipt,) = florist.connector.deliver([again(answer, notebook, look_first=True)], notebook)
    assert receipt.journal[JOINED] == made.journal["lead"]
    assert str(florist.leads[0]["notes"]).count("Площадь: двести") == 1


def test_the_client_of_a_joined_deal_is_written_as_the_rule_says(florist, draft, deliver):
    deliver(draft(person=Person("Анна", ("+79990001122",)), placement=florist.place()))
    modes = {"contact": WriteMode(append=True)}
    deliver(draft(person=ANNA, placement=florist.place(), repeated=NOTE, existing=modes))
    [client] = florist.crm.clients.values()
    assert "anna@example.ru" in str(client)


@pytest.mark.parametrize("path", ["lead/search", "deal/search", "deal/get/"])
def test_what_may_not_be_seen_gives_way_to_a_new_lead(florist, envy, draft, deliver, path):
    deliver(draft(person=ANNA, placement=florist.place()))
    envy.faults.add(path, body=NO)
    (receipt,) = deliver(draft(person=ANNA, placement=florist.place(), repeated=NOTE))
    assert isinstance(receipt, Receipt), receipt
    assert [problem.code for problem in receipt.problems] == ["open_leads_unseen"]
    assert (JOINED in receipt.journal, len(florist.leads)) == (False, 2)


def test_a_chosen_deal_that_may_not_be_seen_any_more_gives_way_to_a_new_lead(florist, envy, draft, deliver):
    (made,) = deliver(draft(person=ANNA, placement=florist.place()))
    chosen = {"lead": made.journal["lead"], "deal": made.journal["deal"], JOINED: made.journal["deal"]}
    answer = draft(person=ANNA, placement=florist.place(), repeated=NOTE, journal=chosen, look_first=True)
    envy.faults.add("deal/log/list", body=NO)
    (receipt,) = deliver(answer)
    assert isinstance(receipt, Receipt), receipt
    assert (JOINED in receipt.journal, len(florist.leads)) == (False, 2)


def test_a_further_comment_that_is_refused_costs_no_task(florist, envy, draft, deliver):
    deliver(draft(person=ANNA, placement=florist.place()))
    envy.faults.add("deal/createComment", body=NO, after=1, times=None)
    task = Task("Перезвонить", datetime.now(UTC) + timedelta(hours=1))
    note = "\n".join(f"Вопрос {number}: да" for number in range(LONGEST_COMMENT // 5))
    answer = draft(person=ANNA, placement=florist.place(), note=note, task=task)
    (receipt,) = deliver(replace(answer, repeated=replace(NOTE, task=True)))
    assert (JOINED in receipt.journal, len(florist.crm.tasks)) == (True, 1)
    assert [problem.code for problem in receipt.problems] == ["note_refused"]


def test_a_later_body_writes_the_client_of_a_joined_deal_as_the_rule_says(florist, draft, journal):
    florist.connector.deliver([draft(person=ANNA, placement=florist.place())], journal)
    modes = {"contact": WriteMode(append=True)}
    answer = draft(person=ANNA, placement=florist.place(), repeated=NOTE, existing=modes)
    florist.connector.deliver([answer], journal)
    person = replace(ANNA, emails=("anna.k@example.ru",))
    later = replace(again(answer, journal), person=person, formers=(answer,), revision=2)
    florist.connector.deliver([later], journal)
    [client] = florist.crm.clients.values()
    assert "anna.k@example.ru" in str(client)
