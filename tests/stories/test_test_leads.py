"""A test lead goes the ordinary way in each CRM, is marked, counted nowhere, and deleted where one can."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import NewEvent
from connectors.registry import connector_class
from rules import figures, incidents
from rules.admin.dashboard import show
from rules.conversion.reading import Chosen, report
from rules.models import Answer, Delivery, Incident, Outcome
from rules.outcomes import following
from rules.planning import unplanned
from tests.admin.conftest import staff
from tests.stories.conftest import QUIZ

WORLDS = ("quiz", "clinic", "florist", "windows")


@pytest.fixture
def operator(transactional_db: None) -> Client:
    return staff("operator")


def press(client: Client, row: Any, what: str, **typed: Any) -> Any:
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{what}", args=[row.pk])
    return client.post(url, {"confirmed": "yes", **typed}, follow=True)


def rule_of(world: Any) -> Any:
    return world.account.rules.get(deleted=False)


@pytest.mark.parametrize("world", WORLDS)
def test_a_test_lead_is_marked_in_every_crm_and_counted_nowhere(
    operator: Client, world: str, request: pytest.FixtureRequest
) -> None:
    shop = request.getfixturevalue(world)
    shop.post()
    shop.work()
    NewEvent.objects.all().delete()
    before, ours = len(shop.leads), shop.api.get("/answers").json()["count"]

    page = press(operator, rule_of(shop), "test_lead", answer="sample")
    assert "The test lead is on its way." in page.content.decode()
    shop.work()

    test = Delivery.objects.get(test=True)
    assert (test.state, test.error, test.version) == ("delivered", "", rule_of(shop).current)
    assert len(shop.leads) == before + 1
    [lead] = [one for one in shop.leads if "ТЕСТ" in str(one)]
    assert "ТЕСТ" in str(lead)

    assert Outcome.objects.get(delivery=test).test
    assert shop.api.get("/answers").json()["count"] == ours
    for path in (f"/deliveries/{test.pk}", f"/answers/{test.answer_id}"):
        assert shop.api.get(path).status_code == 404
    assert {row["deliveryID"] for row in shop.api.get("/outcomes").json()["items"]}.isdisjoint({test.pk})
    figures.count(today := timezone.localdate())
    assert report(Chosen(today, today), "quiz").whole.answers == 1
    assert NewEvent.objects.filter(type__in=["answer.accepted", "delivery.delivered"]).count() == 0
    assert not unplanned(rule_of(shop)).filter(test=True).exists()
    html = operator.get(reverse("admin:rules_delivery_changelist"), {"test__exact": "1"}).content.decode()
    assert html.count('class="desk-mark-test"') == 1


def test_a_test_of_a_real_answer_takes_what_was_said(operator: Client, quiz: Any) -> None:
    quiz.post(answers=[{"questionID": "1", "question": "Что?", "answer": "розы"}])
    quiz.work()
    press(operator, quiz.rule, "test_lead", answer=str(Answer.objects.get().pk))
    quiz.work()
    real, test = (Delivery.objects.get(test=flag) for flag in (False, True))
    assert "розы" in str(test.answer.payload)
    assert (test.answer.answer_id != real.answer.answer_id, test.uid != real.uid) == (True, True)
    assert test.steps["contact"] == real.steps["contact"]
    assert test.steps["found_by"] == "memory"


@pytest.mark.parametrize("world", WORLDS)
def test_it_is_deleted_where_the_crm_can(
    operator: Client, world: str, request: pytest.FixtureRequest
) -> None:
    shop = request.getfixturevalue(world)
    shop.post()
    press(operator, rule_of(shop), "test_lead", answer="sample")
    shop.work()
    real, test = (Delivery.objects.get(test=flag) for flag in (False, True))
    can = connector_class(shop.account.crm).can.deletes_leads
    page = operator.get(reverse("admin:rules_delivery_change", args=[test.pk])).content.decode()
    assert ("remove_test" in page) == can
    assert ("delete it there" in page) == (not can and bool(test.remote_id))
    press(operator, real, "remove_test")
    press(operator, test, "remove_test")
    test.refresh_from_db()
    assert (test.removed_at is not None) == can
    assert len(shop.leads) == (1 if can else 2)
    if can:
        following.follow_due()
        following.follow(shop.account.pk)
        assert Outcome.objects.get(delivery=test).gone
        told = LogEntry.objects.filter(object_id=str(test.pk), content_type__model="delivery")
        assert told.count() == 1


def test_a_record_that_is_not_ours_is_never_deleted(operator: Client, clinic: Any) -> None:
    """It was merged into a customer's, or a person named another one."""
    clinic.post()
    press(operator, clinic.rule, "test_lead", answer="sample")
    clinic.work()
    real, test = (Delivery.objects.get(test=flag) for flag in (False, True))
    Delivery.objects.filter(pk=test.pk).update(steps={**test.steps, "lead": real.remote_id})
    page = press(operator, test, "remove_test")
    assert "no longer carries our external id" in page.content.decode()
    assert len(clinic.leads) == 2
    assert Delivery.objects.get(pk=test.pk).removed_at is None


def test_what_goes_wrong_with_a_test_alarms_nobody(operator: Client, quiz: Any) -> None:
    press(operator, quiz.rule, "test_lead", answer="sample")
    Delivery.objects.update(state="held", held_because="refused", error="no")
    incidents.look()
    assert Incident.objects.count() == 0
    user = operator.get(reverse("admin:index")).wsgi_request
    assert {card["state"]: card["count"] for card in show(user, {})["cards"]}["held"] == 0


def test_no_test_goes_by_a_rule_that_rests(operator: Client, quiz: Any) -> None:
    quiz.api.post(f"/rules/{QUIZ}/pause")
    page = press(operator, quiz.rule, "test_lead", answer="sample")
    assert "No test can be sent" in page.content.decode()
    assert not Answer.objects.exists()
