"""What the demo calls wrong: its table must not be green by habit."""

from __future__ import annotations

from typing import Any

import pytest

from config.demo import verify
from config.demo.answers import ANSWERS
from config.demo.scenario import Chosen, scenarios
from config.demo.verify import read_back

CHOSEN = Chosen("Квизы", "Новая заявка", "Игорь Кузнецов")
ANNA, SERGEY, ANNA_AGAIN = ANSWERS[0], ANSWERS[1], ANSWERS[7]


def lead_of(number: int, answer: dict[str, Any], contact_id: int) -> dict[str, Any]:
    place = {"pipeline": CHOSEN.pipeline, "step": CHOSEN.step, "responsible": CHOSEN.performer}
    contact = {"id": contact_id, "name": answer["contact"]["name"], "Телефон": answer["contact"]["phone"]}
    said = [str(item["answer"]) for item in answer["answers"]]
    return {"id": number, **place, "contact": contact, "fields": {"mark": f"qz-{number}"}, "notes": said}


class Desk:
    """Our side: a delivery per answer, numbered as the leads are."""

    def __init__(self, answers: list[dict[str, Any]]) -> None:
        self.deliveries = {
            number: {
                "id": number,
                "answerID": answer["answerID"],
                "state": "delivered",
                "leadID": str(number),
                "mark": f"qz-{number}",
            }
            for number, answer in enumerate(answers, start=1)
        }

    def rows(self, path: str, **query: Any) -> list[dict[str, Any]]:
        return list(self.deliveries.values())

    def get(self, path: str) -> dict[str, Any]:
        return self.deliveries[int(path.rpartition("/")[2])]


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is wrong with a ledger, given the answers that were posted."""

    def judge(
        answers: list[dict[str, Any]],
        ledger: list[dict[str, Any]],
        crm: str = "amocrm",
        chosen: Chosen = CHOSEN,
        **changed: Any,
    ) -> str:
        monkeypatch.setattr(verify, "look_into", lambda *_: ledger)
        desk = Desk(answers)
        desk.deliveries[1] |= changed
        scenario = next(one for one in scenarios() if one.kind == crm)
        found = read_back("http://control", desk, scenario, chosen, answers)
        return "\n".join(found.complaints())

    return judge


@pytest.fixture
def ledger() -> list[dict[str, Any]]:
    plain = "".join(filter(str.isdigit, ANNA["contact"]["phone"]))
    leads = [lead_of(1, ANNA, 11), lead_of(2, SERGEY, 12)]
    leads[0]["contact"]["Телефон"] = f"+{plain}"
    leads[1]["contact"]["Телефон"] = "+79035551002"
    return leads


def test_a_ledger_as_it_should_be_has_no_complaint(judge, ledger):
    assert judge([ANNA, SERGEY], ledger) == ""


def test_a_missing_lead_is_told(judge, ledger):
    assert "visit-02 became 0 leads" in judge([ANNA, SERGEY], ledger[:1])


def test_a_doubled_lead_is_told(judge, ledger):
    assert "visit-01 became 2 leads" in judge([ANNA, SERGEY], [*ledger, {**ledger[0], "id": 3}])


def test_a_lead_nobody_asked_for_is_told(judge, ledger):
    assert "lead 9 came from no answer" in judge([ANNA, SERGEY], [*ledger, {"id": 9, "fields": {}}])


def test_a_lead_without_its_contact_is_told(judge, ledger):
    ledger[0]["contact"] = None
    assert "lead 1 without its contact" in judge([ANNA, SERGEY], ledger)


def test_a_lead_in_the_wrong_step_is_told(judge, ledger):
    ledger[1]["step"] = "Неразобранное"
    assert "visit-02 landed in" in judge([ANNA, SERGEY], ledger)


def test_an_answer_that_stands_nowhere_is_told(judge, ledger):
    ledger[0]["notes"].remove("Капитальный")
    assert "visit-01 is lead 1 that doesn't say ['Капитальный']" in judge([ANNA, SERGEY], ledger)


def test_a_held_delivery_says_what_it_waits_for(judge, ledger):
    error = {"message": "The CRM no longer accepts our sign-in.", "remedy": "Connect the account again."}
    said = judge([ANNA, SERGEY], ledger, state="held", error=error)
    assert "visit-01 is held The CRM no longer accepts our sign-in. Connect the account again." in said


def test_one_person_with_two_contacts_is_told(judge, ledger):
    again = {**lead_of(2, ANNA_AGAIN, 12)}
    assert "…4501 has 2 contacts" in judge([ANNA, ANNA_AGAIN], [ledger[0], again])


def test_a_mark_is_looked_for_as_the_crm_keeps_it(judge, ledger):
    assert "visit-01 became 0 leads" in judge([ANNA, SERGEY], ledger, crm="envybox")
    for lead in ledger:
        lead["fields"]["mark"] = lead["fields"]["mark"].replace("-", "")
    assert judge([ANNA, SERGEY], ledger, crm="envybox") == ""


def test_where_people_are_no_records_nobody_is_split(judge, ledger):
    for lead in ledger:
        del lead["contact"]["id"]
    assert judge([ANNA, SERGEY], ledger, crm="solos") == ""
    assert "lead 1 without its contact" in judge([ANNA], [{**ledger[0], "contact": {}}], crm="solos")


def test_a_person_who_should_be_a_record_and_is_none_is_told(judge, ledger):
    del ledger[0]["contact"]["id"]
    assert "lead 1 without its contact" in judge([ANNA, SERGEY], ledger)


def test_words_that_did_not_come_along_are_told(judge, ledger):
    chosen = Chosen("Лиды", None, CHOSEN.performer, {"step_id": "12"})
    ledger[0] |= {"pipeline": "Лиды", "step": None}
    assert "visit-01 is lead 1 without {'step_id': '12'}" in judge([ANNA], ledger[:1], "solos", chosen)
    ledger[0]["fields"]["step_id"] = "12"
    assert judge([ANNA], ledger[:1], "solos", chosen) == ""
