"""The lists of a connected amoCRM are mirrored, stay true, and are shown to the quiz service."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Account, Token
from connectors.sandbox.amocrm import seed
from connectors.sandbox.amocrm.model import Field, Tag
from crm_cache import models
from crm_cache.models import SyncRun
from crm_cache.tasks import sync_account

pytestmark = pytest.mark.django_db
LISTS = ("users", "pipelines", "steps", "fields", "tags")


def work(queued: list[Any], account_id: str = "shop") -> Account:
    """What a worker does with the messages that wait."""
    account = Account.objects.get(account_id=account_id, deleted=False)
    for name, args in queued:
        if name == "crm_cache.tasks.sync_account" and args == [account.pk]:
            sync_account(*args)
    queued.clear()
    account.refresh_from_db()
    return account


@pytest.fixture
def commit(django_capture_on_commit_callbacks: Any) -> Any:
    """``with commit():`` the messages of a request leave as it ends."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def shop(connect: Any, flower_shop: Any, queued: Any, commit: Any) -> Any:
    """The flower shop's account, connected and synced once."""
    with commit():
        connect(flower_shop)
    work(queued)
    return flower_shop


@pytest.fixture
def refresh(caller: Any, queued: Any, commit: Any) -> Any:
    """``refresh("tags")``: PATCH it and let a worker work; returns the run."""

    def refresh(what: str, account_id: str = "shop") -> SyncRun:
        with commit():
            assert caller(account_id).patch(f"/{what}").json() == "Success"
        account = work(queued, account_id)
        return SyncRun.objects.filter(account=account, what=what).latest("id")

    return refresh


def listed(client: Any, what: str, size: int = 10_000, key: str = "Name") -> list[Any]:
    """A list as the quiz service reads it, page by page."""
    found: list[Any] = []
    page = 1
    while items := client.get(f"/{what}?page={page}&size={size}").json()["items"]:
        found += [item[key] for item in items]
        page += 1
    return found


def test_connecting_fills_every_list_at_once(shop: Any, caller: Any) -> None:
    assert set(SyncRun.objects.values_list("what", "state")) == {(what, "done") for what in LISTS}
    api = caller("shop")
    assert listed(api, "users") == [user.name for user in shop.users.values() if user.is_active]
    assert listed(api, "pipelines", key="AmoID") == list(shop.pipelines)
    assert sorted(listed(api, "steps", key="AmoID")) == sorted(
        status.id for pipeline in shop.pipelines.values() for status in pipeline.statuses
    )
    assert len(listed(api, "tags")) == sum(len(tags.by_id) for tags in shop.tags.values())
    fields = api.get("/fields?size=10000").json()["items"]
    assert {(field["EntityType"], field["AmoID"]) for field in fields} >= {
        (kind, field.id) for kind in ("leads", "contacts", "companies") for field in shop.fields[kind]
    }
    assert {field["AccountID"] for field in fields} == {shop.id}


def test_a_second_sync_changes_nothing(shop: Any, refresh: Any) -> None:
    for what in LISTS:
        run = refresh(what)
        assert (run.state, run.added, run.changed, run.gone) == ("done", 0, 0, 0)


def test_long_lists_are_walked_to_their_last_page(shop: Any, amo: Any, refresh: Any, caller: Any) -> None:
    for number in range(600):
        shop.tags["leads"].add(Tag(amo.ids.next("tags"), f"tag {number}"))
    for number in range(130):
        shop.fields["leads"].add(Field(amo.ids.next("fields"), "leads", f"question {number}", "text"))
    tags, fields = refresh("tags"), refresh("fields")
    assert (tags.state, tags.added, fields.state, fields.added) == ("done", 600, "done", 130)
    assert tags.pages >= 3
    assert fields.pages >= 3
    mirrored = listed(caller("shop"), "tags", size=100)
    assert [name for name in mirrored if name.startswith("tag ")] == [
        f"tag {number}" for number in range(600)
    ]


def test_an_emptied_list_is_an_answer(shop: Any, refresh: Any, caller: Any) -> None:
    for tags in shop.tags.values():
        tags.by_id.clear()
    run = refresh("tags")
    assert run.state == "done"
    assert run.gone > 0
    assert caller("shop").get("/tags").json() == {"count": 0, "items": []}


def test_a_page_that_fails_in_the_middle_costs_no_row(shop: Any, amo: Any, refresh: Any, caller: Any) -> None:
    before = listed(caller("shop"), "tags")
    amo.faults.add("/contacts/tags", status=500, times=None)
    for tags in shop.tags.values():
        tags.by_id.clear()
    run = refresh("tags")
    assert run.state == "failed"
    assert run.error
    assert listed(caller("shop"), "tags") == before

    amo.faults.clear()
    assert refresh("tags").state == "done"
    assert listed(caller("shop"), "tags") == []


def test_a_crm_out_of_reach_is_tried_again_soon(shop: Any, amo: Any, refresh: Any) -> None:
    at = Account.objects.get().next_sync_at
    amo.faults.add("/tags", action="timeout", times=None)
    run = refresh("tags")
    assert run.state == "failed"
    assert Account.objects.get().next_sync_at < at
    assert Account.objects.get().state == "active"


