"""Deliveries that joined an open lead: which leads are ours, and why one was joined, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta

from connectors.messages import day, message
from connectors.repeated import JOINED, JOINED_BY, JOINED_SINCE, OURS
from rules.mapping.routes import Way
from rules.models import Delivery, Outcome

MOST_OURS = 5  # of one person, the newest
MOST_ROWS = 1000
WHY = {True: message("an earlier answer made it"), False: message("the CRM shows it as the person's")}


def open_leads_for(account_id: int, ways: Iterable[tuple[Delivery, Way]]) -> dict[int, dict[str, str]]:
    """``open_leads_of`` for those whose rules want an open lead of the person joined."""
    wanted = {
        row.pk: (row.contact_keys, row.answer.created_at - timedelta(days=way.rule.on_repeat.days))
        for row, way in ways
        if way.rule.on_repeat and row.contact_keys and not row.steps.get("lead")
    }
    return open_leads_of(account_id, wanted)


def open_leads_of(
    account_id: int, wanted: Mapping[int, tuple[Collection[str], datetime]]
) -> dict[int, dict[str, str]]:
    """Leads that we made in the account and last saw open, ``{delivery: {lead: external id}}``, newest first.

    ``wanted`` are deliveries with their person's keys and since when leads count. One query by the persons'
    answers, none where nothing is wanted.
    """
    if not wanted:
        return {}
    keys = {key for person, _ in wanted.values() for key in person}
    rows = Delivery.objects.filter(
        account=account_id,
        answer__contact_keys__overlap=sorted(keys),
        delivered_at__gte=min(since for _, since in wanted.values()),
        outcome__status=Outcome.Status.OPEN,
        outcome__gone="",
        outcome__joined=False,
        test=False,
    ).exclude(remote_id="")
    columns = ("pk", "remote_id", "uid", "contact_keys", "delivered_at")
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for pk, lead, uid, person, made in rows.order_by("-delivered_at").values_list(*columns)[:MOST_ROWS]:
        for asking, (asked, since) in wanted.items():
            theirs = pk != asking and made >= since and not set(person).isdisjoint(asked)
            if theirs and len(found[asking]) < MOST_OURS:
                found[asking][lead] = uid
    return dict(found)


def words_of(steps: Mapping[str, str]) -> str:
    """Why the delivery of this journal joined a lead; empty where it made its own."""
    if not steps.get(JOINED):
        return ""
    lead = steps.get("lead") or steps[JOINED]  # a deal may have come of one
    why = WHY[steps.get(JOINED_BY) == OURS]
    if since := steps.get(JOINED_SINCE):
        on = day(date.fromisoformat(since))
        return message("joined to lead {lead}: open since {since}, {why}", lead=lead, since=on, why=why)
    return message("joined to lead {lead}: open, {why}", lead=lead, why=why)
