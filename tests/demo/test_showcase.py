"""What the demo leaves to look at: every state once, and leads that give charts a shape, in every CRM."""

from __future__ import annotations

from django.test import Client

from accounts import tokens
from accounts.models import Account, AccountEvent
from config.demo.showcase import OTHER_CUSTOMER, Showcase
from connectors.auth import Tokens
from connectors.registry import CONNECTORS
from crm_cache.models import CrmUser, Pipeline, Step
from rules import incidents, provisioning
from rules.delivery import sweep
from rules.models import Delivery, Incident, Outcome, Rule
from rules.models.bulk import BulkRun
from tests.admin.conftest import superuser
from tests.admin.test_reports import charts

__all__ = ["superuser"]


def test_every_state_is_there_and_stays_and_charts_have_shapes(superuser: Client) -> None:
    for kind in CONNECTORS:
        account = Account.objects.create(
            account_id="demo",
            crm=kind,
            remote_id=f"1{kind}",
            host="127.0.0.1:8101",
            state="active",
            name="Ремонт",
        )
        tokens.put(account, Tokens("key", "secret", None))
        CrmUser.objects.create(account=account, remote_id="1", name="Маша")
        Pipeline.objects.create(account=account, remote_id="70", name="Квизы")
        Step.objects.create(account=account, pipeline_id="70", remote_id="142", name="Новая заявка")
        Rule.objects.create(account=account, quiz_id=4201, performer="1", pipeline="70", step="142")
    Showcase("demo").fill()
    for _ in range(2):
        reasons = set(Delivery.objects.filter(state="held").values_list("held_because", flat=True))
        assert reasons == set(Delivery.Held)
        sweep.review()  # beat releases and holds nothing of it
        for rule in Rule.objects.filter(account__state="active"):
            provisioning.recheck(rule.pk)  # nor does a reading of the lists
    states = dict(Account.objects.filter(account_id=OTHER_CUSTOMER).values_list("state", "deleted"))
    assert states == {"needs_reconnect": False, "paused": False, "disconnected": True, "active": False}
    assert set(AccountEvent.objects.values_list("after", flat=True)) == {*states}
    resting = Account.objects.get(account_id=OTHER_CUSTOMER, state="active")
    assert resting.lane.failures
    assert resting.deliveries.filter(state="waiting").count() == 3
    assert "placed_elsewhere" in {p["code"] for rule in Rule.objects.all() for p in rule.problems}
    incidents.look()
    kinds = dict.fromkeys(Incident.objects.filter(solved_at=None).values_list("kind", flat=True))
    assert set(kinds) >= {"reconnect", "rule", "refused", "look", "stale", "unreachable"}
    assert Incident.objects.exclude(solved_at=None).count() == 1
    assert BulkRun.objects.get().state == "done"
    drawn = charts(superuser, quiz=4201)
    assert [one.label for one in drawn["arrivals"].series[:-1]] == [one.label for one in CONNECTORS.values()]
    assert not [key for key, chart in drawn.items() if isinstance(chart, str)]
    assert sum(key.startswith("option") for key in drawn) >= 2
    for kind in CONNECTORS:
        statuses = Outcome.objects.filter(account__crm=kind).values_list("status", flat=True)
        assert set(statuses) == {"open", "won", "lost"}
