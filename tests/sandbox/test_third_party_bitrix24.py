"""Reference section 9, line 45: public Bitrix24 clients by other people run against the sandbox, unmodified.

fast-bitrix24 takes an address and talks HTTP to the served sandbox. The vendor's own b24pysdk has https and
the OAuth host hard-coded and is caught in process. Both are pinned in ``tests/requirements.txt``; b24pysdk
holds tzdata below 2026.4, so the service pins one that it takes.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import fast_bitrix24 as fast
import pytest
import requests
import responses
from b24pysdk import BitrixApp, BitrixToken, errors

from tests.sandbox.bitrix_words import leads

# -- b24pysdk, the vendor's own client: requests, real host names -------------------------------------


@pytest.fixture
def in_process(b24) -> Iterator[responses.RequestsMock]:
    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        reply = b24.handle(request.method, request.url, dict(request.headers), request.body)
        return reply.status, dict(reply.headers), reply.body

    hosts = re.compile(r"https://([\w-]+\.bitrix24\.ru|oauth\.bitrix24\.tech)/")
    b24.clock.thaw()  # the client compares dates with its own clock
    b24.clock.reset()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in ("GET", "POST"):
            mock.add_callback(method, hosts, callback=answer, content_type=None)
        yield mock


@pytest.fixture
def sdk(b24, portal, sign_in, in_process) -> Any:
    """A token that came by the consent and the SDK's own exchange."""
    app = BitrixApp(client_id=b24.app.client_id, client_secret=b24.app.client_secret)
    renewed = app.get_oauth_token(code=sign_in.consent()["code"])
    assert (renewed.member_id, renewed.portal_domain) == (portal.member_id, "acme.bitrix24.ru")
    token = renewed.oauth_token
    return BitrixToken(
        domain=renewed.portal_domain,
        auth_token=token.access_token,
        refresh_token=token.refresh_token,
        bitrix_app=app,
    )


def test_45_b24pysdk_signs_in_and_asks_who_it_is(sdk, b24, portal):
    info = sdk.get_app_info().result
    assert (info.client_id, info.install.member_id) == (b24.app.client_id, portal.member_id)
    assert (info.install.client_endpoint, info.user_id) == ("https://acme.bitrix24.ru/rest/", portal.admin.id)


def test_45_b24pysdk_refreshes_an_expired_token(sdk, b24, portal):
    before = sdk.auth_token
    b24.expire(portal)
    assert sdk.call_method("scope")["result"] == ["crm", "user", "userfieldconfig"]
    assert sdk.auth_token != before
    assert b24.journal.counts["GET /oauth/token/"] == 2


def test_45_b24pysdk_follows_a_renamed_portal(sdk, b24, portal):
    b24.rename(portal, "new-acme")
    number = sdk.call_method("crm.lead.Add", {"fields": {"TITLE": "kept"}})["result"]
    assert sdk.domain == "new-acme.bitrix24.ru"
    assert portal.leads[number]["TITLE"] == "kept"


def test_45_b24pysdk_reads_long_lists_both_ways(sdk, bx):
    leads(bx, 123)
    for rows in (sdk.call_list("crm.lead.list"), sdk.call_list_fast("crm.lead.list")):
        assert sorted(int(row["ID"]) for row in rows["result"]) == list(range(11, 134))
    client = sdk.get_client()
    listed = client.crm.lead.list(order={"ID": "ASC"}).as_list().response.result
    assert len(list(listed)) == 123
    assert [user["ID"] for user in client.user.get().response.result] == ["1", "2", "3", "4"]


def test_45_b24pysdk_adds_in_a_batch(sdk, portal):
    chain = {
        "c": ("crm.contact.add", {"fields": {"NAME": "Ann", "PHONE": [{"VALUE": "+7999"}]}}),
        "d": ("crm.deal.add", {"fields": {"TITLE": "x & y", "CONTACT_IDS": ["$result[c]"]}}),
    }
    found = sdk.call_batch(chain, halt=True)["result"]["result"]
    deal = portal.deals[found["d"]]
    assert (deal["TITLE"], deal.people) == ("x & y", [found["c"]])