def test_a_step_deleted_in_the_crm_goes_and_comes_back(shop: Any, refresh: Any, caller: Any) -> None:
    pipeline = next(iter(shop.pipelines.values()))
    step = pipeline.statuses[2]
    row = models.Step.objects.get(remote_id=step.id)
    query = f"/steps?pipelineID={pipeline.id}&size=100"

    pipeline.statuses.remove(step)
    assert refresh("steps").gone == 1
    assert step.id not in [item["AmoID"] for item in caller("shop").get(query).json()["items"]]
    assert models.Step.objects.get(pk=row.pk).deleted

    step.name = "Снова здесь"
    pipeline.statuses.append(step)
    assert refresh("steps").added == 1
    [item] = [item for item in caller("shop").get(query).json()["items"] if item["AmoID"] == step.id]
    assert (item["ID"], item["Name"]) == (row.pk, "Снова здесь")


def test_a_new_pipeline_brings_its_own_won_and_lost(shop: Any, amo: Any, refresh: Any, caller: Any) -> None:
    new = seed.add_pipeline(shop, amo.ids, "Опт", ("Запрос",))
    assert refresh("pipelines").added == 1
    assert refresh("steps").added == 4
    items = caller("shop").get(f"/steps?pipelineID={new.id}").json()["items"]
    assert {item["AmoID"] for item in items} >= {142, 143}
    assert {item["PipelineID"] for item in items} == {new.id}


def test_asking_twice_before_a_worker_comes_is_one_walk(
    shop: Any, amo: Any, caller: Any, queued: Any, commit: Any
) -> None:
    amo.journal.clear()
    with commit():
        for _ in range(3):
            assert caller("shop").patch("/pipelines").json() == "Success"
    work(queued)
    assert len(amo.journal.find("GET", "/leads/pipelines$")) == 1


def test_users_need_an_administrator_and_the_other_lists_do_not(
    connect: Any, flower_shop: Any, queued: Any, commit: Any, caller: Any
) -> None:
    manager = next(user for user in flower_shop.users.values() if not user.is_admin and user.is_active)
    with commit():
        connect(flower_shop)
    manager_only = flower_shop.admin
    manager_only.is_admin = False
    assert manager.id != manager_only.id
    account = work(queued)
    states = dict(SyncRun.objects.filter(account=account).values_list("what", "state"))
    assert states == {**dict.fromkeys(LISTS, "done"), "users": "failed"}
    assert "administrator" in SyncRun.objects.get(what="users").error
    assert caller("shop").get("/users").json()["count"] == 0
    assert account.state == "active"


def test_an_integration_removed_in_the_crm_asks_for_reconnection(
    shop: Any, amo: Any, refresh: Any, caller: Any, connect: Any, queued: Any, commit: Any
) -> None:
    before = listed(caller("shop"), "tags")
    amo.revoke(shop)
    run = refresh("tags")
    account = Account.objects.get()
    assert (run.state, account.state) == ("failed", "needs_reconnect")
    token = Token.objects.filter(account=account).first()
    for secret in (token.access, token.refresh) if token else ():
        assert secret not in run.error + account.state_reason
    assert listed(caller("shop"), "tags") == before

    with commit():
        connect(shop)
    work(queued)
    assert Account.objects.get(deleted=False).state == "active"
    assert SyncRun.objects.filter(what="tags").latest("id").state == "done"


def test_two_quiz_accounts_share_one_crm_account_and_no_rows(
    shop: Any, connect: Any, queued: Any, commit: Any, caller: Any, refresh: Any
) -> None:
    with commit():
        connect(shop, "branch")
    work(queued, "branch")
    assert listed(caller("branch"), "tags") == listed(caller("shop"), "tags")
    assert not {*listed(caller("branch"), "tags", key="ID")} & {*listed(caller("shop"), "tags", key="ID")}

    for tags in shop.tags.values():
        tags.by_id.clear()
    refresh("tags", "branch")
    assert listed(caller("branch"), "tags") == []
    assert listed(caller("shop"), "tags") != []


def test_disconnecting_hides_the_lists_and_only_the_same_account_has_them_back(
    amo: Any, shop: Any, caller: Any, connect: Any, queued: Any, commit: Any
) -> None:
    old = listed(caller("shop"), "tags", key="ID")
    assert caller("shop").delete("/account").json() == "Success"
    assert caller("shop").get("/tags").json() == {"count": 0, "items": []}
    assert caller("shop").patch("/tags").status_code == 404

    with commit():
        connect(amo.add_account("bakery"))
    work(queued)
    assert not set(listed(caller("shop"), "tags", key="ID")) & set(old)

    caller("shop").delete("/account")
    with commit():
        connect(shop)
    work(queued)
    assert listed(caller("shop"), "tags", key="ID") == old


def test_an_answer_that_is_no_list_buries_nothing(shop: Any, amo: Any, refresh: Any, caller: Any) -> None:
    before = listed(caller("shop"), "pipelines")
    body = {"body": '{"status": "ok"}', "content_type": "application/json"}
    amo.faults.add("/pipelines", status=200, times=None, **body)
    assert refresh("pipelines").state == refresh("steps").state == "failed"
    assert listed(caller("shop"), "pipelines") == before
