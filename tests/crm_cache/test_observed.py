"""Lists of a CRM that has none: what was seen in passing, and what staff wrote."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Account
from connectors.rows import PipelineRow, StepRow
from crm_cache import models
from crm_cache.refresh import run_waiting
from crm_cache.runs import ask_for

pytestmark = pytest.mark.django_db
WINDOWS, SERVICE = PipelineRow("1", "Funnel 1"), PipelineRow("3", "Funnel 3")


@pytest.fixture
def shop(connected: Any) -> Account:
    account: Account = connected("shop", crm="solos", host="demo7.solos.pro", remote_id="demo7.solos.pro")
    return account


def sync(account: Account, crm: Any, *pages: Any, what: str = "pipelines") -> models.SyncRun:
    crm.pages[what] = list(pages)
    ask_for(account, [what])
    run_waiting(account.pk)
    return models.SyncRun.objects.latest("id")


def names(account: Account) -> dict[str, str]:
    rows = models.Pipeline.objects.filter(account=account, deleted=False)
    return dict(rows.values_list("remote_id", "name"))


def test_absence_buries_nothing(shop: Account, crm: Any) -> None:
    sync(shop, crm, [WINDOWS, SERVICE])
    crm.walked.clear()
    run = sync(shop, crm, [WINDOWS])
    assert (run.state, run.gone) == ("done", 0)
    assert names(shop) == {"1": "Funnel 1", "3": "Funnel 3"}
    run = sync(shop, crm)
    assert (run.state, run.gone, len(names(shop))) == ("done", 0, 2)


def test_nothing_is_walked_twice(shop: Account, crm: Any) -> None:
    """Elsewhere a second look tells a deleted row from one that slipped between two pages."""
    sync(shop, crm, [WINDOWS, SERVICE])
    crm.walked.clear()
    sync(shop, crm, [WINDOWS], [])
    assert crm.walked == ["pipelines"]


def test_a_name_that_staff_gave_stays(shop: Account, crm: Any) -> None:
    sync(shop, crm, [WINDOWS, SERVICE])
    models.Pipeline.objects.filter(remote_id="1").update(name="Окна", by_hand=True)
    run = sync(shop, crm, [PipelineRow("1", "Something else"), PipelineRow("3", "Сервис")])
    assert (run.added, run.changed) == (0, 1)
    assert names(shop) == {"1": "Окна", "3": "Сервис"}


def test_a_row_that_staff_added_stays(shop: Account, crm: Any) -> None:
    models.Pipeline.objects.create(account=shop, remote_id="9", name="Дача", by_hand=True)
    sync(shop, crm, [WINDOWS])
    assert names(shop) == {"1": "Funnel 1", "9": "Дача"}


def test_a_row_that_staff_called_gone_stays_gone(shop: Account, crm: Any) -> None:
    models.Pipeline.objects.create(account=shop, remote_id="1", name="Окна", by_hand=True, deleted=True)
    sync(shop, crm, [WINDOWS, SERVICE])
    assert names(shop) == {"3": "Funnel 3"}


def test_a_step_belongs_to_its_funnel(shop: Account, crm: Any) -> None:
    models.Step.objects.create(account=shop, pipeline_id="1", remote_id="11", name="Замер", by_hand=True)
    sync(shop, crm, [StepRow("1", "11", "Step 11"), StepRow("3", "11", "Step 11")], what="steps")
    steps = (
        models.Step.objects.filter(account=shop).order_by("pipeline_id").values_list("pipeline_id", "name")
    )
    assert list(steps) == [("1", "Замер"), ("3", "Step 11")]


def test_elsewhere_the_crm_has_the_last_word(connected: Any, crm: Any) -> None:
    amo = connected("flowers")
    models.Pipeline.objects.create(account=amo, remote_id="1", name="By hand", by_hand=True)
    models.Pipeline.objects.create(account=amo, remote_id="9", name="Gone", by_hand=True)
    run = sync(amo, crm, [WINDOWS])
    assert (run.gone, names(amo)) == (1, {"1": "Funnel 1"})
