"""Anna's answer becomes a deal or a lead of the dentist's, with everything where the rule wants it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from connectors.draft import FieldValue, Person, Placement, Receipt, Tag, Target
from connectors.errors import RuleNeedsFixing
from tests.connectors.cast import again

LEAD = Placement(choices={"LeadFlag": True, "StatusID": "IN_PROCESS", "SourceID": "WEB", "TypeID": "SALE"})


@pytest.fixture
def quiz_pipeline(dentist) -> Placement:
    number = next(row.id for row in dentist.portal.categories[2].values() if row.id)
    stage = list(dentist.portal.statuses.by_entity[f"DEAL_STAGE_{number}"])[1]
    return Placement("2", str(number), stage, choices={"TypeID": "SERVICES", "SourceID": "WEBFORM"})


def test_a_deal_lands_where_the_rule_says(dentist, deliver, draft, quiz_pipeline):
    answer = draft(
        placement=quiz_pipeline,
        price="150 000 ₽",
        utm={"utm_source": "ads", "utm_term": "зуб"},
        values=(dentist.value("Площадь", "54 м²"), dentist.value("Комнаты", ("Кухня", "Ванная"))),
    )
    (receipt,) = deliver(answer)
    (deal,) = dentist.leads
    assert (deal["kind"], deal["name"], deal["price"]) == ("deal", answer.title, 150000)
    assert (str(deal["pipeline_id"]), deal["step_id"]) == (quiz_pipeline.pipeline, quiz_pipeline.step)
    assert (deal["responsible_id"], deal["type"], deal["source"]) == (2, "SERVICES", "WEBFORM")
    assert deal["utm"] == {"UTM_SOURCE": "ads", "UTM_TERM": "зуб"}
    assert (deal["fields"]["Площадь"], deal["fields"]["Комнаты"]) == (54, ["Кухня", "Ванная"])
    assert deal["origin"] == ["quiz", answer.uid]
    assert deal["contact"]["name"] == answer.person.name
    assert answer.person.phones[0] in deal["contact"]["PHONE"]
    assert "Площадь: 54" in deal["notes"][0]
    assert receipt.link == f"https://demo7.bitrix24.ru/crm/deal/details/{deal['id']}/"
    assert (receipt.losses, receipt.problems) == ((), ())


def test_a_lead_lands_where_the_rule_says(dentist, deliver, draft):
    (receipt,) = deliver(draft(placement=LEAD, values=(dentist.value("Город", "Казань", "CRM_LEAD"),)))
    (lead,) = dentist.leads
    assert (lead["kind"], lead["step_id"], lead["source"]) == ("lead", "IN_PROCESS", "WEB")
    assert lead["fields"]["Город"] == "Казань"
    assert receipt.link.endswith(f"/crm/lead/details/{lead['id']}/")
    assert receipt.journal["kind"] == "lead"


def test_a_bare_draft_takes_the_portals_own_defaults(dentist, deliver, draft):
    (receipt,) = deliver(draft(person=Person(), note=""))
    (deal,) = dentist.leads
    assert (deal["pipeline_id"], deal["step_id"], deal["contact"]) == (0, "NEW", None)
    assert isinstance(receipt, Receipt)


def test_a_dozen_takes_three_requests(dentist, deliver, draft):
    answers = [draft() for _ in range(12)]
    outcomes = deliver(*answers)
    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    assert dentist.methods() == ["batch"] * 3
    assert [deal["origin"][1] for deal in dentist.leads] == [answer.uid for answer in answers]
    names = {deal["origin"][1]: deal["contact"]["name"] for deal in dentist.leads}
    assert names == {answer.uid: answer.person.name for answer in answers}


def test_ids_are_written_down_before_the_next_request(dentist, deliver, draft, journal):
    answer = draft(company="Ромашка")
    (receipt,) = deliver(answer)
    assert [list(entry[answer.uid]) for entry in journal.entries] == [
        ["company"],
        ["contact"],
        ["lead", "kind"],
    ]
    assert journal.of(answer.uid) == receipt.journal


def test_a_company_comes_along_and_keeps_its_people(dentist, deliver, draft):
    value = FieldValue(dentist.target("Город", "CRM_COMPANY"), "Город?", "Казань")
    (receipt,) = deliver(draft(company="ООО «Ромашка»", values=(value,)))
    (deal,), (contact,) = dentist.leads, dentist.contacts
    assert deal["company"]["name"] == "ООО «Ромашка»"
    assert deal["company"]["Город"] == "Казань"
    assert contact.get("COMPANY_ID") == int(receipt.journal["company"])


def test_everything_we_make_carries_our_mark(dentist, deliver, draft):
    answer = draft(company="Ромашка")
    deliver(answer)
    for kind in ("deal", "contact", "company"):
        (record,) = dentist.portal.tables[kind].values()
        assert (record.get("ORIGINATOR_ID"), record.get("ORIGIN_ID")) == ("quiz", answer.uid)


def test_a_simple_portal_gets_a_deal_and_the_rule_a_problem(dentist, deliver, draft):
    dentist.portal.mode = 2
    dentist.prepare()
    (receipt,) = deliver(draft(placement=LEAD))
    assert [row["kind"] for row in dentist.leads] == ["deal"]
    assert [problem.code for problem in receipt.problems] == ["simple_mode"]


def test_a_step_of_another_pipeline_is_never_sent(dentist, deliver, draft):
    (outcome,) = deliver(draft(placement=Placement(pipeline="0", step="C3:NEW")))
    assert isinstance(outcome, RuleNeedsFixing)
    assert outcome.problem.field == "StageID"
    assert (dentist.leads, dentist.contacts) == ([], [])


def test_a_step_alone_names_its_pipeline(dentist, deliver, draft, quiz_pipeline):
    deliver(draft(placement=Placement(step=quiz_pipeline.step)))
    assert str(dentist.leads[0]["pipeline_id"]) == quiz_pipeline.pipeline


# -- tags and losses ------------------------------------------------------------------------------


def test_tags_go_into_our_own_field(dentist, deliver, draft):
    deliver(draft(tags=(Tag("CRM_DEAL", "квиз"), Tag("CRM_DEAL", "срочно"), Tag("CRM_CONTACT", "клиент"))))
    assert dentist.leads[0]["tags"] == ["квиз", "срочно"]
    assert dentist.contacts[0].get("UF_CRM_QUIZ_TAGS") == ["клиент"]


def test_tags_without_a_field_go_into_the_comment(dentist, deliver, draft):
    dentist.facts["tag_fields"] = {}
    (receipt,) = deliver(draft(tags=(Tag("CRM_DEAL", "квиз"),)))
    assert [loss.value for loss in receipt.losses] == ["квиз"]
    assert "квиз" in dentist.leads[0]["notes"][0]


def test_analytics_go_into_our_own_field(dentist, deliver, draft):
    visit = replace(draft().visit, referrer="https://ya.example/", client_ids={"yclid": "17", "_ym_uid": "9"})
    deliver(draft(visit=visit, utm={"utm_source": "ads", "openstat_ad": "7"}))
    (deal,) = dentist.leads
    assert deal["fields"]["Аналитика квиза"] == [
        "openstat_ad: 7", "yclid: 17", "_ym_uid: 9", "referrer: https://ya.example/",
    ]  # fmt: skip
    assert deal["utm"] == {"UTM_SOURCE": "ads"}


def test_analytics_stand_behind_what_a_rule_puts_into_their_field(dentist, deliver, draft):
    field = Target("CRM_DEAL", "1", "Аналитика квиза", "string", "UF_CRM_QUIZ_TRACK", multiple=True)
    visit = replace(draft().visit, client_ids={"yclid": "17"})
    (receipt,) = deliver(draft(visit=visit, values=(FieldValue(field, "Откуда вы?", "Реклама"),)))
    assert dentist.leads[0]["fields"]["Аналитика квиза"] == ["Реклама", "yclid: 17"]
    assert receipt.losses == ()


def test_analytics_without_a_field_go_into_the_comment(dentist, deliver, draft):
    dentist.facts["tracking_fields"] = {}
    (receipt,) = deliver(draft(visit=replace(draft().visit, client_ids={"yclid": "17"})))
    assert [loss.value for loss in receipt.losses] == ["yclid: 17"]
    assert "yclid: 17" in dentist.leads[0]["notes"][0]


def test_messengers_are_kept_with_their_kind(dentist, deliver, draft):
    deliver(draft(person=Person(messengers={"telegram": "@anna", "whatsapp": "+79990001122"})))
    (contact,) = dentist.contacts
    kinds = [(row["VALUE_TYPE"], row["VALUE"]) for row in contact.multi if row["TYPE_ID"] == "IM"]
    assert kinds == [("TELEGRAM", "@anna"), ("OTHER", "whatsapp: +79990001122")]


def test_two_questions_for_one_field_share_it_or_are_told(dentist, deliver, draft):
    asked = (("Город", "Казань"), ("Город", "Самара"), ("Комнаты", "Кухня"), ("Комнаты", "Ванная"),
             ("Площадь", "54"), ("Площадь", "60"))  # fmt: skip
    (receipt,) = deliver(draft(values=tuple(dentist.value(*one) for one in asked)))
    fields = dentist.leads[0]["fields"]
    assert (fields["Город"], fields["Комнаты"]) == ("Казань, Самара", ["Кухня", "Ванная"])
    assert fields["Площадь"] == 54
    assert [(loss.value, loss.reason) for loss in receipt.losses] == [
        ("60", "another answer already fills the field")
    ]


# -- long comments ------------------------------------------------------------------------------------------

LONG = "\n".join(f"Вопрос {number}: {'да' * 50}" for number in range(700))  # three comments


def long_comments(dentist) -> str:
    (deal,) = dentist.leads
    assert len(deal["notes"]) == 1 + 1 + 2  # the record's own, the page, and what goes on in the timeline
    return "\n".join(deal["notes"])


def test_a_long_comment_goes_on_in_the_timeline(dentist, deliver, draft):
    (receipt,) = deliver(draft(note=LONG))
    assert {"note/2", "note/3"} <= receipt.journal.keys()
    assert all(line in long_comments(dentist) for line in LONG.splitlines())


def test_comments_of_a_batch_share_their_requests(dentist, deliver, draft):
    deliver(*(draft(note=LONG) for _ in range(5)))
    assert [len(deal["notes"]) for deal in dentist.leads] == [4] * 5
    assert dentist.methods() == ["batch"] * 5


@pytest.mark.parametrize("fault", ["reset_after", "reset"])
def test_a_comment_whose_answer_was_lost_is_not_written_twice(dentist, deliver, draft, journal, fault):
    answer = draft(note=LONG)
    dentist.box.faults.add("crm.timeline.comment.add", fault)
    (lost,) = deliver(answer)
    assert lost.next_step == "look_first"
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert isinstance(receipt, Receipt)
    assert all(line in long_comments(dentist) for line in LONG.splitlines())


def test_a_comment_that_is_refused_holds_nobody(dentist, deliver, draft):
    body = '{"error": "ACCESS_DENIED", "error_description": "Access denied."}'
    dentist.box.faults.add("crm.timeline.comment.add", status=400, body=body, content_type="application/json")
    (receipt,) = deliver(draft(note=LONG))
    assert "comment_refused" in [problem.code for problem in receipt.problems]


def test_what_fits_nowhere_is_told_and_stands_in_the_comment(dentist, deliver, draft):
    answer = draft(
        price="дорого",
        values=(
            dentist.value("Площадь", "большая"),
            dentist.value("Тип ремонта", "Рококо"),
            dentist.value("План квартиры", "plan.pdf"),
            dentist.value("Город", "Казань", "CRM_LEAD"),
        ),
    )
    (receipt,) = deliver(answer)
    assert {loss.value for loss in receipt.losses} == {"дорого", "большая", "Рококо", "plan.pdf", "Казань"}
    comment = dentist.leads[0]["notes"][0]
    assert all(loss.value in comment for loss in receipt.losses)


def test_an_answer_in_both_records_is_lost_in_neither(dentist, deliver, draft):
    both = (dentist.value("Город", "Казань", "CRM_LEAD"), dentist.value("Город", "Казань"))
    (receipt,) = deliver(draft(values=both))
    assert receipt.losses == ()


def test_a_field_without_its_code_is_a_loss(deliver, draft):
    (receipt,) = deliver(draft(values=(FieldValue(Target("CRM_DEAL", "1", "x", "string"), "q", "v"),)))
    assert "refresh the list" in receipt.losses[0].reason


def test_a_bad_address_never_fails_the_lead(dentist, deliver, draft):
    (receipt,) = deliver(draft(person=Person("Анна", ("+79990001122",), ("anna@", "anna@mail.example"))))
    assert [loss.value for loss in receipt.losses] == ["anna@"]
    assert dentist.contacts[0].communications("EMAIL") == ["anna@mail.example"]


def test_an_answer_can_not_reach_into_others_of_its_batch(dentist, deliver, draft):
    """A portal puts an earlier command's result where a later one says ``$result[...]``."""
    nosy = draft(note="$result[c0] $result[c0][ID]", title="$result[c0]")
    deliver(draft(), nosy)
    deal = next(row for row in dentist.leads if row["origin"][1] == nosy.uid)
    assert deal["name"] == "$ result[c0]"
    assert "result[c0][ID]" in deal["notes"][0]


def test_one_drafts_trace_shows_no_other_draft(deliver, draft):
    anna, boris = draft(), draft()
    receipts = deliver(anna, boris)
    for receipt, own, other in ((receipts[0], anna, boris), (receipts[1], boris, anna)):
        text = json.dumps([(e.request, e.response) for e in receipt.trace])
        assert own.uid in text
        assert other.uid not in text
