"""Write modes and the contact's own responsible, from outside: saved, shown, delivered, told, refused."""

from __future__ import annotations

from typing import Any

from accounts import db_clock
from accounts.models import Account
from connectors.registry import connector_class
from crm_cache.models import CrmUser
from rules.admin.copying import twin_of
from rules.admin.timeline import May, story_of
from rules.delivery.assignment import Asking, assign_met
from rules.mapping.rule_snapshot import read_snapshot
from rules.models import Delivery, Rule, Turns
from rules.people import Who, erase, export
from tests.stories.conftest import QUIZ
from tests.stories.test_responsible import people_of
from tests.stories.test_rule_round_trip import rules  # noqa: F401

ANNA = {"name": "Анна", "phone": "+79990001122"}
OWN = {"Responsible": {"Own": True}}


def delivered(side: Any, answer_id: str, **contact: str) -> Delivery:
    side.post(answer_id, contact=contact)
    side.work()
    row = Delivery.objects.get(answer__answer_id=answer_id)
    assert row.state == "delivered", row.error
    return row


def test_what_a_contact_lacks_is_added_in_every_crm_that_can(transactional_db, rules):  # noqa: F811
    side = rules.side
    extra = {"Existing": {"Contact": {"Mode": "fill", "Append": True, "Fields": {"name": "overwrite"}}}}
    answer = rules.change(Extra=extra)
    if "contact" not in connector_class(rules.crm).can.existing:
        assert answer.status_code == 400
        assert answer.json().startswith("Extra.Existing.Contact: This CRM's API cannot change a contact")
        return
    assert answer.json() == "Success"
    assert rules.shown()["Extra"] == extra
    assert rules.change(**rules.shown()).json() == "Success"
    if rules.crm == "envybox":  # a client of this very second came with the lead: tests/connectors/envybox
        return
    first = delivered(side, "a-1", **ANNA)
    assert side.api.get(f"/deliveries/{first.pk}").json()["formerValues"] == []
    second = delivered(side, "a-2", **{**ANNA, "name": "Анна К", "email": "anna@mail.example"})
    assert second.steps["contact"] == first.steps["contact"]
    told = {one["field"]: one for one in side.api.get(f"/deliveries/{second.pk}").json()["formerValues"]}
    assert {field: (one["before"], one["now"]) for field, one in told.items()} == {
        "EMAIL": ([], ["anna@mail.example"]),
        next(field for field in told if field != "EMAIL"): (["Анна"], ["Анна К"]),
    }
    assert all(
        one["record"] == "contact" and one["recordID"] == first.steps["contact"] for one in told.values()
    )
    assert "existing" not in side.api.get(f"/deliveries/{second.pk}").json()["steps"]


def test_whoever_looks_after_the_contact_takes_the_lead_and_nobodys_turn(transactional_db, rules):  # noqa: F811
    side, people = rules.side, people_of(rules.side)[:2]
    extra = {"Responsible": {"Own": True, "People": [{"PerformerID": one, "Weight": 1} for one in people]}}
    answer = rules.change(Extra=extra)
    if not connector_class(rules.crm).can.tells_owner:
        assert answer.status_code == 400
        assert answer.json().startswith("Extra.Responsible.Own: This CRM's API does not tell who looks after")
        return
    assert answer.json() == "Success"
    assert rules.shown()["Extra"] == extra
    first = delivered(side, "a-1", **ANNA)
    assert (first.performer, first.draw) == (str(people[0]), f"{name_of(people[0])}, by turn among 2")
    again = delivered(side, "a-2", **ANNA)
    assert again.performer == str(people[0])
    assert again.draw == f"{name_of(people[0])}, who looks after the contact already"
    assert again.losses == []
    other = delivered(side, "b-1", name="Борис", phone="+79990003344")
    assert other.performer == str(people[1])
    assert [str(lead["responsible_id"]) for lead in side.leads] == [
        str(one) for one in (people[0], people[0], people[1])
    ]
    assert sum(Turns.objects.get().owed.values()) == 0


