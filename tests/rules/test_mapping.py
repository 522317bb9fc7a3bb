"""A rule applied to an answer, as values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connectors.base import Named
from connectors.draft import Option, Tag, Target
from connectors.errors import RuleNeedsFixing
from rules.mapping.checks import problems_of
from rules.mapping.drafting import Progress, draft_for, lead_title
from rules.mapping.note import answer_text, read_note
from rules.mapping.rule_snapshot import RuleSnapshot, Seen, questions_of, tags_of
from rules.mapping.values import utm_of

ENTITIES = {"lead": "leads", "contact": "contacts", "company": "companies"}
SIZE = Target("leads", "70", "Размер", "select", options=(Option("1", "S"),))
CITY = Target("contacts", "80", "Город", "text")
PIPELINE = Named("pipelines", "5", "Pipeline", "PipelineID")
STEP = Named("steps", "6", "Step", "StepID", pipeline="5")
SOURCE = Named("steps", "CALL", "Source", "SourceID", entity="SOURCE", vital=False)
HERE = Seen("Квизы", True)
BOOK = RuleSnapshot(
    rule_id=1,
    quiz_id=42,
    entities=ENTITIES,
    region="RU",
    performer="9",
    pipeline="5",
    step="6",
    questions=(("lead", "1", "70"),),
    contact_map={"district": "80"},
    tags_to_add=(("lead", 3), ("contact", "квиз")),
    seen_people={"9": Seen("Игорь", True)},
    named=((PIPELINE, HERE), (STEP, Seen("Дозвон", True, "open"))),
    fields={("leads", "70"): SIZE, ("contacts", "80"): CITY},
    tags={3: Tag("leads", "горячий", "300")},
)
PROGRESS = Progress("qz1", datetime(2026, 1, 2, tzinfo=UTC))


def draft(payload, **changes):
    return draft_for(replace(BOOK, **changes), payload, PROGRESS)


def test_everything_the_rule_names_is_in_the_draft():
    made = draft(
        {
            "quiz": {"title": "Окна"},
            "contact": {"name": "Анна", "phone": "89990001122", "company": "Ромашка", "district": "Центр"},
            "answers": [{"questionID": 1, "question": "Размер?", "answer": "S"}],
            "utm": {"utm_source": "ads", "medium": "cpc", "utm_term": ""},
        }
    )
    assert (made.uid, made.title, made.company) == ("qz1", "Окна: Анна", "Ромашка")
    assert made.person.phones == ("+79990001122",)
    assert (made.placement.performer, made.placement.pipeline, made.placement.step) == ("9", "5", "6")
    assert [(v.target, v.text) for v in made.values] == [(SIZE, "S"), (CITY, "Центр")]
    assert made.tags == (Tag("leads", "горячий", "300"), Tag("contacts", "квиз"))
    assert made.utm == {"utm_source": "ads", "utm_medium": "cpc"}
    assert made.losses == ()


def test_an_unanswered_question_fills_nothing():
    assert (
        draft({"answers": [{"questionID": "1", "answer": " "}, {"questionID": "2", "answer": "x"}]}).values
        == ()
    )
    assert draft({}).values == ()


def test_several_choices_stay_several():
    made = draft({"answers": [{"questionID": "1", "answer": ["S", "", None, "M"]}]})
    assert made.values[0].texts == ("S", "M")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fields": {}}, "the CRM has no such field"),
        ({"fields": {}, "gone_fields": frozenset({("leads", "70")})}, "the field was deleted in the CRM"),
        ({"questions": (("lead", "1", "0"),)}, "the field is still to be made"),
        ({"questions": (("deal", "1", "70"),)}, "this CRM has no such record"),
    ],
)
def test_what_has_no_place_is_a_loss_with_its_reason(changes, reason):
    made = draft({"answers": [{"questionID": "1", "question": "Размер?", "answer": "S"}]}, **changes)
    assert made.values == ()
    assert [(loss.question, loss.value, loss.reason) for loss in made.losses] == [("Размер?", "S", reason)]


def test_two_questions_for_one_field_are_the_connectors_to_unite():
    made = draft(
        {"answers": [{"questionID": "1", "answer": "S"}, {"questionID": "2", "answer": "M"}]},
        questions=(("lead", "1", "70"), ("lead", "2", "70"), ("lead", "2", "70")),
    )
    assert [value.text for value in made.values] == ["S", "M"]


def test_one_question_that_comes_twice_adds_up():
    answers = [("1", "S"), ("2", "x"), (1, ["M", "L"]), ("1", None)]
    made = draft({"answers": [{"questionID": key, "answer": value} for key, value in answers]})
    assert [value.texts for value in made.values] == [("S", "M", "L")]


def test_what_only_some_crms_have_a_place_for_goes_along():
    contact = {"name": "Анна", "workPhone": "+74951234567", "ИНН": 7700000000, "position": "Директор"}
    made = draft({"contact": contact, "timezone": "UTC+5", "extra": {"a": 1}})
    assert made.more == {
        "work_phone": "+74951234567",
        "inn": "7700000000",
        "position": "Директор",
        "timezone": "UTC+5",
        "extra": "a: 1",
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"named": ((PIPELINE, HERE), (STEP, None))}, "step_gone"),
        ({"named": ((PIPELINE, HERE), (STEP, Seen("Дозвон", False)))}, "step_gone"),
        ({"named": ((PIPELINE, Seen("Квизы", False)), (STEP, None))}, "pipeline_gone"),
        ({"pipeline": "", "named": ((STEP, None),)}, "step_missing_pipeline"),
    ],
)
def test_a_lead_that_would_land_in_the_wrong_place_is_not_drafted(changes, code):
    with pytest.raises(RuleNeedsFixing) as error:
        draft({}, **changes)
    assert error.value.code == code
    assert error.value.remedy
    assert problems_of(replace(BOOK, **changes))[0].code == code


def test_someone_who_left_is_not_made_responsible():
    gone = {"seen_people": {"9": Seen("Олег", False)}}
    assert draft({}, **gone).placement.performer == ""
    assert [p.code for p in problems_of(replace(BOOK, **gone))] == ["performer_gone"]


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"tags": {}}, ["tag_gone"]),
        ({"fields": {}}, ["field_gone"]),
        ({"questions": (("lead", "1", "0"),)}, ["field_wanted"]),
        ({"questions": (("deal", "1", "5"),)}, ["entity_unknown"]),
        (
            {"fields": {}, "named": ((PIPELINE, HERE), (STEP, None), (SOURCE, None))},
            ["step_gone", "entry_gone", "field_gone"],
        ),
    ],
)
def test_problems_stand_in_order_of_weight(changes, codes):
    problems = problems_of(replace(BOOK, **changes))
    assert [problem.code for problem in problems] == codes
    assert all(problem.message and problem.field for problem in problems)


@pytest.mark.parametrize(
    ("contact", "title"),
    [
        ({"name": "Анна"}, "Окна: Анна"),
        ({"phone": "+7999"}, "Окна: +7999"),
        ({}, "Квиз Окна"),
    ],
)
def test_titles(contact, title):
    assert lead_title("Окна", contact) == title
    assert len(lead_title("О" * 999, contact)) <= 250


def test_marks_come_under_both_names():
    assert utm_of({"utm": {"source": "a", "UTM_Campaign": "b", "fbclid": "c"}}) == {
        "utm_source": "a",
        "utm_campaign": "b",
        "fbclid": "c",
    }
    assert utm_of({}) == {}
    assert draft({"utm": {"utm_source": ["ads", "mail"], "source": "later"}}).utm == {"utm_source": "ads"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "да"),
        (False, "нет"),
        (["a", "b"], "a, b"),
        ({"a": 1}, "a: 1"),
        (None, ""),
        (1.5, "1.5"),
        (" x ", "x"),
        ([None, ["a", True]], "a, да"),
    ],
)
def test_an_answer_of_any_shape_is_one_line(value, text):
    assert answer_text(value) == text


def test_the_note_has_every_question_and_is_never_cut():
    answers = [{"questionID": n, "question": f"Вопрос {n}", "answer": "да" * 50} for n in range(400)]
    note = read_note({"answers": answers, "contact": {"name": "Анна"}, "utm": {"utm_source": "ads"}}, "Окна")
    assert note.startswith("Квиз: Окна")
    assert all(f"Вопрос {n}: " + "да" * 50 in note for n in range(400))
    assert "Вопрос 1: —" in read_note({"answers": [{"questionID": 1, "question": "Вопрос 1"}]}, "Окна")


ANSWER = {
    "quiz": {"title": "Windows"},
    "result": "Warm",
    "answers": [{"questionID": "1", "question": "Rush?", "answer": [True, "S"]}],
    "contact": {"phone": "12"},
    "page": "https://quiz.example",
}


@pytest.mark.parametrize(
    ("language", "title", "note", "value"),
    [
        (
            "ru",
            "Windows: 12",
            "Квиз: Windows\nРезультат: Warm\n\nRush?: да, S\n\nТелефон: 12\nСтраница: https://quiz.example"
            "\n\nНомера вопросов: 1",
            "да, S",
        ),
        (
            "en",
            "Windows: 12",
            "Quiz: Windows\nResult: Warm\n\nRush?: yes, S\n\nPhone: 12\nPage: https://quiz.example"
            "\n\nQuestion ids: 1",
            "yes, S",
        ),
    ],
)
def test_all_that_people_read_is_in_one_language(language, title, note, value):
    made = draft(ANSWER, language=language)
    assert (made.title, made.note, made.language) == (title, note, language)
    assert made.values[0].text == value
    assert [loss.reason for loss in made.losses] == ["it can't be read as a phone number"]
    assert draft(ANSWER, language=language, fields={}).losses[-1].value == value


def test_a_quiz_without_a_person_gives_its_name():
    assert lead_title("Windows", {}, "en") == "Quiz Windows"


def test_a_note_tells_what_nobody_expected_with_its_path():
    payload = {
        "quizID": 42,
        "answerID": "k-1",
        "quiz": {"title": "Окна", "version": 7},
        "contact": {"name": {"firstName": "Анна", "lastName": "Белова"}, "address": {"street": "Мира 1"}},
        "answers": [
            {"questionID": "plan", "type": "file", "question": "План?", "score": 5,
             "answer": [{"url": "https://cdn.example/1.pdf", "name": "план.pdf"}]},
            {"questionID": "2", "answer": {"value": True}},
            "лишнее",
        ],
        "utm": {"utm_source": ["ads", "mail"]},
        "price": 1500.0,
        "extra": {"discount": 10, "lines": [{"sku": "A"}, ["B", "C"]]},
    }  # fmt: skip
    assert read_note(payload, "Окна").split("\n") == [
        "Квиз: Окна",
        "quiz / version: 7",
        "",
        "План?: план.pdf https://cdn.example/1.pdf",
        "План? / score: 5",
        "2: да",
        "answers / 3: лишнее",
        "",
        "Имя / firstName: Анна",
        "Имя / lastName: Белова",
        "address / street: Мира 1",
        "Цена: 1500",
        "utm_source: ads, mail",
        "",
        "extra / discount: 10",
        "extra / lines / 1 / sku: A",
        "extra / lines / 2: B, C",
        "Номер квиза: 42",
        "Номер ответа: k-1",
        "Номера вопросов: plan file; 2",
    ]


def test_both_contract_shapes_name_the_same_questions():
    arrays = {
        "lead": [{"QuestionID": {"1": 70}}, {"QuestionID": {"2": 71}}],
        "contact": [{"ContactRuleMap": {}}],
    }
    objects = {"lead": {"QuestionID": {"1": "70", "2": "71"}}, "contact": {"ContactRuleMap": {}}}
    expected = [("lead", "1", "70"), ("lead", "2", "71")]
    assert list(questions_of(arrays)) == list(questions_of(objects)) == expected
    assert list(tags_of({"Lead": [1], "deal": ["квиз"]})) == [("lead", 1), ("deal", "квиз")]
