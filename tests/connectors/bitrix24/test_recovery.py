"""Answers get lost in every phase, and nothing is ever there twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.bitrix24.recovery import search
from connectors.draft import Person, Placement, Receipt
from connectors.errors import Refused, TryLater, Unclear
from tests.connectors.cast import again

CONTACT, DEAL, FIND = r"/crm\.contact\.add", r"/crm\.deal\.add", r"/crm\.duplicate\.findbycomm"
LOST = ["timeout_after", "reset_after", "answer_after", "truncate"]
NOT_DONE = ["timeout", "reset", "answer"]


@pytest.fixture
def once(dentist, deliver, journal):
    """Deliver with one fault; what came of it. Then deliver again, looking first."""

    def run(answer, path, action, **options):
        dentist.box.faults.add(path, action, status=502, **options)
        (outcome,) = deliver(answer)
        (second,) = deliver(again(answer, journal, look_first=isinstance(outcome, Unclear)))
        return outcome, second

    return run


def counts(dentist) -> dict[str, int]:
    return {kind: len(dentist.portal.tables[kind]) for kind in ("deal", "lead", "contact", "company")}


@pytest.mark.parametrize("action", [*LOST, *NOT_DONE])
@pytest.mark.parametrize("path", [r"/crm\.company\.add", CONTACT, DEAL])
def test_a_lost_creation_is_unclear_and_then_whole(dentist, once, draft, path, action):
    lost, found = once(draft(company="Ромашка"), path, action)
    assert isinstance(lost, Unclear)
    assert isinstance(found, Receipt)
    assert counts(dentist) == {"deal": 1, "lead": 0, "contact": 1, "company": 1}
    assert found.adopted == (path == DEAL and action in LOST)


@pytest.mark.parametrize("action", [*LOST, *NOT_DONE])
def test_a_lost_look_up_did_no_work(dentist, once, draft, action):
    lost, found = once(draft(), FIND, action)
    assert isinstance(lost, TryLater)
    assert isinstance(found, Receipt)
    assert counts(dentist) == {"deal": 1, "lead": 0, "contact": 1, "company": 0}


def test_an_adopted_deal_brings_its_people(dentist, once, draft):
    _, found = once(draft(company="Ромашка"), DEAL, "reset_after")
    (deal,) = dentist.leads
    assert found.journal["contact"] == str(deal["contact"]["id"])
    assert found.journal["company"] == str(deal["company"]["id"])
    assert found.link.endswith(f"/crm/deal/details/{deal['id']}/")


@pytest.mark.parametrize("action", [*LOST, *NOT_DONE])
@pytest.mark.parametrize("phase", [1, 2, 3])
def test_a_batch_lost_in_any_phase_doubles_nobody(dentist, deliver, draft, journal, phase, action):
    answers = [draft() for _ in range(5)]
    dentist.box.faults.add("/batch", action, status=502, nth=phase)
    outcomes = deliver(*answers)
    assert {type(outcome) for outcome in outcomes} == {TryLater if phase == 1 else Unclear}
    second = deliver(*(again(answer, journal, look_first=phase > 1) for answer in answers))
    assert all(isinstance(outcome, Receipt) for outcome in second)
    assert counts(dentist) == {"deal": 5, "lead": 0, "contact": 5, "company": 0}
    pairs = {deal["origin"][1]: deal["contact"]["name"] for deal in dentist.leads}
    assert pairs == {answer.uid: answer.person.name for answer in answers}


def test_a_batch_cut_half_way_keeps_what_was_made(dentist, deliver, draft, journal):
    """The portal stops after two of four deals, and the answer speaks of these two alone."""
    answers = [draft() for _ in range(4)]
    dentist.box.faults.add("/batch", "truncate", nth=3)
    deliver(*answers)
    made = list(dentist.portal.tables["deal"].values())
    for deal in made[2:]:
        dentist.forget("deal", str(deal.id))
    second = deliver(*(again(answer, journal, look_first=True) for answer in answers))
    assert [outcome.adopted for outcome in second] == [True, True, False, False]
    assert {deal["origin"][1] for deal in dentist.leads} == {answer.uid for answer in answers}
    assert len(dentist.leads) == len(dentist.contacts) == 4


def test_one_look_up_serves_a_dozen(dentist, deliver, draft):
    dentist.box.journal.clear()
    answers = [draft(company="Ромашка", look_first=True) for _ in range(12)]
    deliver(*answers)
    assert dentist.methods() == ["batch"] * 5  # marks, people, companies, contacts, deals


def test_an_unknown_filter_would_not_fool_us(dentist, deliver, draft, monkeypatch):
    """A classic list drops a filter that it doesn't know, and then returns everything."""
    deliver(draft())
    monkeypatch.setattr(
        "connectors.bitrix24.recovery.search",
        lambda word, uid: replace(search(word, uid), params={"filter": {"=NO_SUCH": uid}}),
    )
    (receipt,) = deliver(draft(look_first=True))
    assert receipt.adopted is False
    assert len(dentist.leads) == 2


