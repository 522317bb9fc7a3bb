"""Every list of the admin costs as many queries with a thousand rows as with ten, and says what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.events.models import WebhookEndpoint
from accounts.models import Account
from crm_cache.models import SyncRun
from rules import incidents
from rules.models import (
    Answer,
    BulkRun,
    Delivery,
    Erasure,
    Finding,
    Incident,
    Outcome,
    Reconciliation,
    Rule,
    RuleVersion,
)
from tests.admin.conftest import deliver
from tests.benchmarks.seed import copy

__all__ = ["deliver"]
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
# What must not repeat, by model: SQL for the ``n``-th copy of a row ``t``, the newest of its table.
DIFFER: dict[type[Model], dict[str, str]] = {
    Account: {"account_id": "t.account_id || '-' || n", "remote_id": "t.remote_id || '-' || n"},
    Answer: {"answer_id": "t.answer_id || '-' || n"},
    Delivery: {"answer_id": "t.answer_id + n", "uid": "t.uid || '-' || n"},
    Outcome: {"delivery_id": "t.delivery_id + n"},
    Finding: {"delivery_id": "t.delivery_id + n"},
    Rule: {"quiz_id": "t.quiz_id + n"},
    RuleVersion: {"number": "t.number + n"},
    User: {"username": "t.username || '-' || n"},
    Group: {"name": "t.name || '-' || n"},
    Incident: {"solved_at": "now()"},
    Erasure: {"digest": "t.digest || '-' || n"},
    AccessAttempt: {"username": "t.username || '-' || n"},
}
BEFORE: dict[type[Model], tuple[type[Model], ...]] = {
    Delivery: (Answer,),
    Outcome: (Answer, Delivery),
    Finding: (Answer, Delivery),
}


def page_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@pytest.fixture
def one_of_each(superuser: Client, deliver: Callable[..., Delivery]) -> None:
    """A row of each model that is listed, the newest of its table."""
    deliver("delivered")
    row = Delivery.objects.get()
    Delivery.objects.create(
        answer=Answer.objects.create(
            account_id="shop", quiz_id=101, answer_id="held", digest="x", payload={"quizID": 101}
        ),
        rule=row.rule, account=row.account, owner="shop", quiz_id=101, uid="held", state="held",
        held_because="refused",
    )  # fmt: skip
    incidents.look()
    run = Reconciliation.objects.create(
        account=row.account, owner="shop", since=row.created_at, until=row.created_at, state="done"
    )
    Finding.objects.create(reconciliation=run, delivery=row, kind="missing", confirmed=True)
    person = User.objects.get(username="root")
    BulkRun.objects.create(action="retry", who="root", person=person)
    LogEntry.objects.create(
        user=person, action_flag=2, object_repr="x", change_message="y", object_id=str(row.pk)
    )
    AccessAttempt.objects.create(username="x", ip_address="10.0.0.1", user_agent="", failures_since_start=1)
    Group.objects.get_or_create(name="viewer")
    WebhookEndpoint.objects.create(url="https://quiz.example/events", secret="s3cret")
    Erasure.objects.create(keys=["phone:+79160001122"], asked_by="root", digest="x")


def grow(model: type[Model], rows: int) -> None:
    """So many copies of the model's newest row, with what they need."""
    for needed in (*BEFORE.get(model, ()), model):
        cached = needed._meta.app_label == "crm_cache" and needed is not SyncRun
        differ = {"remote_id": "t.remote_id || '-' || n"} if cached else DIFFER.get(needed, {})
        copy(needed._default_manager.order_by("-pk").first(), rows, differ)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
@pytest.mark.usefixtures("one_of_each")
def test_a_list_costs_the_same_with_ten_rows_and_with_a_thousand(
    superuser: Client, model: type[Model]
) -> None:
    def opened() -> tuple[int, int]:
        """(queries, rows on the page)"""
        superuser.get(page_of(model))  # what is remembered between requests
        with CaptureQueriesContext(connection) as seen:
            answer = superuser.get(page_of(model))
        assert answer.status_code == 200
        return len(seen), len(answer.context["cl"].result_list)

    grow(model, 9)
    few, ten = opened()
    assert ten >= 10
    grow(model, 990)
    many, shown = opened()
    assert shown > ten
    assert many <= few + 1  # a list of several pages asks for the keys of the page that is shown first


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_an_empty_list_offers_nothing_that_can_not_be_done(operator: Client, model: type[Model]) -> None:
    """Nobody is told to create what they may not, and an empty list says how rows come into it."""
    answer = operator.get(page_of(model))
    if answer.status_code == 403:
        return
    html = answer.content.decode()
    page: Any = admin.site.get_model_admin(model)
    if not page.has_add_permission(answer.wsgi_request):
        assert f'href="{reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")}' not in html
        assert "Create a new item" not in html
    if not answer.context["cl"].result_list:
        assert "Nothing is here yet" in html
        assert getattr(page, "nothing_yet", True)


@pytest.mark.usefixtures("one_of_each")
def test_no_page_of_a_row_shows_a_cell_of_the_list_as_code(superuser: Client) -> None:
    """A cell of two lines, or with a colour, is a pair; the theme draws it in lists alone."""
    bare = []
    for model in MODELS:
        row = model._default_manager.order_by("-pk")[0]
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.pk])
        html = superuser.get(url).content.decode()
        bare += [model._meta.label] if "(&#x27;" in html else []
    assert bare == []
