"""The cached lists over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Account
from crm_cache import models
from crm_cache.models import SyncRun

pytestmark = pytest.mark.django_db
LISTS = ("users", "pipelines", "steps", "fields", "tags")


@pytest.fixture
def api(caller: Any) -> Client:
    """The quiz platform on behalf of the quiz account ``shop``."""
    return caller("shop")


def add_tags(account: Account, count: int) -> None:
    models.Tag.objects.bulk_create(
        models.Tag(account=account, entity="leads", remote_id=str(90001 + number), name=f"tag {number + 1}")
        for number in range(count)
    )


def names(api: Client, address: str) -> tuple[int, list[str]]:
    body = api.get(address).json()
    return body["count"], [item["Name"] for item in body["items"]]


def test_every_property_is_as_the_contract_has_it(shop: Account, api: Client) -> None:
    user = models.CrmUser.objects.create(
        account=shop, remote_id="9100001", name="Анна", email="a@b.c", role="Менеджер", group_id="7"
    )
    pipeline = models.Pipeline.objects.create(account=shop, remote_id="5001", name="Квизы", archived=True)
    step = models.Step.objects.create(
        account=shop, pipeline_id="5001", remote_id="142", name="Успех", color="#CCFF66", kind="won"
    )
    field = models.Field.objects.create(
        account=shop, remote_id="70001", entity="leads", name="Город", type="text", code="CITY"
    )
    tag = models.Tag.objects.create(
        account=shop, remote_id="90001", entity="leads", name="квиз", color="ff0000"
    )
    ours = {"Deleted": False}
    of_crm = {"AccountID": 31000001, **ours}
    expected = {
        "users": {
            "ID": user.pk,
            "AccountID": "shop",
            "AmoID": 9100001,
            "Name": "Анна",
            "Email": "a@b.c",
            "Role": "Менеджер",
            "Group": 7,
            "Subdomain": "shop",
            "Amoiserid": 9100001,
            "Country": "RU",
            **ours,
        },
        "pipelines": {"ID": pipeline.pk, "AmoID": 5001, "Name": "Квизы", "IsArchive": True, **of_crm},
        "steps": {
            "ID": step.pk,
            "AmoID": 142,
            "PipelineID": 5001,
            "Name": "Успех",
            "Color": "#CCFF66",
            **of_crm,
        },
        "fields": {
            "ID": field.pk,
            "AmoID": 70001,
            "Code": "CITY",
            "Name": "Город",
            "EntityType": "leads",
            "Type": "text",
            **of_crm,
        },
        "tags": {
            "ID": tag.pk,
            "AmoID": 90001,
            "Entity": "leads",
            "Name": "квиз",
            "Color": "ff0000",
            **of_crm,
        },
    }
    for what, item in expected.items():
        body = api.get(f"/{what}").json()
        assert body["count"] == 1
        created_at = body["items"][0].pop("CreatedAt")
        assert body["items"] == [item]
        assert created_at == int(LISTED[what].objects.get().created_at.timestamp())


LISTED: dict[str, Any] = {
    "users": models.CrmUser,
    "pipelines": models.Pipeline,
    "steps": models.Step,
    "fields": models.Field,
    "tags": models.Tag,
}


@pytest.mark.parametrize(
    ("query", "first", "length"),
    [
        ("", "tag 1", 25),
        ("?page=0&size=0", "tag 1", 25),
        ("?page=1", "tag 1", 25),
        ("?page=2", "tag 26", 25),
        ("?page=3", "tag 51", 10),
        ("?page=2&size=7", "tag 8", 7),
        ("?Pagination[page]=2&Pagination[size]=7", "tag 8", 7),
        ("?size=999999999", "tag 1", 60),
        ("?page=4", None, 0),
        ("?page=9223372036854775807&size=10000", None, 0),
    ],
)
def test_pages_count_from_one(shop: Account, api: Client, query: str, first: str | None, length: int) -> None:
    add_tags(shop, 60)
    count, found = names(api, f"/tags{query}")
    assert (count, found[0] if found else None, len(found)) == (60, first, length)


@pytest.mark.parametrize("query", ["page=-1", "page=x", "size=-1", "size=1.5", "page=99999999999999999999"])
def test_a_page_that_is_no_number_is_refused(api: Client, query: str) -> None:
    response = api.get(f"/tags?{query}")
    assert response.status_code == 400
    assert isinstance(response.json(), str)


def test_steps_can_be_picked_by_their_pipeline(shop: Account, api: Client) -> None:
    for pipeline in ("5001", "5002"):
        models.Step.objects.create(account=shop, pipeline_id=pipeline, remote_id="142", name=pipeline)
    assert names(api, "/steps?pipelineID=5002") == (1, ["5002"])
    assert names(api, "/steps?Pagination[pipelineID]=5002") == (1, ["5002"])
    assert names(api, "/steps?pipelineID=0") == names(api, "/steps") == (2, ["5001", "5002"])
    assert names(api, "/steps?pipelineID=7") == (0, [])
    assert api.get("/steps?pipelineID=x").status_code == 400


def test_only_what_is_there_today_is_listed(connected: Any, api: Client) -> None:
    shop, branch = connected("shop"), connected("branch")
    add_tags(shop, 3)
    add_tags(branch, 1)
    models.Tag.objects.filter(account=shop, name="tag 2").update(deleted=True)
    assert names(api, "/tags") == (2, ["tag 1", "tag 3"])


def test_who_left_cannot_be_chosen(shop: Account, api: Client) -> None:
    models.CrmUser.objects.create(account=shop, remote_id="1", name="Анна")
    models.CrmUser.objects.create(account=shop, remote_id="2", name="Олег", active=False)
    assert names(api, "/users") == (1, ["Анна"])


def test_nothing_is_ever_null(connected: Any, api: Client) -> None:
    shop = connected("shop", remote_id="", user_id="", country="", subdomain="")
    for model in LISTED.values():
        model.objects.create(account=shop, remote_id="not-a-number")
    for what in LISTS:
        [item] = api.get(f"/{what}").json()["items"]
        assert None not in item.values()
        assert item["AmoID"] == 0


@pytest.mark.parametrize("what", LISTS)
def test_a_list_costs_the_same_however_long_it_is(
    shop: Account, api: Client, what: str, django_assert_num_queries: Any
) -> None:
    model = LISTED[what]
    model.objects.bulk_create(model(account=shop, remote_id=str(number)) for number in range(40))
    with django_assert_num_queries(4):  # the account, how many, which, what
        assert len(api.get(f"/{what}?size=10").json()["items"]) == 10
    with django_assert_num_queries(4):
        assert len(api.get(f"/{what}?size=100").json()["items"]) == 40


def test_a_long_list_is_counted_again_only_after_a_while(
    shop: Account, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.rest.paging.MOST_COUNTED", 5)
    add_tags(shop, 5)
    assert names(api, "/tags")[0] == 5
    models.Tag.objects.create(account=shop, entity="leads", remote_id="1", name="sixth")
    assert names(api, "/tags")[0] == 6
    models.Tag.objects.create(account=shop, entity="leads", remote_id="2", name="seventh")

    count, found = names(api, "/tags")
    assert (count, found[-1]) == (6, "seventh")
    assert names(api, "/steps")[0] == 0
    cache.clear()
    assert names(api, "/tags")[0] == 7


@pytest.mark.parametrize("what", LISTS)
def test_without_an_account_lists_are_empty_and_cannot_be_refreshed(api: Client, db: None, what: str) -> None:
    assert api.get(f"/{what}").json() == {"count": 0, "items": []}
    response = api.patch(f"/{what}")
    assert response.status_code == 404
    assert isinstance(response.json(), str)
    assert not SyncRun.objects.exists()


def test_an_account_that_never_came_back_cannot_be_refreshed(connected: Any, api: Client) -> None:
    connected("shop", state=Account.State.CONNECTING, connected_at=None)
    assert api.patch("/tags").status_code == 404


@pytest.mark.parametrize("what", LISTS)
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_refresh_is_asked_for_once(shop: Account, api: Client, what: str, slash: str) -> None:
    for _ in range(2):
        response = api.patch(f"/{what}{slash}")
        assert (response.status_code, response.json()) == (200, "Success")
    assert list(SyncRun.objects.values_list("what", "state")) == [(what, "waiting")]


@pytest.mark.parametrize("method", ["get", "patch"])
@pytest.mark.parametrize("what", LISTS)
def test_strangers_are_turned_away(db: None, what: str, method: str) -> None:
    response = getattr(Client(), method)(f"/{what}")
    assert response.status_code == 401
    assert isinstance(response.json(), str)