def test_45_b24pysdk_maps_errors(sdk, b24, portal, monkeypatch):
    def raised(expected: type[Exception], **switches: Any) -> None:
        with pytest.raises(expected):
            sdk.call_method("crm.deal.list")

    portal.plan = "free"
    raised(errors.BitrixAPIAccessDenied)
    portal.plan = "paid"
    portal.admin.active = False
    raised(errors.BitrixAPIAuthorizationError)
    portal.admin.active = True
    b24.faults.add("/crm.deal.list", status=429)
    raised(errors.BitrixAPIOperationTimeLimit)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    b24.faults.add("/crm.deal.list", status=503, times=2)  # it tries again, and gets through
    assert sdk.call_method("crm.deal.list")["result"] == []
    b24.uninstall(portal)
    raised(errors.BitrixAPIErrorOAuth)


# -- fast-bitrix24: aiohttp over HTTP -----------------------------------------------------------------


def run(over_http: str, portal: Any, story: Any) -> Any:
    async def told() -> Any:
        hook = fast.BitrixAsync(f"{over_http}/rest/{portal.add_webhook()}/", verbose=False)
        return await story(hook)

    return asyncio.run(told())


def test_45_fast_bitrix24_reads_all_pages(bx, over_http, portal, b24):
    leads(bx, 123)

    async def story(client: Any) -> Any:
        rows = await client.get_all("crm.lead.list", {"select": ["ID", "TITLE"]})
        one = await client.get_by_ID("crm.lead.get", [11, 12])
        return rows, one, await client.get_all("crm.status.list")

    rows, one, statuses = run(over_http, portal, story)
    assert sorted(int(row["ID"]) for row in rows) == list(range(11, 134))
    assert {number: row["TITLE"] for number, row in one.items()} == {"11": "lead 0", "12": "lead 1"}
    assert len(statuses) == len(list(portal.statuses))
    assert b24.journal.counts["POST /rest/batch"] >= 2


def test_45_fast_bitrix24_adds_one_and_many(over_http, portal):
    async def story(client: Any) -> Any:
        many = [{"fields": {"TITLE": f"deal {number}"}} for number in range(60)]
        return await client.call("crm.lead.add", {"fields": {"TITLE": "a&b"}}), await client.call(
            "crm.deal.add", many
        )

    number, numbers = run(over_http, portal, story)
    assert portal.leads[number]["TITLE"] == "a&b"
    # two batches at once, and their answers in the order they arrive
    assert {portal.deals[one]["TITLE"] for one in numbers} == {f"deal {index}" for index in range(60)}
    assert len(numbers) == len(portal.deals) == 60


def test_45_fast_bitrix24_signs_in_with_a_token(over_http, portal, b24):
    async def told() -> Any:
        tokens = iter([b24.issue_tokens(portal)["access_token"] for _ in range(2)])

        async def token() -> str:
            return next(tokens)

        client = fast.BitrixAsync(f"{over_http}/rest/", token_func=token, verbose=False)
        before = await client.get_all("user.get")
        b24.expire(portal)
        fresh = b24.issue_tokens(portal)["access_token"]
        tokens = iter([fresh])
        return before, await client.get_all("crm.deal.userfield.list")

    people, fields = asyncio.run(told())
    assert len(people) == 4
    assert len(fields) == len(portal.fields["CRM_DEAL"])


def test_45_fast_bitrix24_survives_a_busy_portal(over_http, portal, b24):
    b24.faults.add("/rest/", status=503, times=1)

    async def story(client: Any) -> Any:
        return await client.call("crm.lead.add", {"fields": {"TITLE": "x"}})

    assert run(over_http, portal, story) in portal.leads
