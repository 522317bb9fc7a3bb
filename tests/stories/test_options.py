"""Options of a quiz that the CRM calls otherwise: mapped, offered by likeness, told once where new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from accounts import db_clock
from crm_cache import models as cache
from rules import observed_options, people, provisioning, retention
from rules.mapping.rule_snapshot import read_snapshot
from rules.models import Answer, Delivery, QuizOption, Rule
from tests.stories.conftest import QUIZ
from tests.stories.test_rule_round_trip import PATHS, SIDES

NAME = "Тип ремонта"
ASKED = {"questionID": "1", "question": "Какой ремонт?"}


@dataclass
class Choosing:
    """A rule whose question goes into a list with Косметический, Капитальный and Дизайнерский."""

    side: Any
    record: str
    field: Any

    @property
    def path(self) -> str:
        return f"{PATHS[self.side.account.crm]}{QUIZ}"

    def answer(self, *texts: str, **more: Any) -> None:
        said = texts[0] if len(texts) == 1 else list(texts)
        self.side.post(answers=[{**ASKED, "answer": said}], **more)
        self.side.work()

    def option(self, text: str) -> Any:
        row = self.row
        found = next(one["id"] for one in row.options if one["text"] == text)
        return int(found) if isinstance(self.field, int) else found

    @property
    def row(self) -> cache.Field:
        return cache.Field.objects.get(account=self.side.account, remote_id=self.field)

    def map(self, **meant: Any) -> Any:
        said = {"Record": self.record, "Question": "1", "Field": self.field, "Map": meant}
        return self.side.api.patch(self.path, {"Extra": {"Options": [said]}}, content_type="application/json")

    @property
    def problems(self) -> list[str]:
        shown = self.side.api.get(self.path).json()["Problems"]
        return [one["code"] for one in shown]

    @property
    def texts(self) -> dict[str, Any]:
        [one] = self.side.api.get(f"{self.path}/options").json()["items"]
        return {text["text"]: text for text in one["texts"]}

    @property
    def values(self) -> list[Any]:
        """What the field holds, of each lead in order."""
        return [lead["fields"].get(NAME) for lead in self.side.leads]

    @property
    def losses(self) -> list[Any]:
        return [row.losses for row in Delivery.objects.order_by("pk")]


def in_list(request: pytest.FixtureRequest, crm: str) -> Choosing:
    side = request.getfixturevalue(SIDES[crm])
    if crm == "envybox":
        # Nobody has seen how Envybox tells its options, so its field has them in our lists alone.
        field = side.field_id("Бюджет")
        options = [{"id": str(n), "text": text} for n, text in enumerate(
            ("Косметический", "Капитальный", "Дизайнерский"), start=31)]  # fmt: skip
        cache.Field.objects.filter(remote_id=field).update(name=NAME, type="3", options=options)
        side.change_rule(FieldsRule={"deal": {"QuestionID": {"1": field}}})
        return Choosing(side, "deal", field)
    field = side.field_id(NAME)
    if crm == "amocrm":
        side.change_rule(Fieldsrule={"Lead": [{"QuestionID": {"1": field}}]})
        return Choosing(side, "lead", field)
    side.change_rule(FieldsRule={"deal": {"QuestionID": {"1": str(field)}}})
    return Choosing(side, "deal", str(field))


@pytest.fixture(params=["amocrm", "bitrix24", "envybox"])
def list_(transactional_db: None, request: pytest.FixtureRequest) -> Choosing:
    return in_list(request, request.param)


@pytest.fixture
def amo_list(transactional_db: None, request: pytest.FixtureRequest) -> Choosing:
    return in_list(request, "amocrm")


def test_what_is_mapped_is_the_option_and_no_loss_in_every_crm_that_can(list_):
    assert list_.map(**{"Под ключ": list_.option("Капитальный"), "Пока не решили": None}).json() == "Success"
    shown = list_.side.api.get(list_.path).json()
    assert list_.side.api.patch(list_.path, shown, content_type="application/json").json() == "Success"
    assert list_.side.api.get(list_.path).json()["Extra"] == shown["Extra"]
    list_.answer("под ключ")
    list_.answer("Пока не решили")
    list_.answer("косметический")
    assert list_.losses == [[], [], []]
    assert list_.problems == []
    if list_.side.account.crm == "envybox":
        sent = [str(one.request.body) for one in list_.side.box.journal]
        assert [sum(f'"{option}"' in body for body in sent) > 0 for option in (32, 31)] == [True, True]
    else:
        assert list_.values == ["Капитальный", None, "Косметический"]
        assert "Пока не решили" in list_.side.leads[1]["notes"][0]


def test_a_new_option_is_told_once_and_goes_once_it_is_mapped(list_):
    list_.answer("Под ключ")
    assert list_.problems == ["option_unmapped"]
    assert [len(losses) for losses in list_.losses] == [1]
    list_.answer("Под ключ")
    assert list_.problems == ["option_unmapped"]
    assert list_.texts["Под ключ"]["meaning"] == "unknown"
    assert list_.texts["Под ключ"]["likely"] is None
    list_.map(**{"Под ключ": list_.option("Дизайнерский")})
    assert list_.problems == []
    assert list_.texts["Под ключ"]["meaning"] == "mapped"
    assert list_.texts["Под ключ"]["option"] == list_.option("Дизайнерский")
    list_.answer("Под ключ")
    assert list_.losses[2] == []


def test_each_of_several_answers_is_looked_up(clinic):
    rooms = str(clinic.field_id("Комнаты"))
    clinic.change_rule(FieldsRule={"deal": {"QuestionID": {"1": rooms}}})
    options = {one["text"]: one["id"] for one in cache.Field.objects.get(remote_id=rooms).options}
    meant = {"Санузел": options["Ванная"], "Кладовка": None}
    said = [{"Record": "deal", "Question": "1", "Field": rooms, "Map": meant}]
    assert clinic.change_rule(Extra={"Options": said}).json() == "Success"
    clinic.post(answers=[{**ASKED, "answer": ["Кухня", "Санузел", "Кладовка"]}])
    clinic.post(answers=[{**ASKED, "answer": "Кухня, санузел, кладовка, чердак"}])
    clinic.work()
    [first, second] = clinic.leads
    assert first["fields"]["Комнаты"] == ["Кухня", "Ванная"]
    assert "Комнаты" not in second["fields"]
    [told] = clinic.shown_rule()["Problems"]
    assert "«чердак»" in told["message"]
    assert "санузел" not in told["message"].lower()


def test_what_is_alike_is_offered_and_sent_once_it_is_saved(amo_list):
    amo_list.answer("Дизайнерский ремонт")
    amo_list.answer("Капитальные")
    texts = amo_list.texts
    assert [one["text"] for one in texts["Дизайнерский ремонт"]["offers"]] == ["Дизайнерский"]
    assert texts["Капитальные"]["likely"] == amo_list.option("Капитальный")
    assert amo_list.problems == ["option_likely", "option_unmapped"]
    assert amo_list.values == [None, None]
    amo_list.map(**{text: amo_list.option(meant) for text, meant in (
        ("Капитальные", "Капитальный"), ("Дизайнерский ремонт", "Дизайнерский"))})  # fmt: skip
    amo_list.answer("Капитальные")
    assert amo_list.values[-1] == "Капитальный"


def enums_of(amo_list: Choosing) -> list[Any]:
    found: list[Any] = amo_list.side.crm.fields["leads"].named(NAME).enums
    return found


def test_an_option_that_left_the_crm_is_told_and_its_answers_are_in_the_note(amo_list):
    amo_list.map(**{"Под ключ": amo_list.option("Дизайнерский")})
    enums_of(amo_list)[2:] = []
    amo_list.side.sync()
    provisioning.prepare_due()
    assert amo_list.problems == ["option_gone"]
    amo_list.answer("Под ключ")
    assert amo_list.values == [None]
    assert amo_list.problems == ["option_gone"]
    assert amo_list.texts["Под ключ"]["meaning"] == "gone"
    # What the rule said before may stay while something else is saved.
    shown = amo_list.side.api.get(amo_list.path).json()
    assert amo_list.side.api.patch(amo_list.path, shown, content_type="application/json").json() == "Success"
    amo_list.map(**{"Под ключ": amo_list.option("Капитальный")})
    assert amo_list.problems == []


def test_a_new_option_of_the_crm_that_is_like_the_quizs_is_told(amo_list):
    amo_list.answer("Евроремонт под ключ")
    assert amo_list.problems == ["option_unmapped"]
    enums_of(amo_list)[0].value = "Евро-ремонт под ключ"
    amo_list.side.sync()
    provisioning.prepare_due()
    assert amo_list.problems == ["option_likely"]
    enums_of(amo_list)[0].value = "Евроремонт под ключ"
    amo_list.side.sync()
    provisioning.prepare_due()
    assert amo_list.problems == []


def test_what_the_configuration_of_the_quiz_offers_is_told_before_it_is_answered(amo_list):
    quiz = {"questions": [{"id": "1", "title": "Какой?", "options": ["Капитальный", "Никакой"]}]}
    amo_list.side.change_rule(Quiz=quiz)
    assert amo_list.problems == ["option_unmapped"]
    assert [amo_list.texts[text]["meaning"] for text in ("Капитальный", "Никакой")] == ["same", "unknown"]


def test_an_option_that_no_field_has_is_refused_by_its_place(list_):
    def refused(**changed: Any) -> tuple[int, str]:
        said = {
            "Record": list_.record,
            "Question": "1",
            "Field": list_.field,
            "Map": {"Да": list_.option("Капитальный")},
            **changed,
        }
        answer = list_.side.api.patch(
            list_.path, {"Extra": {"Options": [said]}}, content_type="application/json"
        )
        return answer.status_code, answer.json().removeprefix("Bad Request: ").partition(": ")[0]

    before = list_.side.api.get(list_.path).json()
    text = cache.Field.objects.filter(
        account=list_.side.account, options=[], entity=list_.row.entity, deleted=False
    )
    wrong = [
        ({"Map": {"Да": 987654}}, "Extra.Options[0].Map.Да"),
        ({"Map": {"Да": True}}, "Extra.Options[0].Map.Да"),
        ({"Map": {"Да": ""}}, "Extra.Options[0].Map.Да"),
        ({"Map": {}}, "Extra.Options[0].Map"),
        ({"Map": []}, "Extra.Options[0].Map"),
        ({"Map": {" ": None}}, "Extra.Options[0].Map. "),
        ({"Map": {"Да": None, "да ": None}}, "Extra.Options[0].Map.да"),
        ({"Map": {"x" * 201: None}}, f"Extra.Options[0].Map.{'x' * 200}"),
        ({"Record": "lamp"}, "Extra.Options[0].Record"),
        ({"Question": ""}, "Extra.Options[0].Question"),
        ({"Question": ["1"]}, "Extra.Options[0].Question"),
        ({"Field": 0}, "Extra.Options[0].Field"),
        ({"Field": {}}, "Extra.Options[0].Field"),
        ({"Fields": 1}, "Extra.Options[0].Fields"),
        ({"Field": text.first().remote_id}, "Extra.Options[0].Field"),
    ]
    for changed, at in wrong:
        assert refused(**changed) == (400, at), changed
    assert list_.side.api.get(list_.path).json() == before


def test_where_nobody_knows_options_none_can_be_mapped(windows):
    field = cache.Field.objects.filter(account=windows.account, deleted=False).first()
    record = next(iter(windows.api.get(f"/solos/rules/{QUIZ}").json()["FieldsRule"]))
    said = {"Record": record, "Question": "1", "Field": field.remote_id, "Map": {"Да": "1"}}
    answer = windows.api.patch(
        f"/solos/rules/{QUIZ}", {"Extra": {"Options": [said]}}, content_type="application/json"
    )
    assert answer.status_code == 400
    assert "has no options" in answer.json()
    assert windows.api.get(f"/solos/rules/{QUIZ}/options").json() == {"items": []}


def test_the_preview_has_the_option(amo_list):
    option = amo_list.option("Капитальный")
    amo_list.map(**{"Под ключ": option})
    shown = amo_list.side.api.post(
        f"{amo_list.path}/preview", {"answer": {"answers": [{**ASKED, "answer": "Под ключ"}]}},
        content_type="application/json",
    ).json()  # fmt: skip
    assert shown["losses"] == []
    assert str(option) in str(shown["requests"])
    assert QuizOption.objects.count() == 0


# -- what is kept of what was answered ----------------------------------------------------------------------


def kept() -> set[str]:
    return set(QuizOption.objects.values_list("text", flat=True))


def test_only_what_may_be_an_option_of_such_a_field_is_kept(amo_list):
    comment = amo_list.side.field_id("Площадь, м²")
    lead = {"QuestionID": {"1": amo_list.field, "2": comment}}
    amo_list.side.change_rule(Fieldsrule={"Lead": [lead]})
    other = {"questionID": "2", "question": "Площадь?", "answer": "54"}
    for text in ("Под ключ", "anna@mail.example", "Звоните +7 916 123-45-67", "сказка " * 40):
        amo_list.side.post(answers=[{**ASKED, "answer": text}, other])
    amo_list.side.work()
    assert kept() == {"Под ключ"}


def test_no_more_than_so_many_of_a_question_are_kept(amo_list, monkeypatch):
    few = observed_options.WRITE.replace(f"< {observed_options.MOST_OBSERVED}", "< 3")
    monkeypatch.setattr(observed_options, "WRITE", few)
    for number in range(5):
        amo_list.answer(f"Вариант {number}")
    assert len(kept()) == 3
    assert all(row.state == "delivered" for row in Delivery.objects.all())


def test_they_are_erased_with_the_person_and_the_problem_with_them(amo_list):
    amo_list.answer("Тайна Петровых", contact={"name": "Пётр", "phone": "+79161234567"})
    amo_list.answer("Под ключ")
    amo_list.answer("под ключ")
    assert kept() == {"Тайна Петровых", "Под ключ", "под ключ"}
    people.erase(people.who(phone="+79161234567"), "staff")
    assert kept() == {"Под ключ", "под ключ"}
    provisioning.prepare_due()
    [problem] = Rule.objects.get().problems
    assert "Тайна" not in str(problem)
    assert problem["message"].lower().count("под ключ") == 1
    retention.empty(Answer.objects.values_list("pk", flat=True))
    provisioning.prepare_due()
    assert (kept(), Rule.objects.get().problems) == (set(), [])


def test_a_known_option_costs_no_statement(amo_list, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(db_clock, "now", timezone.now)
    amo_list.answer("Капитальный")
    snapshot = read_snapshot(amo_list.side.rule, amo_list.side.account)
    payload = {"answers": [{**ASKED, "answer": "Капитальный"}]}
    answered = observed_options.Answered(Answer.objects.get().pk, snapshot, payload)
    with django_assert_num_queries(0):
        assert observed_options.observe([answered], set()) == set()
