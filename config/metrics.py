"""``/metrics`` for Prometheus: counts of all processes out of Redis, states out of the database.

Any web process tells the whole, so Prometheus asks the service and not each process. A part that can't be had
within ``PART_MILLISECONDS`` is left out, and ``quiz_crm_metrics_part_failed`` says so.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from accounts.counters import BUCKETS, busy_threads, counters, read
from accounts.models import live_accounts
from rules.models import Answer

log = structlog.stdlib.get_logger(__name__)
PREFIX = "quiz_crm_"
PART_MILLISECONDS = 1000
# name: help, labels
COUNTERS = {
    "tries": ("Tries to deliver a lead, by what became of them", ("crm", "outcome")),
    "reconciliation_findings": (
        "Differences that nightly reconciliations found between our books and a CRM",
        ("crm", "kind"),
    ),
    "doubles_found": ("Deliveries whose lead was found in the CRM more than once", ("crm",)),
    "crm_requests": ("Requests to CRMs, by status; 0: no answer", ("crm", "status")),
    "limiter_wait_seconds": ("Seconds that requests waited for the limit of their CRM account", ("crm",)),
    "token_refreshes": ("Exchanges of refresh tokens, by outcome", ("crm", "outcome")),
}
HISTOGRAMS = {
    "delivery_seconds": ("Seconds from the 202 for an answer to its lead", ("crm",)),
    "task_seconds": ("Seconds of background tasks, by name; rules.tasks.sweep is the sweep", ("task",)),
}
# A look into each lane that is due, or is so in a moment: rules that rest make it later than its deliveries
# are. A CRM that is not among them has nothing due.
OLDEST_DUE = """
SELECT account.crm, extract(epoch FROM now() - min(first.due_at))
FROM (SELECT account_id FROM accounts_lane WHERE next_due <= now() + interval '1 minute') lane
CROSS JOIN LATERAL (
    SELECT due_at FROM rules_delivery WHERE account_id = lane.account_id AND state = 'waiting'
    AND due_at <= now() AND NOT test ORDER BY due_at LIMIT 1
) first JOIN accounts_account account ON account.id = lane.account_id
GROUP BY account.crm
"""
# Exact up to so many; beyond it the reason of the others is not asked for.
HELD = """
SELECT held_because, count(*)
FROM (SELECT held_because FROM rules_delivery WHERE state = 'held' AND NOT test LIMIT 200000) held
GROUP BY held_because
"""
UNCLEAR = """
SELECT account.crm, count(*)
FROM (SELECT account_id FROM rules_delivery
      WHERE state = 'held' AND held_because = 'look_first' AND NOT test LIMIT 200000) unclear
JOIN accounts_account account ON account.id = unclear.account_id
GROUP BY account.crm
"""
LANES = """
SELECT count(*) FILTER (WHERE lease_until > now()), count(*) FILTER (WHERE rests_until > now())
FROM accounts_lane WHERE lease_until > now() OR rests_until > now()
"""
WEBHOOK_LAG = """
SELECT coalesce(max(extract(epoch FROM now() - next.at)), 0),
       coalesce((SELECT extract(epoch FROM now() - at) FROM accounts_newevent ORDER BY id LIMIT 1), 0)
