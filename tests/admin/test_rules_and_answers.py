"""Mending a rule by hand, and planning deliveries for answers that came before their rule."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from connectors.messages import from_column
from crm_cache.models import CrmUser, Pipeline, Tag
from rules.admin.rule_routes import extra_of
from rules.models import Answer, Delivery, Rule
from tests.admin.conftest import open_shop
from tests.admin.test_pages import list_of, page_of


def filled(rule: Rule, **changes: Any) -> dict[str, Any]:
    asked = {"new_performer": rule.performer, "placement": f"{rule.pipeline}|{rule.step}"}
    maps = {name: getattr(rule, name) for name in ("fields_rule", "tags_to_add", "choices")}
    asked |= {**maps, "extra": extra_of(rule), **changes}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in asked.items()}


def errors(client: Client, rule: Rule, **changes: Any) -> str:
    page = client.post(page_of(rule), filled(rule, **changes))
    return str(page.context["errors"]) if page.status_code == 200 else ""


def test_people_pipelines_and_steps_are_chosen_by_name(operator: Client, rule: Rule) -> None:
    fields = operator.get(page_of(rule)).context["adminform"].form.fields
    assert ("902", "Олег") in fields["new_performer"].choices
    wholesale = [("71|", "Wholesale / first step"), ("71|142", "Wholesale / Big order")]
    assert ("Wholesale", wholesale) in fields["placement"].choices


def test_what_has_left_the_crm_is_still_named(operator: Client, rule: Rule) -> None:
    CrmUser.objects.filter(remote_id="901").update(deleted=True)
    Pipeline.objects.filter(remote_id="70").update(deleted=True)
    fields = operator.get(page_of(rule)).context["adminform"].form.fields
    assert fields["new_performer"].choices[-1] == ("901", "Маша (not available any more)")
    assert fields["placement"].choices[-1] == ("70|142", "Sales / New order (not in the CRM any more)")


def test_a_saved_rule_goes_the_way_of_the_api_and_frees_what_it_held(
    operator: Client, rule: Rule, deliver: Callable[..., Delivery]
) -> None:
    held, refused = deliver("held", held_because="fix_rule"), deliver("held")
    operator.post(page_of(rule), filled(rule, placement="71|142", new_performer="902"))
    rule.refresh_from_db()
    assert (rule.performer, rule.pipeline, rule.step) == ("902", "71", "142")
    assert rule.prepare_at is not None
    assert [Delivery.objects.get(pk=row.pk).state for row in (held, refused)] == ["waiting", "held"]


def test_a_rule_saved_without_a_change_stays_as_it_is(operator: Client, rule: Rule) -> None:
    before = rule.updated_at
    assert operator.post(page_of(rule), filled(rule)).status_code == 302
    rule.refresh_from_db()
    assert (rule.updated_at, rule.prepare_at) == (before, None)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"fields_rule": "{not json"}, "valid JSON"),
        ({"fields_rule": []}, "It has to be an object"),
        ({"fields_rule": {"lead": [5]}}, "lead[0]: an object is needed"),
        ({"fields_rule": {"lead": [{"QuestionID": 7}]}}, "lead[0].QuestionID: an object is needed"),
        (
            {"fields_rule": {"lead": [{"QuestionID": {"3": None}}]}},
            "lead[0].QuestionID.3: a field is needed",
        ),
        ({"fields_rule": {"lead": {"QuestionID": {"3": True}}}}, "lead.QuestionID.3: a field is needed"),
        (
            {"fields_rule": {"lead": [{"QuestionID": {"3": "UF_CRM_5"}}]}},
            "lead[0].QuestionID.3: A valid integer",
        ),
        ({"fields_rule": {"lead": {"QuestionID": {"3": 5}}}}, "lead: Expected a list"),
        ({"tags_to_add": {"lead": 4}}, "lead: a list of tags is needed"),
        ({"tags_to_add": {"lead": [{}]}}, "lead[0]: a tag"),
        ({"tags_to_add": {"lead": [987654]}}, "lead: 987654 is no tag of this account"),
        ({"placement": "71|999"}, "not one of the available choices"),
    ],
)
def test_a_wrong_map_is_refused_by_its_key(
    operator: Client, rule: Rule, changes: dict[str, Any], told: str
) -> None:
    assert told in errors(operator, rule, **changes).replace("&#x27;", "'")


def test_a_tag_of_somebody_else_is_refused(operator: Client, rule: Rule) -> None:
    theirs = Tag.objects.get(account=open_shop("other", "Other"))
    assert f"{theirs.pk} is no tag of this account" in errors(
        operator, rule, tags_to_add={"lead": [theirs.pk]}
    )


def test_a_viewer_reads_a_rule_and_edits_nothing(viewer: Client, rule: Rule) -> None:
    html = viewer.get(page_of(rule)).content.decode()
    assert "Sales / New order" in html
    assert "Маша" in html
    assert viewer.post(page_of(rule), filled(rule, placement="71|142")).status_code == 403


def test_the_rule_of_a_farewelled_account_is_read_only(operator: Client, rule: Rule) -> None:
    Account.objects.update(deleted=True, state="disconnected")
    assert operator.post(page_of(rule), filled(rule)).status_code == 403


# -- answers -------------------------------------------------------------------------------------------------


def answer(answer_id: str, account_id: str = "shop", quiz_id: int = 101) -> Answer:
    payload = {"quizID": quiz_id, "contact": {"phone": "+79160001122"}}
    return Answer.objects.create(
        account_id=account_id, quiz_id=quiz_id, answer_id=answer_id, payload=payload, digest="x"
    )


def plan(client: Client, rows: list[Answer], **more: str) -> Any:
    keys = [row.pk for row in rows]
    return client.post(list_of(Answer), {"action": "plan", "_selected_action": keys, **more}, follow=True)


def test_answers_without_deliveries_are_counted_first(
    operator: Client, rule: Rule, deliver: Callable[..., Delivery]
) -> None:
    rows = [answer("early"), answer("earlier"), deliver().answer]
    html = plan(operator, rows).content.decode()
    assert "2 answers without deliveries will get one for each rule of their quiz." in html
    assert "1 answer with deliveries, or purged, will be left alone." in html
    assert Delivery.objects.count() == 1


def test_answers_of_several_quiz_accounts_meet_todays_rules(
    operator: Client, rule: Rule, woken: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    open_shop("other", "Other")
    rows = [answer("early"), answer("theirs", "other"), answer("elsewhere", quiz_id=55)]
    with django_capture_on_commit_callbacks(execute=True):
        html = plan(operator, rows, confirmed="yes").content.decode()
    assert "1 delivery planned for 3 answers." in html
    assert [row.answer.answer_id for row in Delivery.objects.all()] == ["early"]
    assert woken == [rule.account_id]


def test_planning_twice_makes_one_delivery(operator: Client, rule: Rule) -> None:
    early = answer("early")
    plan(operator, [early], confirmed="yes")
    plan(operator, [early], confirmed="yes")
    assert Delivery.objects.count() == 1


def test_answers_without_deliveries_can_be_found(
    operator: Client, rule: Rule, deliver: Callable[..., Delivery]
) -> None:
    deliver()
    answer("early")
    rows = operator.get(f"{list_of(Answer)}?planned=no").context["cl"].result_list
    assert [row.answer_id for row in rows] == ["early"]


def test_a_viewer_plans_nothing(viewer: Client, rule: Rule) -> None:
    plan(viewer, [answer("early")], confirmed="yes")
    assert Delivery.objects.count() == 0


def early(rule: Rule, number: int, days: float) -> Answer:
    return Answer.objects.create(
        account_id=rule.account.account_id, quiz_id=rule.quiz_id, answer_id=f"early-{number}", digest="x",
        payload={"quizID": rule.quiz_id}, created_at=timezone.now() - timedelta(days=days),
    )  # fmt: skip


def test_earlier_answers_are_counted_first_and_then_delivered(
    operator: Client, viewer: Client, rule: Rule, deliver: Callable[..., Delivery]
) -> None:
    deliver("delivered")
    for number, days in enumerate((0.5, 3, 40)):
        early(rule, number, days)
    Answer.objects.filter(answer_id=early(rule, 9, 100).answer_id).update(
        payload={}, purged_at=timezone.now()
    )
    url = page_of(rule, "backfill")

    assert url in operator.get(page_of(rule)).content.decode()
    html = operator.get(url).content.decode()
    assert "the last 24 hours: 1" in html
    assert "the last 7 days: 2" in html
    assert "all that are kept: 3" in html
    assert "1 further answer" in html
    assert Delivery.objects.count() == 1

    assert viewer.get(url).status_code == 403
    operator.post(url, {"confirmed": "yes", "answers": "7"})
    assert Delivery.objects.count() == 3
    history = LogEntry.objects.get(object_id=str(rule.pk))
    assert "2 deliveries" in from_column(history.change_message)
    operator.post(url, {"confirmed": "yes", "answers": "0"})
    assert Delivery.objects.count() == 4

    Rule.objects.update(deleted=True)
    assert operator.get(url).status_code == 404
    assert url not in operator.get(page_of(rule)).content.decode()


@pytest.mark.parametrize(
    ("complete", "words"), [(False, "more is awaited"), (True, "the answer is complete")]
)
def test_an_answer_says_whether_more_is_awaited(operator: Client, complete: bool, words: str) -> None:
    answer = Answer.objects.create(
        account_id="shop", quiz_id=42, answer_id="k-1", payload={}, digest="x", complete=complete, revision=2
    )
    assert f"2 bodies came; {words}" in operator.get(page_of(answer)).content.decode()
