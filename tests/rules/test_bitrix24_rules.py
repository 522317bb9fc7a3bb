"""Bitrix24's rule over HTTP, and what it names of a portal (contract D12-D15, D34-D36)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from connectors.bitrix24.connector import BitrixConnector
from connectors.draft import Placement
from crm_cache import models
from rules.models import Rule
from tests.contract.worlds import BITRIX_RULE, bitrix24

pytestmark = pytest.mark.django_db
NINE = tuple(BITRIX_RULE)


@pytest.fixture
def api(caller: Any, queued: Any) -> Client:
    """A portal with a row in every list, and its owner's client."""
    bitrix24()
    return caller("shop")


def save(api: Client, **changed: Any) -> Any:
    return api.post("/bitrix/rules/42", BITRIX_RULE | changed, content_type="application/json")


def change(api: Client, **changed: Any) -> Any:
    return api.patch("/bitrix/rules/42", changed, content_type="application/json")


def shown(api: Client) -> dict[str, Any]:
    return api.get("/bitrix/rules/42").json()


def test_a_rule_reads_as_it_was_written(api: Client) -> None:
    assert save(api).json() == "Success"
    rule = Rule.objects.get()
    assert list(shown(api).items()) == [
        ("ID", rule.pk),
        ("accountID", rule.account.remote_id),
        ("QuizID", 42),
        ("PerformerID", "1"),
        ("PipelineID", 0),
        ("TypeID", "SALE"),
        ("StageID", "NEW"),
        ("SourceID", "CALL"),
        (
            "FieldsRule",
            {
                "lead": {"QuestionID": {"7": "581"}},
                "deal": {"QuestionID": {"7": "UF_CRM_1790000582"}},
                "company": {"QuestionID": {}},
                "contact": {"QuestionID": {}, "ContactRuleMap": {"city": "584"}},
            },
        ),
        ("TagsToAdd", {"deal": ["квиз"], "Lead": []}),
        ("Deleted", False),
        ("CreatedAt", int(rule.created_at.timestamp())),
        ("LeadFlag", False),
        ("StatusID", "NEW"),
        ("Problems", []),
    ]


def test_what_was_read_can_be_sent_back(api: Client) -> None:
    save(api)
    before = shown(api)
    assert change(api, **before).status_code == 200
    assert shown(api) == before


@pytest.mark.parametrize("missing", NINE)
def test_post_demands_all_nine(api: Client, missing: str) -> None:
    body = {key: value for key, value in BITRIX_RULE.items() if key != missing}
    answer = api.post("/bitrix/rules/42", body, content_type="application/json")
    assert answer.status_code == 400
    assert missing in answer.json()


def test_nothing_and_false_are_values(api: Client) -> None:
    empty = {"PerformerID": "", "PipelineID": 0, "TypeID": "", "StageID": "", "SourceID": "", "StatusID": ""}
    assert save(api, **empty, FieldsRule={}, TagsToAdd={}, LeadFlag=False).status_code == 200
    rule = shown(api)
    assert {key: rule[key] for key in empty} == empty
    assert rule["FieldsRule"]["deal"] == {"QuestionID": {}}


@pytest.mark.parametrize("key", NINE)
def test_patch_changes_one_and_keeps_the_rest(api: Client, key: str) -> None:
    save(api)
    other = {"PipelineID": 5, "FieldsRule": {"deal": {"QuestionID": {"8": "582"}}}, "TagsToAdd": {"x": ["y"]}}
    before = shown(api)
    assert change(api, **{key: other.get(key, True if key == "LeadFlag" else "")}).status_code == 200
    after = shown(api)
    assert after[key] != before[key]
    same = {name for name in NINE if after[name] == before[name]}
    assert same == {*NINE} - {key}


@pytest.mark.parametrize(
    "wrong",
    [
        {"PipelineID": -1},
        {"PipelineID": 2**31},
        {"PipelineID": "x"},
        {"PipelineID": None},
        {"PerformerID": {}},
        {"StageID": None},
        {"StageID": "x" * 101},
        {"LeadFlag": "perhaps"},
        {"FieldsRule": []},
        {"FieldsRule": {"deal": [{"QuestionID": {}}]}},
        {"FieldsRule": {"deal": {"QuestionID": {"1": None}}}},
        {"FieldsRule": {"contact": {"ContactRuleMap": ["x"]}}},
        {"TagsToAdd": ["x"]},
        {"TagsToAdd": {"deal": "x"}},
        {"TagsToAdd": {"deal": [None]}},
        {"Quiz": "x"},
    ],
)
def test_what_is_malformed_is_refused_with_a_sentence(api: Client, wrong: Any) -> None:
    save(api)
    answer = change(api, **wrong)
    assert answer.status_code == 400
    assert isinstance(answer.json(), str)


