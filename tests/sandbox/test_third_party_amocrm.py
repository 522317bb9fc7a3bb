"""Public amoCRM clients by other people run against the sandbox, unmodified.

They were written against the real service, so what they expect is a second opinion on our reading of the
documentation. amocrm-api has https://<subdomain>.amocrm.ru hard-coded and is caught in process; aioamocrm
takes an address and talks HTTP to the served sandbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

amocrm = pytest.importorskip("amocrm.v2")
aioamocrm = pytest.importorskip("aioamocrm")

from amocrm.v2 import exceptions as krukov_errors  # noqa: E402
from amocrm.v2 import manager as krukov_manager  # noqa: E402
from amocrm.v2 import tokens as krukov_tokens  # noqa: E402
from amocrm.v2.account import Account as KrukovAccount  # noqa: E402
from amocrm.v2.account import AccountInteraction  # noqa: E402
from amocrm.v2.entity import custom_field  # noqa: E402

from connectors.sandbox.amocrm.ledger import ledger  # noqa: E402

DAY = 86400
# Of amocrm-api, on Python 3.12.
pytestmark = pytest.mark.filterwarnings(r"ignore:datetime\.datetime\.utc:DeprecationWarning:amocrm")


# -- amocrm-api (Krukov/amocrm_api), requests, real host names ----------------------------------------


class Contact(amocrm.Contact):
    phone = custom_field.ContactPhoneField("Телефон")


class Lead(amocrm.Lead):
    utm = custom_field.TextCustomField("utm_source", code="UTM_SOURCE")
    city = custom_field.TextCustomField("Город")
    kind = custom_field.SelectCustomField("Тип ремонта")


@pytest.fixture
def krukov(amo, account, oauth, in_process) -> Iterator[krukov_tokens.TokenManager]:
    amo.clock.thaw()
    amo.clock.reset()
    manager = krukov_tokens.default_token_manager
    manager.__init__()  # it is global to the package
    ours = amo.integration
    manager(
        ours.client_id, ours.client_secret, "demo7", ours.redirect_uri, krukov_tokens.MemoryTokensStorage()
    )
    yield manager
    manager.__init__()


@pytest.fixture
def signed_in(krukov, oauth):
    krukov.init(code=oauth.consent()["code"])
    return krukov


def get_account_info() -> Any:
    """What the package's own function of this name means to do: it forgets to give an id."""
    return krukov_manager.Manager(AccountInteraction(), model=KrukovAccount).get(object_id=0)


def test_amocrm_api_signs_in_and_reads_the_account(signed_in, account):
    info = get_account_info()
    assert (info.id, info.subdomain, info.customers_mode) == (account.id, "demo7", "segments")
    assert info.current_user.name == account.admin.name


def test_amocrm_api_is_told_why_a_code_is_refused(krukov):
    with pytest.raises(Exception, match="Cannot decrypt the authorization code"):
        krukov.init(code="garbage")


def test_amocrm_api_refreshes_an_old_token(krukov, oauth, amo):
    amo.clock.advance(-2 * DAY)  # the token is issued in the past: expired for the client
    krukov.init(code=oauth.consent()["code"])
    amo.clock.advance(2 * DAY)
    assert get_account_info().subdomain == "demo7"
    assert amo.journal.counts["POST /oauth2/access_token"] == 2


def test_amocrm_api_reads_the_directories(signed_in, account):
    users = list(amocrm.User.objects.all())
    assert [user.is_active for user in users].count(False) == 1
    pipelines = list(amocrm.Pipeline.objects.all())
    assert [pipeline.name for pipeline in pipelines] == ["Воронка", "Квизы"]
    assert [status.id for status in pipelines[1].statuses][-2:] == [142, 143]
    fields = list(custom_field.CustomFieldModel.get_for(Lead()))
    assert {field.code for field in fields} >= {"UTM_SOURCE", "YCLID"}
    assert "квиз" in {tag.name for tag in amocrm.Tag.leads.all()}


def test_amocrm_api_makes_finds_and_changes_a_lead(signed_in, account):
    contact = Contact.objects.create(name="Иван")
    contact = Contact.objects.get(contact.id)
    contact.phone = "+79990001122"
    contact.update()
    made = Lead.objects.create(name="Квиз qz-1", price=100)
    lead = Lead.objects.get(query="qz-1")
    assert lead.id == made.id
    lead.contacts.append(contact)
    lead.utm, lead.city, lead.kind = "ads", "Казань", "Капитальный"
    lead.tags.add("новый")
    lead.status = "Переговоры"
    lead.update()
    lead.notes(text="Ответы квиза").save()
    [row] = account_ledger(account)
    assert (row["name"], row["step"], row["tags"]) == ("Квиз qz-1", "Переговоры", ["новый"])
    assert row["fields"] == {"utm_source": "ads", "Город": "Казань", "Тип ремонта": "Капитальный"}
    assert row["contact"]["Телефон"] == "+79990001122"
    assert row["notes"] == ["Ответы квиза"]
    again = Lead.objects.get(lead.id)
    assert (again.kind.value, again.status.name) == ("Капитальный", "Переговоры")
    assert [person.phone for person in Contact.objects.filter(query="9990001122")] == ["+79990001122"]


