"""What becomes of a draft: a lead of seven keys, with everything else in its service information."""

from __future__ import annotations

import pytest

from connectors.draft import FieldValue, Person, Placement, Receipt, Tag, Target, UnplacedValue
from connectors.errors import Refused, Unclear
from tests.connectors.cast import again


def test_a_lead_has_everything(keeper, deliver, draft):
    contract = Target("projects", "contract_number", "contract_number", "string", code="contract_number")
    answer = draft(
        person=Person(
            "Анна", ("+79990000001", "+79990000002"), ("a@example.com",), {"telegram": "@anna"}, "Омск"
        ),
        company="ООО «Лес»",
        placement=Placement("2", "1", "12", choices={"reference_id": "4"}),
        values=(FieldValue(contract, "Номер договора?", "Д-5"),),
        tags=(Tag("projects", "окна"), Tag("projects", "квиз")),
        utm={"utm_source": "ads"},
        note="Площадь: 54",
    )
    receipt = deliver(answer)
    (lead,) = keeper.box.ledger()
    assert receipt.losses == receipt.problems == ()
    assert (lead["name"], lead["responsible"], lead["reference_id"]) == ("Анна", "Павел Ершов", 4)
    assert lead["contact"] == {"name": "Анна", "PHONE": "+79990000001", "EMAIL": "a@example.com"}
    assert lead["tags"] == ["окна", "квиз"]
    assert lead["notes"] == [f"Площадь: 54\n[{answer.uid}]"]
    assert lead["fields"] == {
        "contract_number": "Д-5",
        "utm_source": "ads",
        "answers": "Площадь: 54",
        "title": answer.title,
        "phones": "+79990000002",
        "telegram": "@anna",
        "city": "Омск",
        "company": "ООО «Лес»",
        "tags": "окна, квиз",
        "sales_funnel_id": "1",
        "step_id": "12",
        "quiz_id": "42",
        "quiz_title": "Ремонт",
        "page": "https://quiz.example/42",
        "quiz_result_id": answer.uid,
    }


def test_what_is_not_chosen_is_not_sent(keeper, deliver, draft):
    deliver(draft())
    payload = keeper.account.leads[1].payload
    assert {"user_id", "reference_id"} & payload.keys() == set()
    assert {"name", "phone", "email", "comment", "extra"} <= payload.keys()


def test_texts_are_cut_as_the_vendor_cuts_them_and_stand_whole_beside(keeper, deliver, draft):
    keeper.box.switches["too_long"] = "reject"
    person = Person("и" * 150, ("5" * 60,), (f"{'e' * 120}@example.com",))
    answer = draft(person=person, note="к" * 3000)
    assert isinstance(deliver(answer), Receipt)
    (lead,) = keeper.box.ledger()
    assert lead["name"] == "и" * 98 + ".."
    assert len(lead["contact"]["PHONE"]) == 50
    assert len(lead["notes"][0]) <= 1000
    assert lead["notes"][0].endswith(f"..\n[{answer.uid}]")
    assert (lead["fields"]["full_name"], lead["fields"]["answers"]) == ("и" * 150, "к" * 3000)
    assert lead["fields"]["full_phone"] == "5" * 60
    assert lead["fields"]["full_email"].startswith("e" * 120)


def test_losses_are_read_first(keeper, deliver, draft):
    lost = UnplacedValue("Бюджет?", "много", "not a number")
    contact = Target("contacts", "1", "Имя", "string")
    answer = draft(
        losses=(lost,), values=(FieldValue(contact, "Имя?", "Анна"),), note="к" * 3000, language="en"
    )
    receipt = deliver(answer)
    (lead,) = keeper.box.ledger()
    assert lost in receipt.losses
    assert [loss.question for loss in receipt.losses] == ["Бюджет?", "Имя?"]
    assert lead["notes"][0].startswith("Could not be put into fields:\n- Бюджет?: много (not a number)")
    assert "Бюджет?: много" in lead["fields"]["lost"]


def test_a_nameless_answer_is_called_after_its_quiz(keeper, deliver, draft):
    deliver(draft(person=Person(phones=("+79990000001",)), title="Квиз «Окна»"))
    assert keeper.box.ledger()[0]["name"] == "Квиз «Окна»"


def test_ids_that_are_none_are_told_and_left_out(keeper, deliver, draft):
    receipt = deliver(draft(placement=Placement("Павел", choices={"reference_id": "сайт"})))
    assert [(one.code, one.field) for one in receipt.problems] == [
        ("bad_performer", "PerformerID"),
        ("bad_source", "SourceID"),
    ]
    assert "user_id" not in keeper.account.leads[1].payload


def test_keys_are_renamed_and_added(keeper, deliver, draft):
    keeper.choose(payload_names=("name=comment", "comment=name"), payload_constants=("user_id=7",))
    answer = draft(placement=Placement("2"))
    deliver(answer)
    (lead,) = keeper.box.ledger()
    assert answer.uid in lead["name"]
    assert lead["responsible"] == "Денис Котов"


def test_another_module_and_other_paths(keeper, deliver, draft):
    keeper.choose(create_module="requests")
    outcome = deliver(draft())
    assert isinstance(outcome, Refused)
    assert "no such module" in outcome.message
    keeper.choose(create_module="leads", create_path="/api/post")
    assert isinstance(deliver(draft()), Receipt)


@pytest.mark.parametrize(
    ("style", "steps", "page"),
    [
        ("payload", {"lead": "1"}, "/leads/1"),
        ("id", {"lead": "1"}, "/leads/1"),
        ("object", {"made": "yes"}, "/"),
        ("nothing", {"made": "yes"}, "/"),
    ],
)
@pytest.mark.parametrize("numbers", ["numbers", "strings"])
def test_every_answer_to_a_create_is_a_success_and_none_is_repeated(
    keeper, deliver, draft, journal, style, steps, page, numbers
):
    keeper.box.switches.update(create_style=style, numbers=numbers)
    keeper.choose(lead_path="/leads/{id}")
    answer = draft()
    receipt = deliver(answer)
    assert (receipt.journal, journal.of(answer.uid)) == (steps, steps)
    assert receipt.link == f"https://demo7.solos.pro{page}"
    repeated = deliver(again(answer, journal, look_first=True))
    assert repeated.journal == steps
    assert len(keeper.box.ledger()) == 1


def test_a_bare_message_is_for_a_person_to_look_at(keeper, deliver, draft):
    said = '{"message": "Лид создан"}'
    keeper.box.faults.add("/api/post", "answer_after", status=200, body=said, content_type="application/json")
    outcome = deliver(draft())
    assert isinstance(outcome, Unclear)
    assert "Лид создан" in outcome.message


def test_an_error_has_the_conversation(keeper, deliver, draft):
    keeper.box.faults.add("/api/post", status=500)
    outcome = deliver(draft())
    assert [exchange.status for exchange in outcome.trace] == [500]


def test_a_lost_answer_says_what_to_look_for(keeper, deliver, draft):
    keeper.box.faults.add("/api/post", "reset_after")
    answer = draft()
    assert answer.uid in deliver(answer).remedy


def test_we_introduce_ourselves(keeper, deliver, draft):
    keeper.box.switches["needs_user_agent"] = True
    assert isinstance(deliver(draft()), Receipt)
    assert keeper.box.journal[-1].headers["user-agent"] == "solOS/1.0"
    keeper.choose(user_agent="quiz")
    deliver(draft())
    assert keeper.box.journal[-1].headers["user-agent"] == "quiz"