def test_one_rule_a_quiz_and_an_unknown_performer(api: Client) -> None:
    assert save(api, PerformerID="404").status_code == 404
    assert save(api).status_code == 200
    again = save(api)
    assert (again.status_code, again.json()) == (409, "rules already exist")


def test_without_an_account_or_a_rule_it_is_404(api: Client, caller: Any) -> None:
    assert change(api, StageID="").status_code == 404
    assert api.get("/bitrix/rules/42").json() == "rules not found"
    assert save(caller("nobody")).status_code == 404


def test_an_empty_contact_map_is_filled_from_the_quiz(api: Client) -> None:
    quiz = {"contact": [{"key": "town", "title": "город"}]}
    save(api, FieldsRule={"contact": {"ContactRuleMap": {}}}, Quiz=quiz)
    assert shown(api)["FieldsRule"]["contact"]["ContactRuleMap"] == {"town": "584"}


def test_a_map_that_is_sent_back_as_it_was_shown_stays_derived(api: Client) -> None:
    quiz = {"contact": [{"key": "town", "title": "город"}]}
    save(api, FieldsRule={"contact": {"ContactRuleMap": {}}}, Quiz=quiz)
    assert change(api, **shown(api)).status_code == 200
    change(api, Quiz={"contact": [{"key": "place", "title": "город"}]})
    assert shown(api)["FieldsRule"]["contact"]["ContactRuleMap"] == {"place": "584"}


def test_a_quiz_of_one_account_may_have_a_rule_in_each_crm(api: Client) -> None:
    other = Account.objects.create(
        account_id="shop", crm="amocrm", state="active", connected_at=timezone.now()
    )
    Rule.objects.create(account=other, quiz_id=42)
    assert save(api).status_code == 200


def test_a_field_that_the_portal_lost_is_a_problem_whichever_way_it_is_named(api: Client) -> None:
    models.Field.objects.filter(entity="CRM_DEAL").update(deleted=True)
    for name in ("582", "UF_CRM_1790000582"):
        change(api, FieldsRule={"deal": {"QuestionID": {"7": name}}}) if Rule.objects.exists() else save(api)
        assert [problem["code"] for problem in shown(api)["Problems"]] == ["field_gone"]


def test_a_wish_is_a_problem_until_it_is_made(api: Client) -> None:
    save(api, FieldsRule={"deal": {"QuestionID": {"7": ""}}})
    assert [problem["code"] for problem in shown(api)["Problems"]] == ["field_wanted"]
    assert shown(api)["FieldsRule"]["deal"]["QuestionID"] == {"7": ""}


CHOICES = {"TypeID": "SALE", "SourceID": "CALL", "StatusID": "NEW"}


@pytest.mark.parametrize(
    ("pipeline", "more", "facts", "wanted"),
    [
        (
            "3",
            {},
            {},
            ["pipelines 2 3", "steps DEAL_STAGE_3 C3:NEW", "steps DEAL_TYPE SALE", "steps SOURCE CALL"],
        ),
        (
            "0",
            {},
            {},
            ["pipelines 2 0", "steps DEAL_STAGE C3:NEW", "steps DEAL_TYPE SALE", "steps SOURCE CALL"],
        ),
        ("3", {"LeadFlag": True}, {}, ["steps STATUS NEW", "steps SOURCE CALL"]),
        ("3", {"LeadFlag": True, "StatusID": "", "SourceID": ""}, {}, []),
        ("3", {"TypeID": "", "SourceID": ""}, {}, ["pipelines 2 3", "steps DEAL_STAGE_3 C3:NEW"]),
        (
            "3",
            {"LeadFlag": True, "TypeID": "", "SourceID": ""},
            {"mode": 2},
            ["pipelines 2 3", "steps DEAL_STAGE_3 C3:NEW"],
        ),
    ],
)
def test_what_a_rule_names_depends_on_what_it_makes(
    pipeline: str, more: dict[str, Any], facts: dict[str, Any], wanted: list[str]
) -> None:
    place = Placement(pipeline=pipeline, step="C3:NEW", choices=CHOICES | more)
    assert [
        f"{one.what} {one.entity} {one.remote_id}" for one in BitrixConnector.named(place, facts)
    ] == wanted
