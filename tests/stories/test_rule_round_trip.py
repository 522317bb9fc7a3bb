"""A rule is read, changed and sent back as it is; what nobody can mean is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from crm_cache.models import Tag
from rules import provisioning
from tests.stories.conftest import QUIZ

WISH = {
    "amocrm": {"Fieldsrule": {"Lead": [{"QuestionID": {"1": 0}}]}},
    "bitrix24": {"FieldsRule": {"deal": {"QuestionID": {"1": ""}}}},
}
SIDES = {"amocrm": "quiz", "bitrix24": "clinic", "envybox": "florist", "solos": "windows"}
PATHS = {
    "amocrm": "/rules/",
    "bitrix24": "/bitrix/rules/",
    "envybox": "/envybox/rules/",
    "solos": "/solos/rules/",
}


class Rules:
    """The rules of one CRM over REST."""

    def __init__(self, crm: str, side: Any) -> None:
        self.crm, self.side, self.path = crm, side, f"{PATHS[crm]}{QUIZ}"

    def shown(self) -> dict[str, Any]:
        return self.side.api.get(self.path).json()

    def change(self, **body: Any) -> Any:
        return self.side.api.patch(self.path, body, content_type="application/json")


@pytest.fixture(params=list(SIDES))
def rules(request: pytest.FixtureRequest) -> Rules:
    return Rules(request.param, request.getfixturevalue(SIDES[request.param]))


def test_a_rule_that_was_read_can_be_sent_back(rules):
    before = rules.shown()
    assert rules.change(**before).json() == "Success"
    assert rules.shown() == before


@pytest.mark.parametrize("crm", ["amocrm", "bitrix24"])
def test_a_rule_that_was_read_before_its_fields_were_made_can_be_sent_back(request, crm):
    rules = Rules(crm, request.getfixturevalue(SIDES[crm]))
    quiz = {"questions": [{"id": "1", "title": "Сколько комнат?"}]}
    rules.change(**WISH[crm], Quiz=quiz)
    read_early = rules.shown()
    provisioning.prepare_due()
    made = rules.shown()
    assert made["FieldsRule"] != read_early["FieldsRule"]

    assert rules.change(**read_early).json() == "Success"
    provisioning.prepare_due()
    assert rules.shown()["FieldsRule"] == made["FieldsRule"]


def test_keys_are_known_in_any_case(rules):
    stepless = "StepID" if "StepID" in rules.shown() else "StageID"
    assert rules.change(**{stepless.lower(): rules.shown()[stepless]}).json() == "Success"
    assert rules.change(fieldsRULE={}).json() == "Success"


def test_a_key_that_nobody_knows_is_refused_with_the_nearest(rules):
    answer = rules.change(PipelinID=1)
    assert (answer.status_code, answer.json()) == (
        400,
        "PipelinID: This key is not known; did you mean PipelineID?",
    )


def test_so_is_one_deeper_down(rules):
    part = {"Questions": {"1": 1}}
    answer = rules.change(FieldsRule={"lead": [part] if rules.crm == "amocrm" else part})
    assert answer.status_code == 400
    assert "did you mean QuestionID?" in answer.json()


def test_marks_of_former_days_are_ignored(rules):
    assert rules.change(Utms=[1]).json() == "Success"


def test_no_id_is_negative(rules):
    answer = rules.change(PerformerID=-5)
    assert answer.status_code == 400
    assert answer.json().startswith("PerformerID: ")


def test_a_tag_of_another_slot_is_refused_by_name(quiz):
    tag = Tag.objects.filter(account=quiz.account, entity="contacts", deleted=False).first()
    answer = quiz.change_rule(TagsToAdd={"Lead": [tag.pk]})
    assert answer.status_code == 400
    assert answer.json() == f"Bad Request: TagsToAdd.Lead: {tag.pk} is a tag of contacts"


def test_a_rule_whose_tag_left_the_crm_can_be_sent_back(quiz):
    tag = Tag.objects.filter(account=quiz.account, entity="leads", deleted=False).first()
    quiz.change_rule(TagsToAdd={"Lead": [tag.pk]})
    Tag.objects.filter(pk=tag.pk).update(deleted=True)
    rule = quiz.api.get(f"/rules/{QUIZ}").json()

    assert quiz.api.patch(f"/rules/{QUIZ}", rule, content_type="application/json").json() == "Success"
    assert [problem["code"] for problem in quiz.rule.problems] == ["tag_gone"]


def test_two_questions_for_one_number_are_a_problem(quiz):
    area = quiz.field_id("Площадь, м²")
    quiz.change_rule(Fieldsrule={"Lead": [{"QuestionID": {"1": area, "2": area}}]})
    [problem] = quiz.rule.problems
    assert (problem["code"], problem["field"]) == ("two_questions_one_field", "FieldsRule.lead")


def test_two_questions_for_one_text_are_none(quiz):
    field = next(one.id for one in quiz.crm.fields["leads"] if one.type == "text")
    quiz.change_rule(Fieldsrule={"Lead": [{"QuestionID": {"1": field, "2": field}}]})
    assert quiz.rule.problems == []