FROM accounts_webhookendpoint endpoint CROSS JOIN LATERAL (
    SELECT at FROM accounts_event WHERE id > endpoint.place ORDER BY id LIMIT 1
) next WHERE endpoint.enabled AND NOT endpoint.deleted
"""


class Counted(Collector):
    """What processes have counted, out of Redis."""

    def collect(self) -> Iterator[Metric]:
        counters.hand_over()
        found: dict[str, dict[tuple[tuple[str, str], ...], float]] = defaultdict(dict)
        for name, labels, value in read():
            found[name][labels] = value
        for name, (words, names) in COUNTERS.items():
            family = CounterMetricFamily(PREFIX + name, words, labels=names)
            for told, value in found[name].items():
                family.add_metric([dict(told).get(label, "") for label in names], value)
            yield family
        for name, (words, names) in HISTOGRAMS.items():
            yield _histogram(name, words, names, found)
        words = "Threads that work on a message of a queue"
        threads = GaugeMetricFamily(PREFIX + "busy_threads", words, labels=["queue"])
        for queue, count in busy_threads().items():
            threads.add_metric([queue], count)
        yield threads


def _histogram(
    name: str, words: str, labels: tuple[str, ...], found: dict[str, dict[tuple[tuple[str, str], ...], float]]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(PREFIX + name, words, labels=labels)
    for told, total in found[f"{name}_sum"].items():
        counts = [
            (str(bound), found[f"{name}_bucket"].get(tuple(sorted((*told, ("le", str(bound))))), 0.0))
            for bound in (*BUCKETS[name], float("inf"))
        ]
        pairs = [("+Inf" if bound == "inf" else bound, count) for bound, count in counts]
        family.add_metric([dict(told).get(label, "") for label in labels], pairs, total)
    return family


class Stored(Collector):
    """What the database says at this moment; every statement is bounded by an index, a LIMIT or both."""

    def collect(self) -> Iterator[Metric]:
        failed = GaugeMetricFamily(PREFIX + "metrics_part_failed", "1: it could not be had", labels=["part"])
        for part in (oldest_due, held, unclear, lanes, purge_lag, webhook_lag, reconciled):
            try:
                with transaction.atomic():
                    with connection.cursor() as cursor:
                        cursor.execute(f"SET LOCAL statement_timeout = {PART_MILLISECONDS}")
                    yield from part()
                broken = 0
            except Exception as exc:
                log.warning("a part of the metrics is missing", part=part.__name__, error=type(exc).__name__)
                broken = 1
            failed.add_metric([part.__name__], broken)
        yield failed


def oldest_due() -> Iterable[Metric]:
    words = "Age of the oldest answer that is due and not delivered"
    return [_by_label("oldest_due_seconds", words, "crm", OLDEST_DUE)]


def held() -> Iterable[Metric]:
    words = "Deliveries that wait for a person or their account"
    return [_by_label("held_deliveries", words, "reason", HELD)]


def unclear() -> Iterable[Metric]:
    words = "Held deliveries that may have arrived, whose CRM can't be asked"
    return [_by_label("unclear_deliveries", words, "crm", UNCLEAR)]


def lanes() -> Iterable[Metric]:
    family = GaugeMetricFamily(PREFIX + "lanes", "Accounts being drained, or resting", labels=["state"])
    ((busy, resting),) = _rows(LANES)
    family.add_metric(["busy"], busy)
    family.add_metric(["resting"], resting)
    return [family]


def purge_lag() -> Iterable[Metric]:
    """By how much the oldest content outlasts ``PAYLOAD_DAYS``."""
    kept = timezone.now() - timedelta(days=settings.PAYLOAD_DAYS)
    old = Answer.objects.filter(created_at__lt=kept, purged_at__isnull=True).order_by("created_at")
    oldest = old.values_list("created_at", flat=True).first()
    seconds = (kept - oldest).total_seconds() if oldest else 0.0
    words = "By how much the oldest content of an answer outlasts its retention"
    return [GaugeMetricFamily(PREFIX + "purge_lag_seconds", words, value=seconds)]


def reconciled() -> Iterable[Metric]:
    """Of accounts that are reconciled; one that never was does not count yet."""
    at_work = live_accounts(state="active", reconcile=True, reconciled_at__isnull=False)
    oldest = at_work.order_by("reconciled_at").values_list("reconciled_at", flat=True).first()
    seconds = (timezone.now() - oldest).total_seconds() if oldest and settings.RECONCILE_NIGHTLY else 0.0
    words = "Age of the oldest last reconciliation of an account that is connected"
    return [GaugeMetricFamily(PREFIX + "reconciliation_age_seconds", words, value=seconds)]


def webhook_lag() -> Iterable[Metric]:
    """Of endpoints that are enabled; what waits for its place in the feed counts, too."""
    ((behind, unplaced),) = _rows(WEBHOOK_LAG)
    words = "Age of the oldest event that an enabled webhook endpoint has not got"
    return [GaugeMetricFamily(PREFIX + "webhook_lag_seconds", words, value=float(max(behind, unplaced)))]


def _by_label(name: str, words: str, label: str, statement: str) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, words, labels=[label])
    for told, value in _rows(statement):
        family.add_metric([str(told)], float(value))
    return family


def _rows(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For ``Authorization: Bearer <METRICS_TOKEN>``; without that setting there is no such page."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
        return HttpResponse("Unauthorized", status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry(auto_describe=False)
    for collector in (Stored(), Counted()):
        registry.register(collector)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
