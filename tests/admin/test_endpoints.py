"""Where events are posted: administrators keep it, others see it, and a secret is shown once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.events import endpoints, feed
from accounts.models import Event, NewEvent, WebhookEndpoint
from rules import incidents
from tests.admin.test_pages import page_of, queries

pytestmark = pytest.mark.django_db
LIST = reverse("admin:accounts_webhookendpoint_changelist")
ADD = reverse("admin:accounts_webhookendpoint_add")
FORM = {"url": "https://quiz.example.com/hooks", "owner": "", "enabled": "on", "types": ["outcome.changed"]}


def action(row: WebhookEndpoint, name: str) -> str:
    return reverse(f"admin:accounts_webhookendpoint_{name}", args=[row.pk])


def make(number: int = 1) -> WebhookEndpoint:
    return endpoints.create(url=f"https://quiz.example.com/{number}")


def test_an_administrator_makes_and_changes_one(administrator: Client) -> None:
    wrong = administrator.post(ADD, {**FORM, "url": "http://10.0.0.1/"}, headers={"Accept-Language": "ru"})
    assert "Адрес должен начинаться с https://" in wrong.content.decode()
    made = administrator.post(ADD, FORM)
    row = WebhookEndpoint.objects.get()
    assert (row.types, row.enabled, row.secret.startswith("whsec_")) == (["outcome.changed"], True, True)
    assert f"<span data-copy>{row.secret}</span>" in made.content.decode()
    assert "nothing posted yet" in administrator.get(LIST).content.decode()
    WebhookEndpoint.objects.update(disabled_at=row.created_at, enabled=False, error="The server answered 500")
    assert "given up" in administrator.get(LIST, headers={"Accept-Language": "en"}).content.decode()
    assert administrator.post(page_of(row), {**FORM, "types": [], "owner": "shop"}).status_code == 302
    row = WebhookEndpoint.objects.get()
    assert (row.types, row.owner, row.enabled, row.disabled_at) == ([], "shop", True, None)


def test_there_is_an_end_to_how_many_there_are(
    administrator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "MOST", 1)
    row = make()
    refused = administrator.post(ADD, FORM, headers={"Accept-Language": "ru"})
    assert refused.status_code == 200
    assert "Адресов уже 1: удалите один" in refused.content.decode()
    assert administrator.post(page_of(row), FORM).status_code == 302


def test_a_secret_is_shown_once_and_on_no_page(administrator: Client, viewer: Client) -> None:
    row = make()
    asked = administrator.get(action(row, "new_secret"))
    assert row.secret not in asked.content.decode()
    shown = administrator.post(action(row, "new_secret"), {"confirmed": "yes", "hours": "24"})
    [new] = re.findall(r"whsec_[A-Za-z0-9+/=]+", shown.content.decode())
    kept = WebhookEndpoint.objects.get()
    assert (kept.secret, kept.former_secret) == (new, row.secret)
    assert "no-store" in shown["Cache-Control"]
    for client in (administrator, viewer):
        for url in (LIST, page_of(row), page_of(row, "history"), reverse("admin:index")):
            answer = client.get(url)
            assert answer.status_code == 200
            assert "whsec_" not in answer.content.decode()
    assert new not in str(list(LogEntry.objects.values()))


@pytest.mark.parametrize("who", ["viewer", "operator"])
def test_nobody_else_changes_anything(who: str, request: pytest.FixtureRequest) -> None:
    viewer, row = request.getfixturevalue(who), make()
    assert viewer.get(ADD).status_code == 403
    assert viewer.post(page_of(row), FORM).status_code == 403
    for name in ("new_secret", "replay", "remove"):
        assert viewer.post(action(row, name), {"confirmed": "yes", "hours": "24"}).status_code in (302, 403)
    kept = WebhookEndpoint.objects.get()
    assert (kept.secret, kept.deleted, kept.url) == (row.secret, False, row.url)


def test_events_are_posted_again_and_an_endpoint_goes(administrator: Client) -> None:
    now = timezone.now()
    row = make()
    for hours in (30, 10, 0.5):
        at = now - timedelta(hours=hours)
        NewEvent.objects.create(owner="shop", type="sync.finished", at=at, data={})
    while feed.number():
        pass
    first, second, third = Event.objects.values_list("pk", flat=True)
    for hours, place in (("0", 0), ("168", 0), ("24", first), ("1", second)):
        WebhookEndpoint.objects.update(place=third)
        assert (
            administrator.post(action(row, "replay"), {"confirmed": "yes", "hours": hours}).status_code == 302
        )
        assert WebhookEndpoint.objects.get().place == place
    assert administrator.post(action(row, "remove"), {"confirmed": "yes"}).status_code == 302
    assert list(endpoints.live()) == []
    assert administrator.get(page_of(row)).status_code == 302  # there is none any more
    assert "Deleted" in str(list(LogEntry.objects.values_list("change_message", flat=True)))


def test_an_incident_leads_to_its_endpoint(administrator: Client) -> None:
    row = make()
    WebhookEndpoint.objects.update(disabled_at=row.created_at, enabled=False)
    incidents.look()
    for url in (reverse("admin:index"), reverse("admin:rules_incident_changelist")):
        page = administrator.get(url).content.decode()
        assert page_of(row) in page
        assert row.url in page


def test_many_cost_as_many_queries_as_few(administrator: Client) -> None:
    make()
    few = queries(administrator, LIST)
    for number in range(10):
        make(number)
    assert queries(administrator, LIST) == few
