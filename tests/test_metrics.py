"""``/metrics``: what processes count is added up, states are asked for, and strangers see nothing."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as live
from django.db import connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts import counters as counting
from accounts.counters import Counters, counters
from accounts.models import Account, Event, Lane, NewEvent, WebhookEndpoint
from accounts.redis_client import redis_client
from config import metrics
from config.celery import app
from rules.models import Answer, Delivery, Rule
from tests.stories.conftest import *  # noqa: F403 - an amoCRM account with a rule

TOKEN = "what-prometheus-sends"
OPERATING = Path(__file__).resolve().parents[1] / "docs/operating"


@pytest.fixture(autouse=True)
def nothing_counted(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is handed over but when a test says so, however long it takes."""
    monkeypatch.setattr(counting, "EVERY", 1e9)
    settings.METRICS_TOKEN = TOKEN
    counters.hand_over()
    redis_client().delete(*(f"{live.REDIS_PREFIX}metrics:{name}" for name in ("counters", "processes")))


def scraped() -> dict[tuple[str, ...], float]:
    """By name and values of the labels, in the order of their names."""
    answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_a_delivered_lead_is_seen_in_them(quiz: Any) -> None:
    quiz.post("visit-1")
    quiz.work()
    found = scraped()
    assert found["quiz_crm_tries_total", "amocrm", "delivered"] == 1
    assert found["quiz_crm_delivery_seconds_count", "amocrm"] == 1
    assert found["quiz_crm_delivery_seconds_bucket", "amocrm", "+Inf"] == 1
    assert found["quiz_crm_crm_requests_total", "amocrm", "200"] > 0


def test_processes_are_added_up(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr("os.getpid", lambda number=number: number)
            process = Counters()
            process.count("tries", crm="amocrm", outcome="delivered")
            process.observe("task_seconds", 0.2, task="rules.tasks.sweep")
            process.busy("deliver", 2)
            process.hand_over()
    found = scraped()
    assert found["quiz_crm_tries_total", "amocrm", "delivered"] == 3
    assert found["quiz_crm_task_seconds_sum", "rules.tasks.sweep"] == pytest.approx(0.6)
    assert found["quiz_crm_task_seconds_bucket", "0.1", "rules.tasks.sweep"] == 0
    assert found["quiz_crm_task_seconds_bucket", "0.3", "rules.tasks.sweep"] == 3
    assert found["quiz_crm_busy_threads", "deliver"] == 6


def test_a_process_that_is_gone_is_busy_no_more(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("os.getpid", lambda: 0)
        Counters().busy("deliver", 2)
    assert scraped()["quiz_crm_busy_threads", "deliver"] == 2
    later = time.time() + counting.FRESH + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert ("quiz_crm_busy_threads", "deliver") not in scraped()


def test_without_redis_counts_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    process = Counters()
    with monkeypatch.context() as away:
        away.setattr(counting, "redis_client", lambda: (_ for _ in ()).throw(ConnectionError()))
        process.count("tries", crm="solos", outcome="delivered")
        process.count("tries", crm="solos", outcome="delivered")
    process.hand_over()
    assert ("tries", (("crm", "solos"), ("outcome", "delivered")), 2.0) in list(counting.read())


def test_a_task_is_timed(db: None) -> None:
    @app.task(name="tests.nothing")
    def nothing() -> None: ...

    nothing.apply()
    assert scraped()["quiz_crm_task_seconds_count", "tests.nothing"] == 1


@pytest.mark.django_db
def test_states_come_from_the_database() -> None:
    now = timezone.now()
    account = Account.objects.create(account_id="a", crm="amocrm", host="a.amocrm.ru", state="active")
    Lane.objects.filter(account=account).update(lease_until=now + timedelta(minutes=1))
    rule = Rule.objects.create(account=account, quiz_id=1)
    for number, chosen in enumerate(
        (
            {"state": "waiting", "due_at": now - timedelta(seconds=90)},
            {"state": "waiting", "due_at": now + timedelta(seconds=90)},
            {"state": "held", "held_because": "look_first"},
            {"state": "held", "held_because": "look_first", "test": True},
            {"state": "waiting", "due_at": timezone.now() - timedelta(days=9), "test": True},
        )
    ):
        row = Answer.objects.create(account_id="a", quiz_id=1, answer_id=str(number), payload={}, digest="x")
        Delivery.objects.create(
            answer=row, account=account, rule=rule, uid=str(number), owner="a", quiz_id=1, **chosen
        )
    NewEvent.objects.all().delete()
    for place, age in ((7, 300), (8, 120), (9, 60)):
        Event.objects.create(
            pk=place, owner="shop", type="sync.finished", at=now - timedelta(seconds=age), data={}
        )
    WebhookEndpoint.objects.create(url="https://a.example.com/", secret="x", place=7)
    WebhookEndpoint.objects.create(url="https://b.example.com/", secret="x", place=9)
    WebhookEndpoint.objects.create(url="https://c.example.com/", secret="x", enabled=False)
    old = now - timedelta(days=live.PAYLOAD_DAYS, hours=1)
    Answer.objects.filter(answer_id="0").update(created_at=old)
    found = scraped()
    assert found["quiz_crm_oldest_due_seconds", "amocrm"] == pytest.approx(90, abs=20)
    assert found["quiz_crm_held_deliveries", "look_first"] == 1
    assert found["quiz_crm_unclear_deliveries", "amocrm"] == 1
    assert found["quiz_crm_lanes", "busy"] == 1
    assert found["quiz_crm_lanes", "resting"] == 0
    assert found["quiz_crm_purge_lag_seconds",] == pytest.approx(3600, abs=60)
    assert found["quiz_crm_webhook_lag_seconds",] == pytest.approx(120, abs=20)


@pytest.mark.django_db
def test_a_part_that_fails_takes_nothing_else_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "LANES", "SELECT nonsense")
    found = scraped()
    assert found["quiz_crm_metrics_part_failed", "lanes"] == 1
    assert found["quiz_crm_metrics_part_failed", "held"] == 0
    assert found["quiz_crm_purge_lag_seconds",] == 0


@pytest.mark.parametrize(
    "given", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}]
)
def test_strangers_see_nothing(client: Client, given: dict[str, str]) -> None:
    answer = client.get("/metrics", headers=given)
    assert answer.status_code == 401
    assert b"quiz_crm" not in answer.content


