"""Accounts that had a row for each time they were connected have one, with all that hung on the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from tests.database import instead, made

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE = [("accounts", "0003_history"), ("crm_cache", "0003_refused_runs"), ("rules", "0002_outcome")]
DELIVERED, WAITING = {"state": "delivered", "remote_id": "501"}, {"state": "waiting"}
HALF_MADE = {"state": "waiting", "steps": {"lead": "501"}}


def migrate(targets: list[tuple[str, str]]) -> Any:
    """The models of then."""
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return executor.loader.project_state(targets).apps


@pytest.fixture(scope="module")
def as_it_was(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[str, Any]]:
    """A database with the tables of that time, and the models."""
    with django_db_blocker.unblock(), made(connection) as name:
        with instead(connection, name):
            models = migrate(BEFORE)
        yield name, models


@pytest.fixture
def before(as_it_was: tuple[str, Any]) -> Iterator[Any]:
    """The tables as they were, in a database of the test's own."""
    template, models = as_it_was
    with made(connection, template) as name, instead(connection, name):
        yield models


class Rows:
    """Rows as that time's tables had them."""

    def __init__(self, apps: Any) -> None:
        self.apps = apps

    def make(self, label: str, **values: Any) -> Any:
        return self.apps.get_model(label).objects.create(**values)

    def account(self, remote_id: str = "31", **values: Any) -> Any:
        return self.make("accounts.Account", account_id="shop", crm="amocrm", remote_id=remote_id, **values)

    def rule(self, account: Any, quiz_id: int = 42, **values: Any) -> Any:
        return self.make("rules.Rule", account=account, quiz_id=quiz_id, **values)

    def delivery(self, rule: Any, answer_id: str, **values: Any) -> Any:
        key = {"account_id": "shop", "quiz_id": rule.quiz_id, "answer_id": answer_id}
        answer, _ = self.apps.get_model("rules.Answer").objects.get_or_create(
            **key, defaults={"payload": {}, "digest": "x"}
        )
        uid = f"{rule.account_id}-{answer_id}"
        values = {"account": rule.account, "owner": "shop", "quiz_id": rule.quiz_id, "uid": uid, **values}
        return self.make("rules.Delivery", answer=answer, rule=rule, **values)


def merged() -> Any:
    return migrate([("rules", "0003_one_row_per_crm_account")])


def test_the_live_row_gets_what_the_former_ones_had(before):
    rows = Rows(before)
    gone = {"deleted": True, "state": "disconnected"}
    former, other, live = rows.account(**gone), rows.account("99", **gone), rows.account(state="active")
    tags = [
        rows.make("crm_cache.Tag", account=a, entity="leads", remote_id="7", name="hot")
        for a in (former, live)
    ]
    only = rows.make("crm_cache.Tag", account=former, entity="leads", remote_id="8", name="old")
    for account, key in ((former, "phone:+1"), (former, "phone:+2"), (live, "phone:+2")):
        rows.make("crm_cache.KnownContact", account=account, key=key, remote_id=f"{account.pk}")
    for account in (former, live):
        rows.make("crm_cache.SyncRun", account=account, what="tags", state="done")
        rows.make("crm_cache.SyncRun", account=account, what="tags", state="waiting")
    early, lost = rows.rule(former, 1, tags_to_add={"Lead": [tags[0].pk, only.pk]}), rows.rule(former)
    own, apart = rows.rule(live), rows.rule(other)
    done = rows.delivery(lost, "a-1", state="delivered", remote_id="501")
    outcome = rows.make("rules.Outcome", delivery=done, account=former, owner="shop", quiz_id=42)
    waits = rows.delivery(lost, "a-2", state="held", held_because="reconnect")
    elsewhere = rows.delivery(apart, "a-3", state="held", held_because="reconnect")

    now = merged()

    accounts = now.get_model("accounts.Account").objects
    assert set(accounts.values_list("pk", flat=True)) == {other.pk, live.pk}
    rule, delivery = now.get_model("rules.Rule").objects, now.get_model("rules.Delivery").objects
    assert rule.get(pk=early.pk).account_id == live.pk
    assert rule.get(pk=early.pk).tags_to_add == {"Lead": [tags[1].pk, only.pk]}
    assert now.get_model("crm_cache.Tag").objects.get(pk=only.pk).account_id == live.pk
    assert list(rule.filter(account=live.pk, quiz_id=42, deleted=False)) == [rule.get(pk=own.pk)]
    assert rule.get(pk=lost.pk).deleted
    contacts = now.get_model("crm_cache.KnownContact").objects.filter(account=live.pk).order_by("key")
    assert list(contacts.values_list("key", "remote_id")) == [
        ("phone:+1", f"{former.pk}"),
        ("phone:+2", f"{live.pk}"),
    ]
    assert (delivery.get(pk=done.pk).account_id, delivery.get(pk=done.pk).rule_id) == (live.pk, lost.pk)
    assert (delivery.get(pk=waits.pk).account_id, delivery.get(pk=waits.pk).rule_id) == (live.pk, own.pk)
    assert delivery.get(pk=elsewhere.pk).account_id == other.pk
    assert now.get_model("rules.Outcome").objects.get(pk=outcome.pk).account_id == live.pk


@pytest.mark.parametrize(
    ("former", "own", "kept", "becomes"),
    [
        (DELIVERED, WAITING, "former", "delivered"),
        ({"state": "held", "held_because": "reconnect"}, DELIVERED, "own", "delivered"),
        (HALF_MADE, WAITING, "former", "waiting"),
        (HALF_MADE, {"state": "waiting", "look_first": True}, "former", "held"),
        (DELIVERED, {"state": "delivered", "remote_id": "502"}, "former", "delivered"),
    ],
)
def test_of_two_deliveries_of_one_answer_the_one_that_knows_more_is_kept(before, former, own, kept, becomes):
    rows = Rows(before)
    old, new = rows.account(deleted=True, state="disconnected"), rows.account(state="active")
    one, two = rows.delivery(rows.rule(old), "a-1", **former), rows.delivery(rows.rule(new), "a-1", **own)
    for delivery in (one, two):
        rows.make("rules.Attempt", delivery=delivery, number=1, started_at=timezone.now(), outcome="failed")
        if delivery.state == "delivered":
            rows.make("rules.Outcome", delivery=delivery, account=delivery.account, owner="shop", quiz_id=42)

    delivery = merged().get_model("rules.Delivery").objects.get()

    assert delivery.pk == {"former": one.pk, "own": two.pk}[kept]
    assert (delivery.account_id, delivery.state) == (new.pk, becomes)
    gone = {"former": two, "own": one}[kept]
    *_, told = delivery.attempts.order_by("pk")
    assert (delivery.attempts.count(), told.outcome) == (3, "merged")
    assert gone.uid in told.message
    assert gone.remote_id in told.message


def test_rows_that_were_never_authorised_are_left_alone(before):
    rows = Rows(before)
    for _ in range(2):
        rows.account("", deleted=True, state="disconnected")
    assert merged().get_model("accounts.Account").objects.count() == 2


def test_everything_since_can_be_taken_back(django_db_setup):
    """As somebody does who returns to a former version of the service."""
    newest = connection.settings_dict["TEST"]["TEMPLATE"]
    with made(connection, newest) as name, instead(connection, name):
        tables = migrate(BEFORE)
        assert not tables.get_model("rules.Delivery").objects.exists()
        applied = MigrationExecutor(connection).loader.applied_migrations
    assert max(name for label, name in applied if label == "rules") == "0002_outcome"