def fill_with_strangers(dentist, kind: str = "deal", count: int = 50) -> None:
    for number in range(count):
        fields = {"TITLE": f"Чужая {number}"}
        dentist.connector.http_client().call("POST", f"/crm.{kind}.add", json={"fields": fields})


def test_a_full_page_of_strangers_proves_nothing(dentist, deliver, draft, journal, monkeypatch):
    """The filter isn't heard, and ours is on a later page: it is looked for again, and not made again."""
    fill_with_strangers(dentist)
    answer = draft()
    dentist.box.faults.add(DEAL, "reset_after")
    deliver(answer)
    monkeypatch.setattr(
        "connectors.bitrix24.recovery.search",
        lambda word, uid, select=(): replace(search(word, uid), params={"filter": {"=NO_SUCH": uid}}),
    )
    (outcome,) = deliver(again(answer, journal, look_first=True))
    assert (type(outcome), outcome.code) == (TryLater, "look_incomplete")
    assert len(dentist.leads) == 51
    monkeypatch.undo()
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert receipt.adopted


def test_a_comment_of_ours_is_found_behind_a_page_of_others(dentist, deliver, draft, journal):
    """Robots write sixty comments between the lost answer and the next try."""
    answer = draft(note="\n".join(f"Вопрос {number}: {'да' * 50}" for number in range(400)))
    dentist.box.faults.add("/crm.timeline.comment.add", "reset_after")
    (lost,) = deliver(answer)
    assert isinstance(lost, Unclear)
    deal = journal.of(answer.uid)["lead"]
    for number in range(60):
        fields = {"ENTITY_ID": deal, "ENTITY_TYPE": "deal", "COMMENT": f"Робот {number}"}
        call = dentist.connector.http_client().call
        call("POST", "/crm.timeline.comment.add", json={"fields": fields})
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert isinstance(receipt, Receipt)
    comments = [row["COMMENT"] for row in dentist.portal.timeline["deal", int(deal)]]
    assert len([text for text in comments if not text.startswith("Робот")]) == 1


def test_of_two_with_our_mark_the_oldest_is_taken_and_told(dentist, deliver, draft):
    answer = draft()
    (first,) = deliver(answer)
    deliver(answer)
    (receipt,) = deliver(replace(answer, look_first=True))
    assert receipt.journal["lead"] == first.journal["lead"]
    assert [problem.code for problem in receipt.problems] == ["doubled"]


def test_somebody_elses_mark_is_not_ours(dentist, deliver, draft):
    answer = draft(look_first=True)
    foreign = {"TITLE": "x", "ORIGINATOR_ID": "shop", "ORIGIN_ID": answer.uid}
    dentist.connector.http_client().call("POST", "/crm.deal.add", json={"fields": foreign})
    (receipt,) = deliver(answer)
    assert receipt.adopted is False


def test_a_rule_that_changed_to_leads_still_meets_its_deal(dentist, deliver, draft, journal):
    answer = draft()
    dentist.box.faults.add(DEAL, "reset_after")
    deliver(answer)
    leads = Placement(choices={"LeadFlag": True})
    (receipt,) = deliver(again(replace(answer, placement=leads), journal, look_first=True))
    assert (receipt.adopted, receipt.journal["kind"]) == (True, "deal")
    assert receipt.link.endswith(f"/crm/deal/details/{receipt.journal['lead']}/")


def test_marks_are_found_among_deals_and_leads(dentist, deliver, draft):
    deal, lead = draft(), draft(placement=Placement(choices={"LeadFlag": True}))
    first, second = deliver(deal, lead)
    found = dentist.connector.find_all([deal.uid, lead.uid, "nobody"])
    assert found == {
        deal.uid: [first.journal["lead"]],
        lead.uid: [second.journal["lead"]],
        "nobody": [],
    }


def test_a_dead_database_is_unclear_only_after_a_creation(dentist, draft):
    """The nameless draft's deal is made while the other's person is still looked for."""

    class Full:
        def record(self, done):
            raise OSError("disk full")

    outcomes = dentist.connector.deliver([draft(), draft(person=Person())], Full())
    assert [type(outcome) for outcome in outcomes] == [TryLater, Unclear]


def test_a_refused_look_ends_the_try(dentist, deliver, draft):
    body = '{"error":"","error_description":"Bad filter"}'
    dentist.box.faults.add("/batch", status=400, body=body, content_type="application/json")
    (outcome,) = deliver(draft(look_first=True))
    assert isinstance(outcome, Refused)
    assert dentist.leads == []
