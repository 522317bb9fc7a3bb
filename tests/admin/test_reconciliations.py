"""Reports of reconciliations: what differs, what to do about it, and that a person's deed is done once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from rules.models import Delivery, Finding, Outcome, Reconciliation
from tests.admin.test_pages import list_of, page_of

Deliver = Callable[..., Delivery]


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The runs that would have gone to a worker."""
    runs: list[int] = []
    monkeypatch.setattr("rules.outcomes.reconciling.ask_to_reconcile", runs.append)
    monkeypatch.setattr("rules.outcomes.findings.wake_lanes", lambda lanes: None)
    return runs


@pytest.fixture
def run(shop: Account) -> Reconciliation:
    now = timezone.now()
    return Reconciliation.objects.create(
        account=shop, owner="shop", since=now, until=now, state="done", ended_at=now, compared=412,
        unchecked=3, listed=500, counts={"missing": 1, "found": 1, "moved": 1},
    )  # fmt: skip


@pytest.fixture
def findings(run: Reconciliation, deliver: Deliver) -> dict[str, Finding]:
    lost = deliver("delivered", remote_id="77", delivered_at=run.since)
    held = deliver("held", held_because="look_first", look_first=True)
    moved = deliver("delivered", remote_id="79", delivered_at=timezone.now())
    rows = {
        "missing": Finding(delivery=lost, kind="missing", leads=["77"]),
        "found": Finding(delivery=held, kind="found", leads=["78"]),
        "moved": Finding(delivery=moved, kind="moved", leads=["79"], expected="70", actual="71"),
        "suspect": Finding(delivery=moved, kind="missing", leads=["79"]),
    }
    for name, row in rows.items():
        row.reconciliation, row.confirmed = run, name != "suspect"
        row.save()
    return rows


def act(client: Client, name: str, *rows: Finding, **more: str) -> Any:
    chosen = {"action": name, "_selected_action": [row.pk for row in rows], **more}
    return client.post(list_of(Finding), chosen)


def test_the_list_and_the_report_say_what_differs(viewer: Client, run: Reconciliation, findings: Any) -> None:
    shown = viewer.get(list_of(Reconciliation)).content.decode()
    assert "missing in the CRM: 1" in shown
    page = viewer.get(page_of(run)).content.decode()
    assert "Sales" in page
    assert "Wholesale" in page
    assert "What is not checked is neither missing nor there" in page
    assert page.count("a-1<") == 1  # a suspect is none of the findings
    only = viewer.get(list_of(Finding), {"kind__exact": "moved"}).content.decode()
    assert "Sales → Wholesale" in only


def test_a_report_without_findings_says_so(viewer: Client, shop: Account) -> None:
    now = timezone.now()
    agreed = Reconciliation.objects.create(account=shop, owner="shop", since=now, until=now, state="done")
    assert "Our books and the CRM agree" in viewer.get(page_of(agreed)).content.decode()


def test_what_is_missing_is_sent_again_once_it_was_confirmed(
    operator: Client, findings: dict[str, Finding], django_capture_on_commit_callbacks: Any
) -> None:
    lost = findings["missing"]
    html = act(operator, "send_again_chosen", lost, findings["moved"]).content.decode()
    assert "Send 1 lead again?" in html
    assert "1 is left alone" in html
    assert Delivery.objects.get(pk=lost.delivery_id).state == "delivered"

    with django_capture_on_commit_callbacks(execute=True):
        act(operator, "send_again_chosen", lost, confirmed="yes")
    row = Delivery.objects.get(pk=lost.delivery_id)
    assert (row.state, row.remote_id, row.steps, row.look_first) == ("waiting", "", {}, True)
    assert not Outcome.objects.filter(delivery=row).exists()
    lost.refresh_from_db()
    assert (lost.deed, lost.done_at is not None) == ("Sent again.", True)
    assert LogEntry.objects.filter(object_id=str(row.pk)).count() == 1
    assert "Send 0 leads again?" in act(operator, "send_again_chosen", lost).content.decode()


def test_what_was_found_is_taken_over(operator: Client, findings: dict[str, Finding]) -> None:
    found = findings["found"]
    act(operator, "adopt_chosen", found, confirmed="yes")
    row = Delivery.objects.get(pk=found.delivery_id)
    assert (row.state, row.remote_id) == ("delivered", "78")
    found.refresh_from_db()
    assert found.deed == "Taken over as lead 78."


def test_of_somebody_who_was_forgotten_nothing_can_be_done(
    operator: Client, findings: dict[str, Finding]
) -> None:
    found = findings["found"]
    Delivery.objects.filter(pk=found.delivery_id).update(held_because="erased")
    assert "Take over 0 leads?" in act(operator, "adopt_chosen", found).content.decode()
    assert "asked to be forgotten" in operator.get(list_of(Finding)).content.decode()


def test_viewers_may_do_nothing(viewer: Client, findings: dict[str, Finding]) -> None:
    act(viewer, "send_again_chosen", findings["missing"], confirmed="yes")
    assert Delivery.objects.get(pk=findings["missing"].delivery_id).state == "delivered"


def test_an_operator_compares_an_account_now(operator: Client, shop: Account, asked: list[int]) -> None:
    url = reverse("admin:accounts_account_reconcile_now", args=[shop.pk])
    assert "7 days" in operator.get(url).content.decode()
    answer = operator.post(url, {"confirmed": "yes"})
    run = Reconciliation.objects.get()
    assert (answer["Location"], run.who, run.state, asked) == (page_of(run), "operator", "running", [run.pk])
    operator.post(url, {"confirmed": "yes"})
    assert Reconciliation.objects.count() == 1


def test_the_command_compares_all_accounts_or_some(shop: Account, asked: list[int], capsys: Any) -> None:
    call_command("reconcile")
    call_command("reconcile", str(shop.pk))
    run = Reconciliation.objects.get()
    told = capsys.readouterr().out.splitlines()
    assert told == [f"{shop.pk}: reconciliation {run.pk} is begun", f"{shop.pk}: it is under way already"]
    assert asked == [run.pk]
    with pytest.raises(CommandError, match="No active account"):
        call_command("reconcile", "999999")


def test_a_finding_is_told_on_the_pages_of_its_delivery_and_on_the_first(
    viewer: Client, run: Reconciliation, findings: Any
) -> None:
    moved = Finding.objects.get(kind="moved")
    page = viewer.get(reverse("admin:rules_delivery_change", args=[moved.delivery_id])).content.decode()
    assert "What reconciliations found" in page
    assert "Nothing, if somebody moved it on purpose." in page
    first = viewer.get(reverse("admin:index")).content.decode()
    assert "found that 1 account's CRM differs" in first
    Reconciliation.objects.update(counts={})
    assert "differs from our deliveries" not in viewer.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize(("text", "found"), [("shop", 1), ("flowers.amocrm.ru", 1), ("garden", 0)])
def test_reconciliations_are_found_by_whose_they_are(
    viewer: Client, run: Reconciliation, text: str, found: int
) -> None:
    Account.objects.filter(pk=run.account_id).update(host="flowers.amocrm.ru")
    page = viewer.get(list_of(Reconciliation), {"q": text})
    assert page.context["cl"].result_count == found


def test_what_people_moved_is_no_fault(run: Reconciliation, viewer: Client) -> None:
    assert (run.found, run.faults) == (3, 2)
    assert viewer.get(reverse("admin:index")).context["differing"] == 1
    Reconciliation.objects.update(counts={"moved": 4})
    assert viewer.get(reverse("admin:index")).context["differing"] == 0
