"""Messages to people: one when an incident opens, one when it is solved, and a digest a day.

``ALERTS`` names where they go, in the addresses of Apprise (mailto://, tgram://, slack://, json:// ...). What
could not be sent stays untold and is tried again with the next run; several incidents go in one message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import db_clock
from accounts.models import Account
from accounts.singletons import alone
from accounts.texts import said
from rules.models import Delivery, Incident

log = structlog.stdlib.get_logger(__name__)
AT_ONCE = 10  # incidents that one message tells one by one; of more it gives the numbers


def tell() -> int:
    """Send what nobody was told yet; how many incidents were told of. Does nothing without ``ALERTS``."""
    if not settings.ALERTS:
        return 0
    with alone("rules.alerts.tell") as mine:
        if not mine:
            return 0
        ripe = db_clock.now() - settings.ALERT_AFTER
        rows = shown(Incident.objects.filter(muted_at=None)).order_by("opened_at")
        opened = list(rows.filter(opening_told_at=None, solved_at=None, opened_at__lte=ripe))
        solved = list(rows.filter(end_told_at=None, solved_at__isnull=False, opening_told_at__isnull=False))
        told = 0
        with translation.override(settings.PAGE_LANGUAGE):
            if opened and send(_opening(opened), _body(opened, _line), "failure"):
                told += _told(opened, "opening_told_at")
            if solved and send(_ending(solved), _body(solved, _end_line), "success"):
                told += _told(solved, "end_told_at")
        return told


def shown(rows: QuerySet[Incident]) -> QuerySet[Incident]:
    """With what they are about, but for secrets."""
    secrets = "endpoint__secret", "endpoint__former_secret"
    return rows.select_related("account", "rule__account", "endpoint").defer(*secrets)


def _told(rows: Sequence[Incident], column: str) -> int:
    return Incident.objects.filter(pk__in=[row.pk for row in rows]).update(**{column: db_clock.now()})


def send(title: str, body: str, kind: str = "info") -> bool:
    """To every address of ``ALERTS``; whether all of them took it. Addresses are written into no log.

    ``kind`` is one of ``apprise.NotifyType``, which takes long to import where nobody is told anything.
    """
    from apprise import Apprise, AppriseAsset, NotifyType

    messenger = Apprise(asset=AppriseAsset(app_id="Quiz to CRM", app_desc="", app_url="", async_mode=False))
    for number, address in enumerate(settings.ALERTS, 1):
        if not messenger.add(address):
            log.error("an address of ALERTS can't be read", number=number)
    if not len(messenger):
        return False
    try:
        sent = bool(messenger.notify(title=title, body=body, notify_type=NotifyType(kind)))
    except Exception as error:
        log.warning("a message could not be sent", error=type(error).__name__)
        return False
    if not sent:
        log.warning("a message could not be sent")
    return sent


def _opening(rows: Sequence[Incident]) -> str:
    if len(rows) == 1:
        return _("An incident: %(what)s") % {"what": rows[0]}
    return ngettext("%(count)s incident", "%(count)s incidents", len(rows)) % {"count": len(rows)}


def _ending(rows: Sequence[Incident]) -> str:
    if len(rows) == 1:
        return _("Solved: %(what)s") % {"what": rows[0]}
    several = ngettext("%(count)s incident is solved", "%(count)s incidents are solved", len(rows))
    return several % {"count": len(rows)}


def _body(rows: Sequence[Incident], line: Callable[[Incident], str]) -> str:
    if len(rows) <= AT_ONCE:
        lines: Iterable[str] = (line(row) for row in rows)
    else:
        counts: dict[str, int] = {}
        for row in rows:
            counts[row.get_kind_display()] = counts.get(row.get_kind_display(), 0) + 1
        lines = (f"{kind}: {count}" for kind, count in counts.items())
    address = settings.PUBLIC_URL + reverse("admin:rules_incident_changelist")
    return "\n\n".join([*lines, address])


def _line(row: Incident) -> str:
    told = [f"{row}" + (f", {row.rule}" if row.rule else "")]
    if row.deliveries:
        told.append(_("Deliveries concerned: %(count)s.") % {"count": row.deliveries})
    if row.reason and row.kind != Incident.Kind.SILENT:
        told.append(said(row.reason))
    told.append(what_to_do(row))
    return "\n".join(told)


def _end_line(row: Incident) -> str:
    assert row.solved_at is not None  # noqa: S101 - for the type alone
    minutes = max(1, round((row.solved_at - row.opened_at).total_seconds() / 60))
    return _("%(what)s: over after %(minutes)s min.") % {"what": row, "minutes": minutes}


def what_to_do(row: Incident) -> str:
    """The next step, in a sentence."""
    kind = Incident.Kind
    if row.kind == kind.UNREACHABLE and row.account and row.account.state == Account.State.PAUSED:
        return _("Mend what the account's page names, then resume it; what waits goes out by itself then.")
    told = {
        kind.RECONNECT: _("Connect the account again; what waits goes out by itself then."),
        kind.RULE: _("Mend the rule on its page; saving it releases what waits."),
        kind.REFUSED: _("Read what the CRM says on the deliveries, mend it, and try them again."),
        kind.LOOK: _("Look into the CRM for these leads and say of each whether it is there."),
        kind.UNREACHABLE: _("Nothing if the CRM is down: it goes on by itself once the CRM answers."),
        kind.STALE: _("Decide on the deliveries' page whether they still go out."),
        kind.WEBHOOK: _("Look why its server takes none, then enable it: it goes on where it stood."),
        kind.SILENT: _("Look whether the quiz still runs and its answers are sent to us."),
    }
    return told[kind(row.kind)]


def digest() -> bool:
    """The day's figures, once a day at ``DIGEST_HOUR`` of ``TIME_ZONE``; whether they were sent."""
    now = timezone.localtime()
    if not settings.ALERTS or now.hour != settings.DIGEST_HOUR:
        return False
    key = f"digest:{now:%Y-%m-%d}"
    if not cache.add(key, 1, 2 * 86400):
        return False
    with translation.override(settings.PAGE_LANGUAGE):
        if send(_("Leads of the last 24 hours"), _figures()):
            return True
    cache.delete(key)
    return False


def _figures() -> str:
    since = db_clock.now() - timedelta(hours=24)
    counts = Delivery.objects.filter(created_at__gte=since, test=False).aggregate(
        all=Count("pk"), delivered=Count("pk", filter=Q(state="delivered"))
    )
    held = Delivery.objects.filter(state="held", test=False).count()
    lines = [
        _("Answers to deliver: %(count)s, delivered: %(delivered)s.")
        % {"count": counts["all"], "delivered": counts["delivered"]},
        _("Held and waiting for somebody: %(count)s.") % {"count": held},
    ]
    open_now = shown(Incident.objects.filter(solved_at=None))
    lines += [f"- {row}" for row in open_now.order_by("opened_at")[:AT_ONCE]] or [_("No incidents.")]
    return "\n".join(lines)
