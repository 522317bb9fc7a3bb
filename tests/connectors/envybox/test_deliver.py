"""What arrives in Envybox: a lead, or at once the deal that the rule asks for."""

from __future__ import annotations

import pytest

from connectors.draft import FieldValue, Person, Placement, Tag, Target, Visit
from connectors.errors import Refused, RuleNeedsFixing
from tests.connectors.cast import NOW, again


def codes(receipt):
    return [problem.code for problem in receipt.problems]


def test_a_lead_with_everything(florist, envy, draft, deliver):
    person = Person("Анна", ("+79991112233", "+79994445566"), ("a@b.ru",), {"telegram": "@anna"}, "Москва")
    visit = Visit(
        NOW, "42", client_ids={"_ym_uid": "ym1", "yandexClientID": "y1", "WhiteCallback_visit": "77"}
    )
    place = Placement(florist.person, str(florist.crm.line("Квизы").id))
    receipt = deliver(
        draft(
            person=person,
            visit=visit,
            placement=place,
            values=(florist.value("Стиль", ("Лофт", "Сканди")), florist.value("Площадь", "54 м")),
            tags=(Tag("lead", "vip"),),
            utm={"utm_source": "ads", "utm_medium": "cpc"},
            note="Площадь: 54",
        )
    )
    [lead] = florist.leads
    assert florist.methods() == ["lead/set"]
    assert (lead["name"], lead["deal_pipeline"], lead["responsible"]) == ("Анна", "Квизы", "Ольга Смирнова")
    assert lead["contact"] == {
        "name": "Анна",
        "phone": "79991112233",
        "email": "a@b.ru",
        "mobile_phone": "79994445566",
        "telegram": "@anna",
    }
    assert lead["fields"] == {"Стиль": "Лофт, Сканди", "Площадь": 54}
    held = florist.crm.leads[lead["id"]]
    assert (held.service["yandex_client_id"], held.visit_id) == ("y1", 77)
    assert held.service["ip_place_id"] == "Москва"
    assert (lead["tags"], lead["utm"]) == (["vip"], {"utm_source": "ads", "utm_medium": "cpc"})
    assert lead["notes"][0].startswith("Площадь: 54")
    assert lead["notes"][0].endswith(receipt.uid.replace("-", ""))
    assert receipt.link == f"https://demo7.envycrm.com/leads/{lead['id']}"


def test_a_source_by_name_of_the_inbox(florist, draft, deliver):
    inbox = next(str(one.id) for one in florist.crm.inbox_types.values() if one.name == "Звонок")
    deliver(draft(placement=Placement(choices={"SourceID": inbox})))
    assert florist.leads[0]["source"] == "Звонок"


def test_a_deal_at_once(florist, draft, deliver, journal):
    answer = draft(
        placement=florist.place(),
        values=(florist.value("Бюджет", "100", "deal"), florist.value("Город", "Тула", "client")),
    )
    receipt = deliver(answer)
    [lead] = florist.leads
    assert (lead["pipeline"], lead["step"], lead["responsible"]) == ("Квизы", "Дозвон", "Ольга Смирнова")
    assert (lead["fields"], lead["contact"]["Город"]) == ({"Бюджет": 100}, "Тула")
    assert receipt.journal == {
        "lead": str(lead["id"]),
        "deal": str(lead["deal_id"]),
        "contact": str(florist.deals()[0].client_id),
        "stage": str(lead["step_id"]),
        "deal_fields": "ok",
        "client_fields": "ok",
    }
    assert journal.of(answer.uid) == receipt.journal
    assert receipt.link.endswith(f"/deals/{lead['deal_id']}")


def test_nobody_named_leaves_the_deal_open_to_all(florist, draft, deliver):
    deliver(draft(placement=Placement(choices={"LeadFlag": False})))
    assert florist.leads[0]["responsible"] is None
    deliver(draft(placement=Placement("0", choices={"LeadFlag": False})))
    assert florist.deals()[-1].user_id == florist.crm.user_id


def test_the_step_it_is_at_already_is_a_success(florist, envy, draft, deliver):
    receipt = deliver(draft(placement=florist.place(step="Новый ответ")))
    assert (codes(receipt), florist.leads[0]["step"]) == ([], "Новый ответ")
    assert "deal/updateDealStage" not in florist.methods()


def test_a_pipeline_without_moving_by_hand_costs_the_step_alone(florist, draft, deliver):
    receipt = deliver(draft(placement=florist.place("Сервис", "Ремонт")))
    assert codes(receipt) == ["stage_refused"]
    assert (florist.leads[0]["pipeline"], florist.leads[0]["step"]) == ("Сервис", "Заявка")
    assert receipt.journal["stage"] == "left"


def test_a_lost_answer_to_the_move_is_settled_by_reading(florist, envy, draft, journal):
    envy.faults.add("/updateDealStage", "reset_after")
    answer = draft(placement=florist.place())
    (lost,) = florist.connector.deliver([answer], journal)
    assert lost.next_step == "look_first"
    (receipt,) = florist.connector.deliver([again(answer, journal, look_first=True)], journal)
    assert (codes(receipt), florist.leads[0]["step"]) == ([], "Дозвон")


def test_automatic_intake_is_faster(florist, envy, draft, deliver):
    envy.switches["auto_intake"] = 0.000001
    receipt = deliver(draft(placement=florist.place()))
    assert "lead/start" not in florist.methods()
    assert (len(florist.deals()), codes(receipt), florist.leads[0]["step"]) == (1, [], "Дозвон")


