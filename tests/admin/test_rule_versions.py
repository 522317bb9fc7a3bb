"""Versions of a rule: who changed which field from what to what, and going back; pausing and deleting it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.history import OWNER, Actor
from accounts.models import Account, AccountEvent
from crm_cache.models import Tag
from rules import retention
from rules.admin.versions import history_of
from rules.models import Delivery, Rule, RuleVersion
from rules.rule_save import change_rule, create_rule
from tests.admin.test_pages import page_of, queries
from tests.admin.test_rule_form import save

ANNA = Actor(AccountEvent.By.STAFF, "anna")
MAPPED = {"lead": [{"QuestionID": {"1": 5000}}]}


@pytest.fixture
def made(shop: Account) -> Rule:
    """Made over REST, mended by Anna."""
    rule = create_rule(shop, 102, {"performer": "901", "pipeline": "70", "step": "142"}, OWNER)
    tag = Tag.objects.get().pk
    change_rule(rule.pk, {"fields_rule": MAPPED, "tags_to_add": {"Lead": [tag]}}, actor=ANNA)
    rule.refresh_from_db()
    return rule


def test_each_change_is_told_by_names_with_who_made_it(operator: Client, made: Rule) -> None:
    save(operator, made, placement="71|142", new_performer="902")
    page = operator.get(page_of(made, "versions"))
    told = [
        (one["row"].number, one["who"], [(c.what, c.before, c.after) for c in one["changes"]])
        for one in page.context["versions"]
    ]
    assert told == [
        (
            3,
            "operator",
            [
                ("Responsible", "Маша", "Олег"),
                ("Pipeline and step", "Sales / New order", "Wholesale / Big order"),
            ],
        ),
        (
            2,
            "anna",
            [("Lead: «question 1»", "", "Which bouquet"), ("Tags: Lead", "", "from a quiz")],
        ),
        (1, "over REST: shop", []),
    ]
    assert "{&quot;" not in page.content.decode()


def test_a_save_that_changes_nothing_is_no_version(operator: Client, made: Rule) -> None:
    assert save(operator, made) == ""
    change_rule(made.pk, {"performer": "901"})
    assert made.versions.count() == 2


def test_going_back_is_a_new_version(operator: Client, made: Rule) -> None:
    save(operator, made, placement="71|142")
    url = page_of(made, "versions/2/restore")
    asked = operator.get(url).content.decode()
    assert "Pipeline and step: Wholesale / Big order → Sales / New order" in asked
    assert operator.post(url, {"confirmed": "yes"}).status_code == 302
    made.refresh_from_db()
    assert (made.pipeline, made.current.number, made.current.restored) == ("70", 4, 2)
    assert made.current.said == made.versions.get(number=2).said


def test_going_back_to_a_tag_of_somebody_else_is_refused(operator: Client, made: Rule) -> None:
    change_rule(made.pk, {"tags_to_add": {}})
    Tag.objects.all().delete()
    page = operator.post(page_of(made, "versions/2/restore"), {"confirmed": "yes"}, follow=True)
    assert "Not saved" in page.content.decode()
    assert made.versions.count() == 3


def test_a_rule_without_versions_says_so(viewer: Client, rule: Rule) -> None:
    """Made before versions were kept, and by no migration."""
    page = viewer.get(page_of(rule, "versions"))
    assert (page.status_code, page.context["versions"]) == (200, [])


def test_a_viewer_reads_versions_and_brings_none_back(viewer: Client, made: Rule) -> None:
    page = viewer.get(page_of(made, "versions")).content.decode()
    assert "Which bouquet" in page
    assert "restore" not in page
    for method in (viewer.get, viewer.post):
        assert method(page_of(made, "versions/1/restore"), {"confirmed": "yes"}).status_code == 403


def press(client: Client, rule: Rule, what: str) -> Any:
    return client.post(page_of(rule, what).replace("/change", ""), {"confirmed": "yes"}, follow=True)


def test_a_rule_is_paused_resumed_and_deleted(operator: Client, made: Rule, deliver: Any) -> None:
    waiting = deliver(rule=made)
    for what, state, because in (
        ("pause", "held", "rule_paused"),
        ("resume", "waiting", ""),
        ("delete_it", "held", "rule_deleted"),
    ):
        press(operator, made, what)
        waiting.refresh_from_db()
        assert (what, waiting.state, waiting.held_because) == (what, state, because)
    assert [row.event for row in made.versions.order_by("number")[2:]] == ["paused", "resumed", "deleted"]
    assert {row.who for row in made.versions.order_by("number")[2:]} == {"operator"}
    press(operator, made, "pause")
    assert made.versions.count() == 5


def test_old_versions_go_but_for_those_that_are_named(made: Rule, deliver: Any) -> None:
    for performer in ("902", "901"):
        change_rule(made.pk, {"performer": performer})
    kept = deliver("delivered", rule=made, version=made.versions.get(number=2))
    RuleVersion.objects.update(at=timezone.now() - retention.KEEP_VERSIONS - timedelta(days=1))
    retention.purge()
    assert [row.number for row in made.versions.order_by("number")] == [2, 4]
    assert Delivery.objects.get(pk=kept.pk).version.number == 2
    assert [one["row"].number for one in history_of(made)[0]] == [4, 2]


def test_a_long_history_costs_as_many_queries_as_a_short_one(operator: Client, made: Rule) -> None:
    short = queries(operator, page_of(made, "versions"))
    for number in range(20):
        change_rule(
            made.pk, {"performer": "902" if number % 2 else "901", "step": "142" if number % 3 else ""}
        )
    assert queries(operator, page_of(made, "versions")) == short
