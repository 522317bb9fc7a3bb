"""A walk writes what differs, page by page, and buries only after a complete walk."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account
from connectors.draft import Option
from connectors.errors import Refused, TryLater
from connectors.rows import FieldRow, PipelineRow, StepRow, TagRow, UserRow
from crm_cache import lookup, models
from crm_cache.models import SyncRun
from crm_cache.refresh import run_waiting
from crm_cache.runs import ask_for
from crm_cache.sync import Walk

pytestmark = pytest.mark.django_db
QUIZ, HOT = TagRow("leads", "1", "quiz"), TagRow("leads", "2", "hot")


def sync(account: Account, *lists: str) -> SyncRun:
    ask_for(account, lists)
    run_waiting(account.pk)
    return SyncRun.objects.latest("id")


def counts(run: SyncRun) -> tuple[str, int, int, int, int]:
    return run.state, run.pages, run.added, run.changed, run.gone


def live_tags(account: Account) -> list[str]:
    return list(models.Tag.objects.filter(account=account, deleted=False).values_list("name", flat=True))


def test_a_first_walk_adds_and_a_second_one_writes_nothing(shop: Account, crm: Any) -> None:
    crm.pages["tags"] = [[QUIZ], [HOT]]
    assert counts(sync(shop, "tags")) == ("done", 2, 2, 0, 0)
    written = list(models.Tag.objects.values_list("synced_at", flat=True))

    assert counts(sync(shop, "tags")) == ("done", 2, 0, 0, 0)
    assert list(models.Tag.objects.values_list("synced_at", flat=True)) == written


def test_a_changed_row_keeps_its_id_and_its_age(shop: Account, crm: Any) -> None:
    crm.pages["tags"] = [[QUIZ, HOT]]
    sync(shop, "tags")
    before = models.Tag.objects.get(remote_id="1")

    crm.pages["tags"] = [[TagRow("leads", "1", "Quiz", color="ff0000"), HOT]]
    assert counts(sync(shop, "tags")) == ("done", 1, 0, 1, 0)
    after = models.Tag.objects.get(remote_id="1")
    assert (after.pk, after.created_at, after.name) == (before.pk, before.created_at, "Quiz")


def test_what_left_the_crm_is_marked_and_comes_back_as_the_same_row(shop: Account, crm: Any) -> None:
    crm.pages["tags"] = [[QUIZ, HOT]]
    sync(shop, "tags")
    hot = models.Tag.objects.get(remote_id="2")

    crm.pages["tags"] = [[QUIZ]]
    assert counts(sync(shop, "tags")) == ("done", 1, 0, 0, 1)
    assert live_tags(shop) == ["quiz"]

    crm.pages["tags"] = [[QUIZ, HOT]]
    assert counts(sync(shop, "tags")) == ("done", 1, 1, 0, 0)
    assert models.Tag.objects.get(remote_id="2", deleted=False).pk == hot.pk


def test_an_empty_list_is_an_answer(shop: Account, crm: Any) -> None:
    crm.pages["tags"] = [[QUIZ, HOT]]
    sync(shop, "tags")
    crm.pages["tags"] = []
    assert counts(sync(shop, "tags")) == ("done", 0, 0, 0, 2)
    assert live_tags(shop) == []


@pytest.mark.parametrize("error", [TryLater("The CRM is busy"), Refused("No"), RuntimeError("a bug of ours")])
def test_a_walk_that_breaks_off_keeps_what_it_met_and_buries_nothing(
    shop: Account, crm: Any, error: Exception
) -> None:
    crm.pages["tags"] = [[QUIZ]]
    sync(shop, "tags")
    crm.pages["tags"] = [[HOT], error]
    assert counts(sync(shop, "tags")) == ("failed", 1, 1, 0, 0)
    assert live_tags(shop) == ["quiz", "hot"]


def test_a_row_that_slipped_between_two_pages_is_looked_for_again(shop: Account, crm: Any) -> None:
    third = TagRow("leads", "3", "third")
    crm.pages["tags"] = [[QUIZ, HOT], [third]]
    sync(shop, "tags")

    def walks() -> Any:
        yield [[QUIZ], []]  # somebody deleted "hot" after page 1, so "third" moved onto page 1
        yield [[QUIZ, third], []]

    remembered = walks()
    crm.fetch = lambda what: iter(next(remembered))
    assert counts(sync(shop, "tags")) == ("done", 4, 0, 0, 1)
    assert live_tags(shop) == ["quiz", "third"]


def test_the_same_row_twice_is_one_row(shop: Account, crm: Any) -> None:
    crm.pages["tags"] = [[QUIZ, QUIZ], [QUIZ, HOT]]
    assert counts(sync(shop, "tags")) == ("done", 2, 2, 0, 0)


def test_the_same_remote_id_in_another_entity_pipeline_or_account_is_another_row(
    connected: Any, crm: Any
) -> None:
    shop, branch = connected("shop"), connected("branch")
    crm.pages["tags"] = [[QUIZ, TagRow("contacts", "1", "quiz")]]
    crm.pages["steps"] = [[StepRow("5001", "142", "Won"), StepRow("5002", "142", "Done")]]
    for account in (shop, branch):
        sync(account, "tags", "steps")
    assert models.Tag.objects.count() == models.Step.objects.count() == 4

    crm.pages["tags"] = []
    sync(branch, "tags")
    assert live_tags(shop) == ["quiz", "quiz"]


def columns_of(row: Any) -> list[str]:
    return [column.name for column in fields(row)]


def test_every_list_keeps_everything_it_was_told(shop: Account, crm: Any) -> None:
    anna = UserRow("9", "Anna", "a@b.c", "Sales", "0", True)
    sales = PipelineRow("5", "Sales", "", True, True, 3)
    won = StepRow("5", "142", "Won", "", "#CCFF66", "won", 10000)
    size = FieldRow("leads", "7", "Size", "select", "SIZE", (Option("1", "S"), Option("2", "M", "m")), True)
    crm.pages = {"users": [[anna]], "pipelines": [[sales]], "steps": [[won]], "fields": [[size]]}
    sync(shop)
    assert lookup.users_by_id(shop) == {"9": anna}
    assert PipelineRow(**models.Pipeline.objects.values(*columns_of(PipelineRow)).get()) == sales
    assert StepRow(**models.Step.objects.values(*columns_of(StepRow)).get()) == won
    [target] = lookup.fields(shop)
    assert (target.remote_id, target.code, target.multiple, target.options) == (
        "7",
        "SIZE",
        True,
        size.options,
    )


def test_texts_longer_than_their_column_are_cut_and_stay_equal(shop: Account, crm: Any) -> None:
    crm.pages["tags"] = [[TagRow("leads", "1", "я" * 900, details={"deep": "\0" * 3, "sum": 1e400})]]
    sync(shop, "tags")
    assert counts(sync(shop, "tags")) == ("done", 1, 0, 0, 0)


def test_a_page_costs_a_constant_number_of_queries(shop: Account, django_assert_max_num_queries: Any) -> None:
    tags = [TagRow("leads", str(number), f"tag {number}") for number in range(250)]
    with django_assert_max_num_queries(4):  # read, savepoint, one upsert, release
        Walk(shop.pk, "tags").take(tags, timezone.now())
    with django_assert_max_num_queries(1):
        Walk(shop.pk, "tags").take(tags, timezone.now())