def test_taken_by_somebody_between_two_requests(florist, envy, draft, journal):
    answer = draft(placement=florist.place())
    envy.faults.add("/lead/start", "answer_after", status=400, content_type="application/json",
                    body='{"status_code": 400, "message": "Лид уже взят в работу"}')  # fmt: skip
    (receipt,) = florist.connector.deliver([answer], journal)
    assert (receipt.journal["deal"], len(florist.deals())) == (str(florist.deals()[0].id), 1)


def test_a_refused_person_costs_the_person_alone(florist, draft, deliver):
    lead_only = Placement("999", str(florist.crm.line("Квизы").id))
    receipt = deliver(draft(placement=lead_only, values=(florist.value("Стиль", "Лофт"),)))
    assert codes(receipt) == ["parts_refused"]
    [lead] = florist.leads
    assert (lead["deal_pipeline"], lead["fields"]) == ("Квизы", {})
    assert "Лофт" in lead["notes"][0]
    assert [loss.question for loss in receipt.losses] == ["Стиль?"]


def test_a_pipeline_that_is_refused_is_the_rules_business(florist, draft, deliver):
    error = deliver(draft(placement=Placement(pipeline="999")))
    assert isinstance(error, RuleNeedsFixing)
    assert (error.problem.field, florist.leads) == ("PipelineID", [])


def test_what_envybox_refuses_altogether_is_refused(florist, envy, draft, deliver):
    envy.switches["no_contacts"] = "refuse"
    assert isinstance(deliver(draft(person=Person("Анна"))), Refused)


def test_one_bad_value_costs_only_itself(florist, draft, deliver):
    gone = FieldValue(Target("deal", "9", "Нет", "2"), "Нет?", "пусто")
    receipt = deliver(draft(placement=florist.place(), values=(gone, florist.value("Бюджет", "5", "deal"))))
    [lead] = florist.leads
    assert lead["fields"] == {"Бюджет": 5}
    assert [loss.question for loss in receipt.losses] == ["Нет?"]
    assert any("Нет?: пусто" in note for note in lead["notes"])


def test_what_was_refused_is_told_by_a_later_try_too(florist, envy, draft, journal):
    gone = FieldValue(Target("deal", "9", "Нет", "2"), "Нет?", "пусто")
    answer = draft(placement=florist.place("Сервис", "Ремонт"), values=(gone,))
    envy.faults.add("/createComment", status=429)
    (later,) = florist.connector.deliver([answer], journal)
    assert later.next_step == "wait"
    (receipt,) = florist.connector.deliver([again(answer, journal)], journal)
    assert [loss.question for loss in receipt.losses] == ["Нет?"]
    assert codes(receipt) == ["stage_refused"]
    assert sum("Нет?: пусто" in note for note in florist.leads[0]["notes"]) == 1


def test_answers_for_a_deal_stay_in_the_note_of_a_lead(florist, draft, deliver):
    receipt = deliver(draft(values=(florist.value("Бюджет", "5", "deal"),)))
    assert [loss.reason for loss in receipt.losses] == [
        "the rule leaves leads, this belongs to what a lead becomes"
    ]
    assert "Бюджет?: 5" in florist.leads[0]["notes"][0]


def test_a_list_whose_options_nobody_tells(florist, draft, deliver):
    receipt = deliver(
        draft(placement=florist.place(), values=(florist.value("Отделка", "Чистовая", "deal"),))
    )
    assert (codes(receipt), florist.leads[0]["fields"]) == (["options_unknown"], {"Отделка": "Чистовая"})


def test_a_lead_that_a_person_deletes_meanwhile(florist, envy, draft, journal):
    envy.faults.add("/lead/get", "reset", times=None)
    answer = draft(placement=florist.place())
    (lost,) = florist.connector.deliver([answer], journal)
    assert lost.code == "no_answer"
    envy.faults.clear()
    envy.control("delete", {"kind": "lead", "id": florist.leads[0]["id"]})
    (receipt,) = florist.connector.deliver([again(answer, journal)], journal)
    assert "lead_gone" in codes(receipt)


@pytest.mark.parametrize("name", ["", "  "])
def test_a_person_without_a_name_is_called_by_the_quiz(florist, draft, deliver, name):
    deliver(draft(person=Person(name, ("+79991112233",)), title="Ремонт: +7999"))
    assert florist.leads[0]["name"] == "Ремонт: +7999"


LONG = "\n".join(f"Вопрос {number}: {'да' * 50}" for number in range(180))  # three comments


@pytest.mark.parametrize("at_once", [True, False])
def test_a_long_note_goes_on_in_comments(florist, draft, deliver, at_once):
    place = florist.place() if at_once else Placement()
    receipt = deliver(draft(note=LONG, placement=place))
    first, *more = florist.leads[0]["notes"]
    assert (len(more), max(map(len, (first, *more))) < 8_100) == (2, True)
    assert all(line in "\n".join((first, *more)) for line in LONG.splitlines())
    assert first.endswith(receipt.uid.replace("-", ""))


@pytest.mark.parametrize("fault", ["reset", "reset_after"])
def test_a_comment_whose_answer_was_lost_is_said_once(florist, envy, draft, journal, fault):
    answer = draft(note=LONG)
    envy.faults.add("/lead/log/create", fault)
    (lost,) = florist.connector.deliver([answer], journal)
    assert lost.next_step == "look_first"
    florist.connector.deliver([again(answer, journal, look_first=True)], journal)
    assert len(florist.leads[0]["notes"]) == 3
