"""The form of a rule in each CRM: what it offers, that it keeps what was there, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from accounts.history import Actor
from accounts.models import Account, AccountEvent
from crm_cache import models
from rules import versions
from rules.admin.rule_form import named_questions
from rules.models import Answer, Rule, RuleVersion
from rules.rule_save import change_rule
from tests.admin.test_pages import page_of
from tests.contract.worlds import bitrix24

AMO_MAP = {"lead": [{"QuestionID": {"1": 5000, "2": 0}}], "company": [], "customer": []}
BITRIX_MAP = {
    "lead": {"QuestionID": {"7": "581"}},
    "deal": {"QuestionID": {"7": "UF_CRM_1790000582", "8": ""}},
    "company": {"QuestionID": {}},
    "contact": {"QuestionID": {}, "ContactRuleMap": {"city": "584"}},
}
CHOICES = {"TypeID": "SALE", "SourceID": "", "StatusID": "NEW", "LeadFlag": False}


@pytest.fixture
def amo_rule(rule: Rule) -> Rule:
    Rule.objects.update(fields_rule=AMO_MAP, tags_to_add={"Lead": [models.Tag.objects.get().pk]})
    rule.refresh_from_db()
    return rule


@pytest.fixture
def bitrix_rule(db: None) -> Rule:
    """In a portal whose deals have two pipelines and whose invoices have one."""
    bitrix24()
    account = Account.objects.get(crm="bitrix24")
    for entity, number, name in (("2", "3", "Квизы"), ("31", "7", "Счета")):
        models.Pipeline.objects.create(account=account, entity=entity, remote_id=number, name=name)
    for entity, number, code in (
        ("DEAL_STAGE_3", "3", "C3:NEW"),
        ("SMART_INVOICE_STAGE_7", "7", "DT31_7:N"),
        ("OTHER", "3", "X"),
    ):
        models.Step.objects.create(
            account=account, entity=entity, pipeline_id=number, remote_id=code, name="Новая заявка"
        )
    return Rule.objects.create(
        account=account, quiz_id=42, performer="1", pipeline="0", step="NEW", fields_rule=BITRIX_MAP,
        tags_to_add={"deal": ["квиз"]}, choices=CHOICES, contact_map={"city": "584"},
    )  # fmt: skip


@pytest.fixture
def solos_rule(db: None) -> Rule:
    account = Account.objects.create(
        account_id="s", crm="solos", remote_id="s.solos.example", host="s.solos.example", state="active"
    )
    return Rule.objects.create(account=account, quiz_id=7)


@pytest.fixture(params=["amo_rule", "bitrix_rule"])
def either(request: pytest.FixtureRequest) -> Rule:
    found: Rule = request.getfixturevalue(request.param)
    return found


def form_of(client: Client, rule: Rule) -> Any:
    return client.get(page_of(rule)).context["adminform"].form


def save(client: Client, rule: Rule, **changes: Any) -> str:
    """Post the page as a browser fills it, with some of it changed; returns what was refused."""
    form = form_of(client, rule)
    shown = {name: form[name].value() for name in form.fields}
    sent = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in (shown | changes).items()
    }
    page = client.post(page_of(rule), sent)
    return str(page.context["errors"]).replace("&quot;", '"') if page.status_code == 200 else ""


def stored(rule: Rule) -> dict[str, Any]:
    return Rule.objects.filter(pk=rule.pk).values().get()


def test_what_was_there_is_saved_unchanged(operator: Client, either: Rule) -> None:
    before = stored(either)
    assert save(operator, either) == ""
    assert stored(either) == before


@pytest.mark.parametrize(
    ("kind", "placement", "step"),
    [("amo_rule", "71|142", ("71", "142")), ("bitrix_rule", "3|C3:NEW", ("3", "C3:NEW"))],
)
def test_a_step_is_changed_and_the_rest_stays(
    operator: Client, request: pytest.FixtureRequest, kind: str, placement: str, step: tuple[str, str]
) -> None:
    rule = request.getfixturevalue(kind)
    before = stored(rule)
    assert save(operator, rule, placement=placement) == ""
    after = stored(rule)
    assert (after["pipeline"], after["step"]) == step
    for name in ("fields_rule", "tags_to_add", "choices", "performer"):
        assert after[name] == before[name]


def test_only_deals_pipelines_are_offered_each_step_with_its_own(operator: Client, bitrix_rule: Rule) -> None:
    assert form_of(operator, bitrix_rule).fields["placement"].choices == [
        ("", "The CRM's own default"),
        ("Общая", [("0|", "Общая / first step"), ("0|NEW", "Общая / Новая")]),
        ("Квизы", [("3|", "Квизы / first step"), ("3|C3:NEW", "Квизы / Новая заявка")]),
    ]


def test_what_only_this_crm_asks_for_is_chosen_by_name(operator: Client, bitrix_rule: Rule) -> None:
    models.Step.objects.filter(entity="DEAL_TYPE").update(deleted=True)
    form = form_of(operator, bitrix_rule)
    assert form.fields["choice_SourceID"].choices == [("", "The CRM's own default"), ("CALL", "Новая")]
    assert form.fields["choice_TypeID"].choices[-1] == ("SALE", "Новая (not in the CRM any more)")
    assert form["choice_LeadFlag"].value() == "no"
    assert "choices" not in form.fields
    assert "Status of the lead" in operator.get(page_of(bitrix_rule)).content.decode()


def test_a_choice_is_changed_and_the_others_stay(operator: Client, bitrix_rule: Rule) -> None:
    assert save(operator, bitrix_rule, choice_SourceID="CALL", choice_LeadFlag="yes") == ""
    assert stored(bitrix_rule)["choices"] == CHOICES | {"SourceID": "CALL", "LeadFlag": True}
    assert save(operator, bitrix_rule, choice_TypeID="", choice_LeadFlag="no") == ""
    assert stored(bitrix_rule)["choices"] == CHOICES | {"SourceID": "CALL", "TypeID": ""}


def test_a_number_that_nothing_lists_is_typed(operator: Client, solos_rule: Rule) -> None:
    assert save(operator, solos_rule, choice_reference_id="17") == ""
    assert stored(solos_rule)["choices"] == {"reference_id": "17"}
    assert "Enter a valid value" in save(operator, solos_rule, choice_reference_id="seventeen")


def test_a_map_is_stored_as_the_contract_has_it(operator: Client, amo_rule: Rule, bitrix_rule: Rule) -> None:
    assert save(operator, amo_rule, fields_rule={"lead": [{"QuestionID": {"1": "5000"}}]}) == ""
    assert stored(amo_rule)["fields_rule"] == AMO_MAP | {"lead": [{"QuestionID": {"1": 5000}}]}
    assert save(operator, bitrix_rule, fields_rule={"deal": {"QuestionID": {"7": 582, "8": ""}}}) == ""
    assert stored(bitrix_rule)["fields_rule"]["deal"] == {"QuestionID": {"7": "582", "8": ""}}
    assert operator.get(page_of(bitrix_rule)).status_code == 200


@pytest.mark.parametrize(
    ("kind", "changes", "told"),
    [
        ("bitrix_rule", {"fields_rule": {"deal": [{"QuestionID": {}}]}}, "deal: "),
        ("bitrix_rule", {"fields_rule": {"deal": {"QuestionID": {"7": "U" * 101}}}}, "deal.QuestionID.7: "),
        ("bitrix_rule", {"fields_rule": {"deal": {"QuestionID": {"7": ["x"]}}}}, "deal.QuestionID.7: "),
        (
            "bitrix_rule",
            {"fields_rule": {"contact": {"ContactRuleMap": 5}}},
            "contact.ContactRuleMap: an object is needed",
        ),
        ("bitrix_rule", {"tags_to_add": {"deal": [5]}}, "deal: 5 is no tag of this account"),
        ("bitrix_rule", {"placement": "7|DT31_7:N"}, "not one of the available choices"),
        ("bitrix_rule", {"choice_SourceID": "SALE"}, "not one of the available choices"),
        ("bitrix_rule", {"choice_LeadFlag": "perhaps"}, "not one of the available choices"),
        ("amo_rule", {"fields_rule": {"lead": [{"QuestionID": {"1": ""}}]}}, "lead[0].QuestionID.1: "),
        ("amo_rule", {"fields_rule": {"lead": [{"QuestionID": {"1": -5}}]}}, "lead[0].QuestionID.1: "),
        ("amo_rule", {"fields_rule": {"company": {"QuestionID": {}}}}, "company: "),
    ],
)
def test_nonsense_is_refused_by_its_key(
    operator: Client, request: pytest.FixtureRequest, kind: str, changes: dict[str, Any], told: str
) -> None:
    rule = request.getfixturevalue(kind)
    before = stored(rule)
    assert told in save(operator, rule, **changes)
    assert stored(rule) == before


def test_a_field_is_named_by_its_id_and_by_its_code(bitrix_rule: Rule) -> None:
    models.Field.objects.filter(entity="CRM_DEAL").update(name="Город доставки")
    assert [line[:3] for line in named_questions(bitrix_rule)] == [
        ("lead", "question 7", "Город"),
        ("deal", "question 7", "Город доставки"),
        ("deal", "question 8", "still to be made"),
        ("deal", "tag", "квиз"),
    ]


def test_a_place_that_left_the_portal_is_still_named(operator: Client, bitrix_rule: Rule) -> None:
    models.Step.objects.filter(entity="DEAL_STAGE").update(deleted=True)
    placement = form_of(operator, bitrix_rule).fields["placement"]
    assert placement.choices[-1] == ("0|NEW", "Общая / Новая (not in the CRM any more)")


def test_a_viewer_sees_the_choices_and_changes_none(viewer: Client, bitrix_rule: Rule) -> None:
    html = viewer.get(page_of(bitrix_rule)).content.decode()
    assert "Status of the lead: Новая" in html
    assert viewer.post(page_of(bitrix_rule), {"choice_LeadFlag": "yes"}).status_code == 403


def test_a_preview_of_an_account_whose_host_is_not_allowed_says_so(
    operator: Client, bitrix_rule: Rule
) -> None:
    answer = Answer.objects.create(
        account_id=bitrix_rule.account.account_id, quiz_id=bitrix_rule.quiz_id, answer_id="a", digest="x",
        payload={"quizID": bitrix_rule.quiz_id, "contact": {"phone": "+79160001122"}},
    )  # fmt: skip
    form = form_of(operator, bitrix_rule)
    sent = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    Account.objects.filter(pk=bitrix_rule.account_id).update(host="169.254.169.254")
    page = operator.post(f"/admin/rules/rule/{bitrix_rule.pk}/preview/", {**sent, "answer": answer.pk})
    assert page.status_code == 200
    assert "169.254.169.254" in page.content.decode()


def test_a_page_that_was_open_during_another_save_replaces_it_knowingly_or_not_at_all(
    operator: Client, amo_rule: Rule
) -> None:
    anna = Actor(AccountEvent.By.STAFF, "anna")
    versions.write(amo_rule, RuleVersion.Event.MADE, anna)
    first = RuleVersion.objects.get()
    assert f'name="seen" value="{first.pk}"' in operator.get(page_of(amo_rule)).content.decode()
    change_rule(amo_rule.pk, {"performer": "902"}, actor=anna)
    refused = save(operator, amo_rule, new_performer="901", placement="71|142", seen=str(first.pk))
    assert "version 2 was saved while this page was open (anna)" in refused
    assert stored(amo_rule)["performer"] == "902"
    second = str(RuleVersion.objects.latest("pk").pk)
    assert save(operator, amo_rule, new_performer="901", seen=second) == ""
    assert stored(amo_rule)["performer"] == "901"