def test_former_values_are_given_out_and_erased_with_their_person(quiz):
    quiz.change_rule(Extra={"Existing": {"Contact": {"Append": True, "Fields": {"name": "overwrite"}}}})
    delivered(quiz, "a-1", **ANNA)
    row = delivered(quiz, "a-2", **{**ANNA, "name": "Анна Кузнецова"})
    whom = Who(keys=("phone:+79990001122",))
    told = [one for answer in export(whom)["answers"] for one in answer["deliveries"]]
    assert [one["before"] for sent in told for one in sent["formerValues"]] == [["Анна"]]
    erase(whom, "test")
    row.refresh_from_db()
    assert row.steps["lead"]
    assert "existing" not in row.steps
    assert "Кузнецова" not in str(Delivery.objects.values_list())


def test_the_preview_says_what_becomes_of_known_people(quiz):
    fields = {str(quiz.field_id("Должность", "contacts")): "overwrite", "name": "leave"}
    existing = {"Contact": {"Mode": "fill", "Append": True, "Fields": fields}}
    quiz.change_rule(Extra={"Existing": existing, "Responsible": {"Own": True}})
    shown = quiz.api.post(f"/rules/{QUIZ}/preview", {"answer": {}}, content_type="application/json").json()
    assert shown["knownPeople"] == [
        "A contact that is there: filled where it is empty; phones, e-mails and messengers that it lacks are "
        "added; name: left as it is; Должность: overwritten",
        "Responsible: whoever looks after the contact already",
    ]


def test_a_named_field_that_is_gone_is_a_problem_of_the_rule(quiz):
    quiz.change_rule(Extra={"Existing": {"Contact": {"Fields": {"987": "overwrite"}}}})
    rule = quiz.api.get(f"/rules/{QUIZ}").json()
    assert [(one["code"], one["field"]) for one in rule["Problems"]] == [
        ("field_gone", "Extra.Existing.Contact.Fields.987")
    ]


def name_of(person: Any) -> str:
    return CrmUser.objects.get(remote_id=str(person)).name


def test_a_dismissed_owner_is_skipped_with_a_word(quiz):
    first, second = people_of(quiz)[:2]
    quiz.change_rule(Extra={"Responsible": {"Own": True, "People": [{"PerformerID": first}]}})
    delivered(quiz, "a-1", **ANNA)
    CrmUser.objects.filter(remote_id=str(first)).update(active=False)
    quiz.change_rule(Extra={"Responsible": {"Own": True, "People": [{"PerformerID": second}]}})
    row = delivered(quiz, "a-2", **ANNA)
    assert row.performer == str(second)
    assert f"{name_of(first)}, who looks after the contact, left the CRM" in row.draw


def test_with_nobody_to_draw_a_new_contacts_lead_is_as_the_rule_says(quiz):
    first = people_of(quiz)[0]
    quiz.change_rule(Extra=OWN, PerformerID=first)
    row = delivered(quiz, "a-1", **ANNA)
    assert (row.performer, row.draw) == ("", "nobody looks after the contact yet, so it is as the rule says")
    assert quiz.leads[0]["responsible_id"] == first
    assert delivered(quiz, "a-2", **ANNA).performer == str(first)


def test_what_was_decided_survives_lost_replies(quiz):
    """The owner left between two tries: the lead is there or not, and its person stays."""
    first, second = people_of(quiz)[:2]
    quiz.change_rule(Extra={"Responsible": {"Own": True, "People": [{"PerformerID": first}]}})
    delivered(quiz, "a-1", **ANNA)
    quiz.change_rule(Extra={"Responsible": {"Own": True, "People": [{"PerformerID": second}]}})
    quiz.amo.faults.add("/leads/complex", status=503, method="POST")
    quiz.post("a-2", contact=ANNA)
    quiz.work()
    row = Delivery.objects.get(answer__answer_id="a-2")
    assert (row.state, row.performer) == ("waiting", str(first))
    Delivery.objects.filter(pk=row.pk).update(due_at="2026-01-01T00:00:00Z")
    quiz.account.lane.__class__.objects.update(rests_until=None)
    quiz.work()
    row.refresh_from_db()
    assert (row.state, row.performer) == ("delivered", str(first))
    assert [lead["responsible_id"] for lead in quiz.leads] == [first, first]


