"""The first page: what is stuck and why, who needs a person, and whether leads flow."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DateTimeField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.functions import TruncHour
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from accounts.admin import needs_a_person, with_silent_crm
from accounts.models import Account
from accounts.texts import said, say, spaced
from rules.admin.conversion_page import TOP_PART
from rules.admin.filters import HeldFilter
from rules.admin.incidents import shown_first
from rules.admin.links import accounts_url, deliveries_url, page
from rules.delivery import holds
from rules.delivery.next_try import next_try
from rules.figures import ARRIVED
from rules.models import OPEN_STATES, Attempt, Delivery, Outcome, Reconciliation, Rule
from rules.models.reconciliation import FAULTS

HOURS = 24
ACCOUNTS_SHOWN = RULES_SHOWN = 10


def show(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Ten queries whatever the tables hold, each on an index: open deliveries through the partial ones, the
    last day through the age of tries. Conversion counts a whole month, so the page fetches it afterwards."""
    if not request.user.has_perm("rules.view_delivery"):
        return context
    now = timezone.now()
    hours = _hours(now)
    open_now = Counter(dict(_open().values_list("state").annotate(Count("pk"))))
    return {
        **context,
        "title": say("What is going on"),
        "incidents": shown_first(),
        "incidents_url": reverse("admin:rules_incident_changelist") + "?open=yes",
        "last_delivered": _last_delivered(),
        "cards": _cards(open_now, sum(hour["arrived"] for hour in hours)),
        "held": _held(),
        "oldest": _oldest(),
        "hours": hours,
        "accounts": _accounts(),
        "rules": _rules(),
        "rules_url": reverse("admin:rules_rule_changelist") + "?problems=yes",
        "accounts_waiting_url": accounts_url(attention="person"),
        "account_states": _account_states(),
        "silent": with_silent_crm(Account.objects.all()).count(),
        "silent_url": accounts_url(attention="silent"),
        "differing": _differing(now),
        "differing_url": reverse("admin:rules_reconciliation_changelist"),
        **_conversion(request),
    }


def _last_delivered() -> datetime | None:
    """When a lead was last made: each gets its outcome's row then."""
    newest = (
        Outcome.objects.filter(test=False).order_by("-pk").values_list("delivery__delivered_at", flat=True)
    )
    return next(iter(newest[:1]), None)


def _conversion(request: HttpRequest) -> dict[str, Any]:
    if not request.user.has_perm("rules.view_outcome"):
        return {}
    return {"conversion_url": reverse("admin:rules_outcome_conversion"), "conversion_top": TOP_PART}


def _differing(now: datetime) -> int:
    """How many accounts' reconciliations of the last day found any fault."""
    runs = Reconciliation.objects.filter(
        created_at__gte=now - timedelta(hours=HOURS), counts__has_any_keys=FAULTS
    )
    return runs.aggregate(found=Count("account", distinct=True))["found"]


def _open() -> QuerySet[Delivery]:
    """What is not settled yet; the cancelled wait for nothing."""
    rows = Delivery.objects.filter(state__in=OPEN_STATES, test=False)
    return rows.exclude(held_because__in=holds.OVER).order_by()


def _cards(open_now: Counter[str], arrived: int) -> list[dict[str, Any]]:
    told = {
        "delivered": (arrived, say("delivered in 24 hours")),
        "waiting": (open_now["waiting"], say("waiting now")),
        "sending": (open_now["sending"], say("being sent now")),
        "held": (open_now["held"], say("held now")),
    }
    return [
        {
            "state": state,
            "count": count,
            "shown": spaced(count),
            "label": label,
            "url": deliveries_url(state=state, **({"because": HeldFilter.OPEN} if state == "held" else {})),
        }
        for state, (count, label) in told.items()
    ]


def _held() -> list[dict[str, Any]]:
    """Why deliveries are held, the commonest reason first."""
    rows = _open().filter(state="held").values_list("held_because").annotate(Count("pk"))
    return [
        {
            "label": Delivery.Held(because).label,
            "count": count,
            "url": deliveries_url(state="held", because=because),
        }
        for because, count in sorted(rows, key=lambda row: -row[1])
    ]


def _oldest() -> dict[str, Any] | None:
    """By the index of what is open, which has all that is asked: by that of ages PostgreSQL would walk
    through all that was delivered before."""
    came: Any = ExpressionWrapper(F("created_at") + Value(timedelta()), DateTimeField())
    waiting = Delivery.objects.filter(state="waiting", test=False).order_by(came).values_list("pk", flat=True)
    rows = Delivery.objects.filter(pk__in=list(waiting[:1])).select_related("account__lane")
    found = rows.defer("account__facts", "steps", "losses").first()
    if found is None:
        return None
    return {
        "row": found,
        "next_try": next_try(found),
        "since": timesince(found.created_at, depth=1),
        "url": page("rules_delivery", found.pk),
    }


def _hours(now: datetime) -> list[dict[str, Any]]:
    """Tries that brought a lead and tries that did not, hour by hour."""
    first = timezone.localtime(now).replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    rows = (
        Attempt.objects.filter(started_at__gte=first)
        .exclude(delivery__in=Delivery.objects.filter(test=True))
        .order_by()
        .annotate(hour=TruncHour("started_at"))
        .values("hour")
        .annotate(arrived=Count("pk", filter=Q(outcome__in=ARRIVED)), tries=Count("pk"))
    )
    by_hour: dict[datetime, dict[str, Any]] = {row["hour"]: dict(row) for row in rows}
    most = max((row["tries"] for row in by_hour.values()), default=0) or 1
    return [_bar(first + timedelta(hours=n), by_hour, most) for n in range(HOURS)]


def _bar(hour: datetime, by_hour: dict[datetime, dict[str, Any]], most: int) -> dict[str, Any]:
    """Two boxes on top of each other, in percent of the busiest hour; what isn't zero stays visible."""
    row = by_hour.get(hour, {"arrived": 0, "tries": 0})
    failed = row["tries"] - row["arrived"]
    green, red = _height(row["arrived"], most), _height(failed, most)
    return {
        "hour": hour,
        "arrived": row["arrived"],
        "failed": failed,
        "arrived_height": green,
        "arrived_top": 100 - green,
        "failed_height": red,
        "failed_top": max(0, 100 - green - red),
    }


def _height(count: int, most: int) -> int:
    return max(2, round(100 * count / most)) if count else 0


def _accounts() -> list[dict[str, Any]]:
    rows = needs_a_person(Account.objects.defer("facts")).order_by("state_since")[:ACCOUNTS_SHOWN]
    return [
        {"row": row, "since": timesince(row.state_since, depth=1), "url": page("accounts_account", row.pk)}
        for row in rows
    ]


def _rules() -> list[dict[str, Any]]:
    """Rules with problems, those first that were found last."""
    rows = Rule.objects.filter(deleted=False, account__deleted=False).exclude(problems=[])
    shown = rows.select_related("account").defer("account__facts", "quiz").order_by("-prepared_at")
    return [
        {"row": row, "problem": said(row.problems[0].get("message", "")), "url": page("rules_rule", row.pk)}
        for row in shown[:RULES_SHOWN]
    ]


def _account_states() -> list[dict[str, Any]]:
    rows = Account.objects.filter(deleted=False).order_by().values_list("state").annotate(Count("pk"))
    return [
        {
            "label": Account.State(state).label,
            "state": state,
            "count": count,
            "url": accounts_url(state__exact=state),
        }
        for state, count in sorted(rows)
    ]