def account_ledger(account: Any) -> list[dict[str, Any]]:
    return list(ledger(account))


def test_amocrm_api_maps_errors(signed_in, amo, account):
    with pytest.raises(krukov_errors.ValidationError):
        Lead.objects.create(name="x", price="много")
    with pytest.raises(krukov_errors.NotFound):
        Lead.objects.get(1)
    amo.faults.add("/account", "reset")
    with pytest.raises(krukov_errors.AmoApiException):
        get_account_info()
    amo.faults.add("/account", status=403)
    with pytest.raises(krukov_errors.PermissionsDenyException):
        get_account_info()
    amo.revoke(account)
    with pytest.raises(krukov_errors.UnAuthorizedException):
        get_account_info()


# -- aioamocrm, httpx and pydantic over HTTP ----------------------------------------------------------


@pytest.fixture
def served(hub, amo):
    """An account on a port of its own; the first thing made, so it is the only one."""
    return hub.add_account(amo, "served")


COMPLEX = {
    "name": "Квиз qz-2",
    "request_id": "ans-2",
    "_embedded": {
        "tags": [{"name": "квиз"}],
        "contacts": [
            {
                "first_name": "Иван",
                "custom_fields_values": [
                    {"field_code": "PHONE", "values": [{"value": "+79990001122", "enum_code": "WORK"}]}
                ],
            }
        ],
        "companies": [{"name": "Ромашка"}],
    },
}


def with_client(hub: Any, amo: Any, served: Any, story: Any, **options: Any) -> Any:
    """Signs in with a code and runs a story."""

    async def run() -> Any:
        ours = amo.integration
        auth = aioamocrm.OAuth2(ours.client_id, ours.client_secret, ours.redirect_uri)
        settings = {"base_url": hub.url(served.port), "rate_limit": None, **options}
        async with aioamocrm.AmoCRMClient(auth=auth, **settings) as client:
            code = amo.tokens.new_code(served.id, served.admin.id, ours.client_id, amo.clock.now())
            served.installed.add(ours.client_id)
            await client.exchange_code(code.text)
            return await story(client)

    return asyncio.run(run())


def test_aioamocrm_reads_all_pages(hub, amo, served):
    async def story(client: Any) -> Any:
        account = await client.account.get()
        users = [user async for user in client.users.iterate()]
        pipelines = await client.pipelines.list()
        fields = [field async for field in client.leads.custom_fields.iterate()]
        return account, users, pipelines, fields

    amo.switches["fields_page_cap"] = 10
    account, users, pipelines, fields = with_client(hub, amo, served, story)
    assert (account.id, account.subdomain, len(users)) == (served.id, "served", 4)
    assert [pipeline.is_main for pipeline in pipelines] == [True, False]
    assert {field.id for field in fields} == set(served.fields["leads"].by_id)


def test_aioamocrm_makes_and_finds_a_complex_lead(hub, amo, served):
    async def story(client: Any) -> Any:
        [made] = await client.leads.create_complex([COMPLEX])
        await client.leads.notes.create([aioamocrm.Note.common(made.id, "Ответы")])
        await client.leads.update([{"id": made.id, "price": 5}])
        found = await client.contacts.get_page(query="9990001122", with_=["leads"])
        lead = await client.leads.get(made.id, with_=["contacts"])
        notes = [note async for note in client.leads.notes.iterate(entity_id=made.id)]
        note = await client.leads.notes.get(notes[0].id, entity_id=made.id)
        return made, found, lead, note

    made, found, lead, note = with_client(hub, amo, served, story)
    assert made.request_id == ["ans-2"]
    assert [contact.id for contact in found.items] == [made.contact_id]
    assert (lead.price, lead.embedded.contacts[0].id) == (5, made.contact_id)
    assert note.params["text"] == "Ответы"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 429}, "RateLimitError"),
        ({"status": 402}, "PaymentRequiredError"),
        ({"status": 403}, "ForbiddenError"),
        ({"status": 500}, "ServerError"),
        ({"status": 504}, "ServerError"),
        ({"action": "reset_after"}, "NetworkError"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_aioamocrm_maps_each_failure(hub, amo, served, fault, error):
    async def story(client: Any) -> None:
        with pytest.raises(getattr(aioamocrm, error)):
            await client.leads.create_complex([COMPLEX])

    amo.faults.add("/leads/complex", **fault)
    with_client(hub, amo, served, story)
    assert len(served.leads) == (1 if "action" in fault else 0)


def test_aioamocrm_reads_the_validation_issues(hub, amo, served):
    async def story(client: Any) -> Any:
        with pytest.raises(aioamocrm.ValidationError) as refused:
            await client.leads.create([{"name": "good"}, {"price": "x", "request_id": "r2"}])
        return refused.value

    refused = with_client(hub, amo, served, story)
    assert [(issue.request_id, issue.path, issue.code) for issue in refused.errors] == [
        ("r2", "price", "InvalidType")
    ]


def test_aioamocrm_renews_a_rejected_token(hub, amo, served):
    async def story(client: Any) -> Any:
        amo.expire(served)
        account = await client.account.get()
        amo.revoke(served)
        with pytest.raises(aioamocrm.AuthError):
            await client.account.get()
        return account

    assert with_client(hub, amo, served, story).id == served.id