def test_a_worker_that_lost_its_claim_decides_nothing_and_takes_no_turn(quiz):
    first = people_of(quiz)[0]
    quiz.change_rule(Extra={"Responsible": {"Own": True, "People": [{"PerformerID": first}]}})
    quiz.post("a-1", contact=ANNA)
    row = Delivery.objects.select_related("answer").get()
    rule = read_snapshot(quiz.rule, quiz.account)
    Delivery.objects.update(claimed_at=db_clock.now())
    assign_met([Asking(row, rule, row.answer.payload)], {row.uid: str(first)})
    row.refresh_from_db()
    assert (row.performer, row.draw, Turns.objects.count()) == ("", "", 0)
    assign_met([Asking(row, rule, row.answer.payload)], {row.uid: str(first)})
    row.refresh_from_db()
    assert (row.performer, Turns.objects.get().owed) == (str(first), {})


def test_the_deliverys_page_tells_what_was_there(quiz):
    quiz.change_rule(Extra={"Existing": {"Contact": {"Append": True, "Fields": {"name": "overwrite"}}}})
    delivered(quiz, "a-1", **ANNA)
    row = delivered(quiz, "a-2", **{**ANNA, "name": "Анна К", "email": "anna@mail.example"})
    told = story_of(row.pk, May(operate=True))
    assert [(one["before"], one["now"]) for one in told["former_values"]] == [
        ("", "anna@mail.example"),
        ("Анна", "Анна К"),
    ]
    assert not [made for _, made in told["journal"] if "Анна" in str(made)]


def test_a_copy_leaves_out_and_names_what_the_other_crm_cannot_do(quiz, clinic):
    fields = {str(quiz.field_id("Должность", "contacts")): "overwrite", "name": "leave"}
    quiz.change_rule(
        Extra={"Existing": {"Contact": {"Mode": "fill", "Fields": fields}}, "Responsible": {"Own": True}}
    )
    rule, account = Rule.objects.get(account__crm="amocrm"), Account.objects.get(crm="bitrix24")
    there = twin_of(rule, account)
    assert there.changes["extra"] == {
        "existing": {"contact": {"mode": "fill", "fields": {"name": "leave"}}},
        "responsible": {"own": True},
    }
    assert [one for one in there.missing if "Должность" in one]


def test_what_cannot_be_meant_is_refused_by_its_place(quiz):
    for said, at in (
        (5, ""),
        (False, ""),
        ([], ""),
        ({"Lead": {}}, ".Lead"),
        ({"Company": {"Mode": "fill"}}, ".Company"),
        ({"Contact": {"Mode": "overwrite"}}, ".Contact.Mode"),
        ({"Contact": {"Append": 1}}, ".Contact.Append"),
        ({"Contact": {"Fields": []}}, ".Contact.Fields"),
        ({"Contact": {"Fields": {"5": "append"}}}, ".Contact.Fields.5"),
        ({"Contact": {"Fields": {"0": "fill"}}}, ".Contact.Fields.0"),
        ({"Contact": {"Fields": {"-5": "fill"}}}, ".Contact.Fields.-5"),
        ({"Contact": {"Fields": {"5": "fill", " 5": "leave"}}}, ".Contact.Fields.5"),
    ):
        answer = quiz.change_rule(Extra={"Existing": said})
        assert (answer.status_code, answer.json().partition(": ")[0]) == (400, f"Extra.Existing{at}"), said