def test_without_a_token_of_its_own_there_is_no_such_page(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


# -- the files for Grafana and Prometheus ------------------------------------------------------------------


def there_are() -> set[str]:
    """The names of all series that ``/metrics`` may have."""
    names = {f"quiz_crm_{name}_total" for name in metrics.COUNTERS}
    names |= {f"quiz_crm_{name}_{end}" for name in metrics.HISTOGRAMS for end in ("bucket", "sum", "count")}
    source = Path(metrics.__file__).read_text()
    gauges = re.findall(r'(?:GaugeMetricFamily\(PREFIX \+|_by_label\()\s*"(\w+)"', source)
    return names | {f"quiz_crm_{name}" for name in gauges}


@pytest.mark.parametrize("name", ["grafana-dashboard.json", "alerts.yaml"])
def test_every_metric_that_is_named_exists(name: str) -> None:
    named = set(re.findall(r"\bquiz_crm_\w+", (OPERATING / name).read_text()))
    assert len(named) > 5
    assert named <= there_are()


def test_every_metric_has_its_picture() -> None:
    pictured = set(re.findall(r"\bquiz_crm_\w+", (OPERATING / "grafana-dashboard.json").read_text()))
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in there_are()}
    assert families <= {re.sub(r"_(bucket|sum|count)$", "", name) for name in pictured}


def test_the_dashboard_is_one() -> None:
    board = json.loads((OPERATING / "grafana-dashboard.json").read_text())
    assert board["title"]
    assert all(panel["targets"][0]["expr"] for panel in board["panels"])
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@pytest.mark.django_db
def test_no_statement_reads_what_is_done() -> None:
    """With sequential scans made dear, each statement finds an index of its own."""
    for statement in (metrics.OLDEST_DUE, metrics.HELD, metrics.UNCLEAR):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {statement}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Seq Scan on rules_delivery" not in plan, plan
