"""What became of leads: read on every page, looked at on demand, named by a person where nobody else can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from connectors.lead_status import LeadStatus
from connectors.messages import from_column
from connectors.registry import connector_class
from rules.models import Delivery, Outcome
from rules.outcomes import following
from tests.admin.conftest import PERSONAL
from tests.admin.test_pages import list_of, page_of

Deliver = Callable[..., Delivery]


@pytest.fixture
def followed(deliver: Deliver) -> Outcome:
    return deliver("delivered").outcome


def change(row: Outcome, **values: Any) -> None:
    Outcome.objects.filter(pk=row.pk).update(**values)
    row.refresh_from_db()


def unfound(row: Outcome) -> None:
    change(row, record="", record_id="", step="", step_name="", amount=None)


def name(client: Client, row: Outcome, **said: str) -> Any:
    asked = {"confirmed": "yes", "record": "lead", "record_id": "77", **said}
    return client.post(page_of(row, "name_record"), asked, follow=True)


# -- reading -------------------------------------------------------------------------------------------------


def test_the_list_tells_status_step_person_and_money(operator: Client, followed: Outcome) -> None:
    html = operator.get(list_of(Outcome)).content.decode()
    assert all(text in html for text in ("New order", "Маша", "54\u00a0000\u00a0₽", "Flower shop", "amoCRM"))


@pytest.mark.parametrize("term", ["150001", "149999", "101"])
def test_a_lead_is_found_by_its_id_and_by_its_quiz(operator: Client, followed: Outcome, term: str) -> None:
    change(followed, record_id="150001")
    Delivery.objects.update(remote_id="149999")
    rows = operator.get(list_of(Outcome), {"q": term}).context["cl"].result_list
    assert [row.pk for row in rows] == [followed.pk]
    assert not operator.get(list_of(Outcome), {"q": "15000"}).context["cl"].result_list


@pytest.mark.parametrize(
    ("trail", "values"),
    [
        ("gone", {"gone": "deleted"}),
        ("unfound", {"record": ""}),
        ("failing", {"failures": 2}),
        ("hand", {"matched": "by hand"}),
    ],
)
def test_leads_that_went_astray_can_be_listed(
    operator: Client, deliver: Deliver, trail: str, values: dict[str, Any]
) -> None:
    straight, astray = deliver("delivered").outcome, deliver("delivered").outcome
    change(astray, **values)
    rows = operator.get(list_of(Outcome), {"trail": trail}).context["cl"].result_list
    assert [row.pk for row in rows] == [astray.pk] != [straight.pk]


def test_a_page_tells_everything_to_an_operator(operator: Client, followed: Outcome) -> None:
    change(
        followed, paid="400", error="amoCRM was silent", failures=3, gone="merged into 77",
        payments=[{"id": "9", "amount": "-100.00", "paidAt": "2026-03-08T10:00:00+00:00"}],
    )  # fmt: skip
    html = operator.get(page_of(followed)).content.decode()
    told = (
        "-100\u00a0₽",
        "went out",
        "400",
        "3 times in a row: amoCRM was silent",
        "merged into 77",
        *PERSONAL,
    )
    assert [text for text in told if text not in html] == []


def test_who_it_is_stays_hidden_from_a_viewer(viewer: Client, followed: Outcome) -> None:
    html = viewer.get(page_of(followed)).content.decode()
    assert "New order" in html
    assert [text for text in PERSONAL if text in html] == []


def test_what_a_crm_wrote_is_no_markup(operator: Client, followed: Outcome) -> None:
    evil = "<script>alert(1)</script>"
    change(
        followed, step_name=evil, performer_name=evil, gone=evil, error=evil, link="javascript:alert(1)",
        contact={evil: evil}, details={evil: [evil]}, payments=[{"id": evil, "amount": evil}],
    )  # fmt: skip
    for url in (page_of(followed), page_of(followed.delivery), list_of(Outcome)):
        html = operator.get(url).content.decode()
        assert (evil in html, "javascript:alert" in html) == (False, False)


def test_a_delivery_says_what_became_of_it(operator: Client, followed: Outcome, deliver: Deliver) -> None:
    html = operator.get(page_of(followed.delivery)).content.decode()
    assert all(text in html for text in ("What became of it", "New order", "Маша", page_of(followed)))
    assert "What became of it" not in operator.get(page_of(deliver("held"))).content.decode()


# -- looking -------------------------------------------------------------------------------------------------


def test_what_it_became_is_called_in_the_readers_language(
    operator: Client, followed: Outcome, deliver: Deliver
) -> None:
    Outcome.objects.filter(pk=followed.pk).update(record="deal", record_id="25")
    for page in (list_of(Outcome), page_of(followed), page_of(followed.delivery)):
        html = operator.get(page, headers={"Accept-Language": "ru"}).content.decode()
        assert ("делка 25" in html, "eal 25" in html) == (True, False)


def test_a_lead_is_looked_at_now(
    operator: Client, followed: Outcome, queued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    change(followed, next_look_at=None)
    assert "1 lead stands now" in operator.get(page_of(followed, "look_now")).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        operator.post(page_of(followed, "look_now"), {"confirmed": "yes"})
    followed.refresh_from_db()
    assert followed.next_look_at is not None
    assert ("rules.tasks.follow", [followed.account_id]) in queued


def test_chosen_leads_of_stopped_accounts_are_left_alone(operator: Client, deliver: Deliver) -> None:
    rows = [deliver("delivered").outcome for _ in range(2)]
    chosen = {"action": "look_at_chosen", "_selected_action": [row.pk for row in rows]}
    assert "Look at 2 leads now?" in operator.post(list_of(Outcome), chosen).content.decode()
    Account.objects.update(state="paused")
    html = operator.post(list_of(Outcome), chosen).content.decode()
    assert "2 leads will be left alone" in html
    assert page_of(rows[0], "look_now") not in operator.get(page_of(rows[0])).content.decode()


# -- naming --------------------------------------------------------------------------------------------------


def test_a_lead_that_nobody_found_is_named_by_a_person(
    operator: Client, followed: Outcome, queued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    unfound(followed)
    assert page_of(followed, "name_record") in operator.get(page_of(followed)).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        html = name(operator, followed, record_id=" 77 ").content.decode()
    assert "It is lead 77, and looked at now." in html
    followed.refresh_from_db()
    assert (followed.record, followed.record_id, followed.matched) == ("lead", "77", "by hand")
    assert (followed.seen_at, followed.contact, followed.next_look_at <= timezone.now()) == (None, {}, True)
    said = from_column(LogEntry.objects.get().change_message)
    assert said == "Said that it is lead 77; before: not found."
    assert ("rules.tasks.follow", [followed.account_id]) in queued


def test_the_crm_is_asked_about_the_record_that_was_named(
    operator: Client, followed: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def follow(connector: Any, leads: Any) -> list[Any]:
        asked.extend(leads)
        return [LeadStatus("lead", "77", status="won", matched="merged into 78")]

    unfound(followed)
    name(operator, followed)
    monkeypatch.setattr(connector_class("amocrm"), "follow", follow)
    monkeypatch.setattr(
        "rules.outcomes.following.connection.close", lambda: None
    )  # the test's own transaction
    following.follow(followed.account_id)
    followed.refresh_from_db()
    assert [(lead.record, lead.record_id, lead.remote_id) for lead in asked] == [("lead", "77", "77")]
    assert (followed.status, followed.matched) == ("won", "by hand")


def test_a_wrong_record_is_taken_back(operator: Client, followed: Outcome) -> None:
    Delivery.objects.update(remote_id="15", remote_link="https://flowers.amocrm.ru/leads/15")
    unfound(followed)
    name(operator, followed)
    asked = operator.get(page_of(followed, "forget_record")).content.decode()
    assert "A person said that it is lead 77." in asked
    operator.post(page_of(followed, "forget_record"), {"confirmed": "yes"})
    followed.refresh_from_db()
    assert (followed.record, followed.record_id, followed.matched) == ("", "15", "")
    assert followed.link == "https://flowers.amocrm.ru/leads/15"
    assert from_column(LogEntry.objects.first().change_message) == "Said that it is not lead 77."


def test_another_lead_of_the_same_record_is_told(operator: Client, deliver: Deliver) -> None:
    first, second = deliver("delivered").outcome, deliver("delivered").outcome
    change(first, record_id="77")
    unfound(second)
    assert (
        f"The lead of delivery {first.delivery_id} is that record, too."
        in name(operator, second).content.decode()
    )


def test_a_lead_that_was_found_is_not_named(operator: Client, followed: Outcome) -> None:
    assert page_of(followed, "name_record") not in operator.get(page_of(followed)).content.decode()
    assert "Nothing was changed" in name(operator, followed).content.decode()
    assert not LogEntry.objects.exists()


def test_where_projects_are_guessed_a_person_may_know_better(
    operator: Client, followed: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    cls = connector_class("amocrm")
    monkeypatch.setattr(cls, "can", replace(cls.can, observes=True, records=("project",)))
    assert page_of(followed, "name_record") in operator.get(page_of(followed)).content.decode()
    name(operator, followed, record="project")
    followed.refresh_from_db()
    assert (followed.record, followed.record_id) == ("project", "77")


@pytest.mark.parametrize("said", [{"record_id": "x"}, {"record_id": ""}, {"record": "planet"}])
def test_what_is_no_record_is_refused(operator: Client, followed: Outcome, said: dict[str, str]) -> None:
    unfound(followed)
    assert name(operator, followed, **said).context["question"].form.errors
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("action", ["look_now", "name_record", "forget_record"])
def test_a_viewer_does_nothing_to_outcomes(viewer: Client, followed: Outcome, action: str) -> None:
    change(followed, record="", matched="by hand")
    assert page_of(followed, action) not in viewer.get(page_of(followed)).content.decode()
    assert viewer.post(page_of(followed, action), {"confirmed": "yes"}).status_code == 403
