"""What an account's page shows beside its state: where its CRM tells of changes, and its first answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Hook
from tests.admin.conftest import SECRETS
from tests.admin.test_pages import page_of


@pytest.fixture
def windows(db: None) -> Account:
    """An account of a CRM that can't be asked to tell us of changes."""
    return Account.objects.create(
        account_id="windows", crm="solos", remote_id="demo7", host="demo7.solos.pro", state="active",
        connected_at=timezone.now(), facts={"api": "v2", "application_token": SECRETS[0]},
    )  # fmt: skip


def shown(client: Client, account: Account) -> str:
    return client.get(page_of(account)).content.decode()


def test_an_operator_gets_the_address_to_enter_by_hand(
    operator: Client, windows: Account, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://quiz.example.com"
    html = shown(operator, windows)
    hook = Hook.objects.get(account=windows)
    assert f"https://quiz.example.com/hooks/{hook.pk}/{hook.secret}</textarea>" in html
    assert shown(operator, windows).count(hook.secret) == 1


def test_a_viewer_does_not(viewer: Client, windows: Account) -> None:
    assert "The address is shown to operators." in shown(viewer, windows)
    assert not Hook.objects.exists()


def test_the_last_notice_is_told(operator: Client, windows: Account) -> None:
    assert "none yet" in shown(operator, windows)
    Hook.objects.update(heard_at=datetime(2026, 3, 8, 10, tzinfo=UTC))
    assert "08.03.2026" in shown(operator, windows)


def test_a_crm_that_is_asked_shows_how_it_answered_and_no_address(operator: Client, shop: Account) -> None:
    assert "was not asked yet" in shown(operator, shop)
    Hook.objects.create(account=shop, secret="s3cret-path", error="The plan has no webhooks <b>")
    html = shown(operator, shop)
    assert "would not tell us: The plan has no webhooks &lt;b&gt;" in html
    assert "Not subscribed yet." in html
    assert "s3cret-path" not in html


def test_a_farewelled_account_has_no_address(operator: Client, windows: Account) -> None:
    Account.objects.update(deleted=True, state="disconnected")
    assert "Notices of changed leads" not in shown(operator, windows)
    assert not Hook.objects.exists()


def test_first_answers_are_shown_by_their_shape(viewer: Client, windows: Account) -> None:
    assert "First live answers" not in shown(viewer, windows)
    windows.facts |= {
        "shapes": {"main_data": {"<script>": "digits", "users": [{"id": "number"}]}, "deal": None}
    }
    windows.save(update_fields=["facts"])
    html = shown(viewer, windows)
    assert "First live answers had this shape" in html
    assert "Main data" in html
    assert "&lt;script&gt;&quot;: &quot;digits&quot;" in html
    assert ("Deal</summary>" in html, SECRETS[0] in html) == (False, False)


@pytest.mark.parametrize("shapes", [None, [], "text", {}])
def test_facts_of_another_form_do_no_harm(viewer: Client, windows: Account, shapes: Any) -> None:
    windows.facts |= {"shapes": shapes}
    windows.save(update_fields=["facts"])
    assert "First live answers" not in shown(viewer, windows)
