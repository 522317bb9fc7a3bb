"""How an account does, in one strip on top of its page: every number bounded, whatever stands behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.timesince import timesince

from accounts.crm_settings import rate_limiter_for
from accounts.models import Account, Checkup, Token
from accounts.texts import said, say, say_many, spaced, to_the_minute
from connectors.registry import connector_class
from crm_cache.models import SyncRun
from rules.admin.links import deliveries_url, of_account, page
from rules.delivery.drift import MISPLACED
from rules.models import DayFigures, Delivery, Outcome, Reconciliation, Rule

DAYS = 7
BAR_HOURS = 6  # of one bar of the small chart
OLDEST_OF = 1000  # waiting deliveries that are looked through for the oldest
RATE_HIGH = 80  # percent of the CRM's limit
SOON = timedelta(hours=1)
RUNS_SHOWN = 15
SYNC_PART = "part=sync"  # of the address: what the page renews by itself


@dataclass(frozen=True, slots=True)
class Tile:
    """``colour`` is that of a state: delivered is good, held bad, anything else neither."""

    label: str
    value: str
    note: str = ""
    url: str = ""
    colour: str = "none"


def health_of(account: Account) -> dict[str, Any]:
    """What the strip shows."""
    week, checkup = _week(account), Checkup.objects.filter(account=account).first()
    return {
        "state": account,
        "since": timesince(account.state_since, depth=1),
        "event": account.events.exclude(before=account.state).filter(after=account.state).first(),
        "tiles": [
            _success(week, 1), _success(week, DAYS), _last_success(account), _oldest(account),
            _token(account), _rate(account), _drift(account), _rights(account, checkup), _reconciled(account),
        ],
        "bars": _bars(week),
        "checkup": _checkup(account, checkup),
    }  # fmt: skip


def syncing(account_id: int) -> dict[str, Any]:
    """The newest runs, and whether one of them is under way."""
    runs = list(SyncRun.objects.filter(account=account_id)[:RUNS_SHOWN])
    under_way = [run for run in runs if run.state in ("waiting", "running")]
    return {"runs": runs, "under_way": under_way, "sync_part": SYNC_PART}


# -- success -------------------------------------------------------------------------------------------------


def _week(account: Account) -> list[tuple[datetime, int, int]]:
    """(hour, leads made, tries that failed) of the last days, as ``rules.figures`` has counted them."""
    first = timezone.localtime().replace(minute=0, second=0, microsecond=0) - timedelta(hours=24 * DAYS - 1)
    rows = DayFigures.objects.filter(account=account, day__gte=first.date())
    kept = {
        (row.day, int(hour)): (
            sum(made for made, _ in counts.values()),
            sum(bad for _, bad in counts.values()),
        )
        for row in rows
        for hour, counts in row.numbers.get("hours", {}).items()
    }
    hours = [timezone.localtime(first + timedelta(hours=n)) for n in range(24 * DAYS)]
    return [(hour, *kept.get((hour.date(), hour.hour), (0, 0))) for hour in hours]


def _success(week: list[tuple[datetime, int, int]], days: int) -> Tile:
    made = sum(one[1] for one in week[-24 * days :])
    failed = sum(one[2] for one in week[-24 * days :])
    label = say("delivered in 24 hours") if days == 1 else say("delivered in {days} days", days=days)
    if not made + failed:
        return Tile(label, "0", say("nothing was tried"))
    percent = 100 * made // (made + failed)
    note = say("{percent} % of tries, {failed} failed", percent=percent, failed=spaced(failed))
    return Tile(label, spaced(made), note, colour="held" if not made else "delivered")


def _bars(week: list[tuple[datetime, int, int]]) -> list[dict[str, Any]]:
    """Some hours each, in percent of the highest; what isn't zero stays visible."""
    cut = [week[n : n + BAR_HOURS] for n in range(0, len(week), BAR_HOURS)]
    sums = [(one[0][0], sum(hour[1] for hour in one), sum(hour[2] for hour in one)) for one in cut]
    most = max((made + failed for _, made, failed in sums), default=0) or 1
    bars = []
    for begin, made, failed in sums:
        green, red = (max(4, 100 * count // most) if count else 0 for count in (made, failed))
        bars.append(
            {
                "begin": begin, "end": begin + timedelta(hours=BAR_HOURS), "made": made, "failed": failed,
                "green": green, "green_top": 100 - green, "red": red, "red_top": max(0, 100 - green - red),
            }
        )  # fmt: skip
    return bars


def _last_success(account: Account) -> Tile:
    newest = Outcome.objects.filter(account=account).order_by("-pk").values_list("created_at", "delivery")
    label = say("last lead made")
    if not (found := newest.first()):
        return Tile(label, say("never"))
    at, delivery = found
    ago = say("{time} ago", time=timesince(at, depth=1))
    return Tile(label, ago, to_the_minute(at), page("rules_delivery", delivery), "delivered")


def _oldest(account: Account) -> Tile:
    waiting = Delivery.objects.filter(account=account, state="waiting").order_by("due_at", "id")
    came = list(waiting.values_list("created_at", flat=True)[:OLDEST_OF])
    label = say("oldest waiting")
    if not came:
        return Tile(label, say("nothing waits"))
    url = deliveries_url(account=account.pk, state="waiting")
    oldest = min(came)
    late = timezone.now() - oldest > SOON
    return Tile(label, timesince(oldest, depth=1), to_the_minute(oldest), url, "held" if late else "none")


# -- signing in, limits, rights ------------------------------------------------------------------------------


def _token(account: Account) -> Tile:
    label = say("signed in until")
    row = Token.objects.filter(account=account).values_list("expires_at", "refresh_at").first()
    if row is None:
        return Tile(label, say("not signed in"), colour="none" if account.deleted else "held")
    until, refresh = row
    if until is None:
        return Tile(label, say("does not expire"))
    if until < timezone.now():
        return Tile(label, to_the_minute(until), say("expired"), colour="held")
    return Tile(
        label, to_the_minute(until), say("is renewed {at}", at=to_the_minute(refresh)) if refresh else ""
    )


def _rate(account: Account) -> Tile:
    """Of the account in the CRM, whoever shares it."""
    label = say("requests in the last minute")
    used = rate_limiter_for(account.crm, account.remote_id or account.host).used()
    if used is None:
        return Tile(label, say("not limited"), say("the CRM names no limit, or the limiter is out of reach"))
    now, most = used
    percent = 100 * now // max(1, most)
    note = say("{percent} % of {most} that the CRM allows", percent=percent, most=spaced(most))
    return Tile(label, spaced(now), note, colour="held" if percent >= RATE_HIGH else "none")


def _drift(account: Account) -> Tile:
    rules: QuerySet[Rule, Any] = Rule.objects.filter(account=account, deleted=False).exclude(problems=[])
    problems = list(rules.values_list("problems", flat=True)[:500])
    drifted = sum(any(one.get("code") == MISPLACED for one in each) for each in problems)
    label, url = say("rules with problems"), f"{of_account('rules_rule', account.pk)}&problems=yes"
    if not problems:
        return Tile(label, "0", say("leads land where their rules say"), colour="delivered")
    note = say("of {count} the leads land elsewhere", count=drifted) if drifted else ""
    return Tile(label, str(len(problems)), note, url, "held")


def _rights(account: Account, row: Checkup | None) -> Tile:
    label = say("rights in the CRM")
    if not connector_class(account.crm).can.tells_rights:
        note = say("this CRM does not say which rights a key has")
        return Tile(label, say("unknown"), note, colour="held" if row and row.problems else "none")
    if row is None or row.asked_at is None:
        return Tile(label, say("not asked yet"), say("is asked within a minute while the account is active"))
    asked = say("asked {at}", at=to_the_minute(row.asked_at))
    if row.error:
        return Tile(label, say("could not be asked"), asked, colour="held")
    if row.problems:
        return Tile(label, say("something is missing"), asked, colour="held")
    return Tile(label, say("all that we need"), asked, colour="delivered")


def _reconciled(account: Account) -> Tile:
    """The last comparison with the CRM; what was moved by people is no fault."""
    label = say("last compared with the CRM")
    ended = Reconciliation.objects.filter(account=account, state=Reconciliation.State.DONE).order_by("-pk")
    run = ended.first()
    if run is None or run.ended_at is None:
        off = not (account.reconcile and settings.RECONCILE_NIGHTLY)
        return Tile(label, say("switched off") if off else say("not yet"))
    faults = run.faults
    note = say_many("{count} lead differs", "{count} leads differ", faults) if faults else say("all agree")
    if run.unchecked:
        note = f"{note}, {say('{count} not checked', count=spaced(run.unchecked))}"
    ago = say("{time} ago", time=timesince(run.ended_at, depth=1))
    colour = "held" if faults else "delivered"
    return Tile(label, ago, note, page("rules_reconciliation", run.pk), colour)


def _checkup(account: Account, row: Checkup | None) -> list[str]:
    """What is missing there, in sentences."""
    if row is None or account.deleted:
        return []
    told = [said(one.get("message", "")) for one in row.problems]
    return told + ([said(row.error)] if row.error else [])
