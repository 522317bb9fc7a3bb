"""From a CRM's word about a lead to the columns of its outcome."""

from __future__ import annotations

from dataclasses import replace
from datetime import MAXYEAR, MINYEAR, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from accounts.models import Account
from connectors.lead_status import BY_HAND, LOST, OPEN, WON, LeadStatus, Payment
from crm_cache import lookup
from crm_cache.sync import fit, storable
from rules.models import Outcome

PLACE = ("pipeline", "pipeline_name", "step", "step_name", "performer", "performer_name")
TEXTS = ("record", "record_id", "gone", "currency", *PLACE)
WATCHED = ("status", "gone", "record_id", "pipeline", "step", "performer", "amount", "paid")
MOST_MONEY = Decimal(10) ** 15


class Names:
    """The account's mirrored lists, read when first asked: names, and which steps mean won or lost."""

    def __init__(self, account: Account) -> None:
        self.account = account

    @cached_property
    def pipelines(self) -> dict[str, str]:
        return lookup.pipeline_names(self.account)

    @cached_property
    def steps(self) -> dict[tuple[str, str], tuple[str, str]]:
        return lookup.steps_by_id(self.account)

    @cached_property
    def users(self) -> dict[str, str]:
        return {pk: user.name for pk, user in lookup.users_by_id(self.account).items()}

    def step(self, pipeline: str, step: str) -> tuple[str, str]:
        """(name, kind) of a step; steps that belong to no pipeline are known, too."""
        return self.steps.get((pipeline, step)) or self.steps.get(("", step)) or ("", "")


def changes_of(row: Outcome, found: LeadStatus, names: Names, now: datetime) -> dict[str, Any]:
    """What to write: what the CRM left out is taken from the lists, what it doesn't know stays as it was.

    ``changed_at`` is the CRM's word; where it has none, the moment at which we saw a difference. What was
    seen last of a lead that is gone stays.
    """
    found = replace(found, changed_at=_moment(found.changed_at))
    if found.gone:
        changed_at = found.changed_at or (row.changed_at if row.gone else now)
        return {"gone": fit(Outcome, "gone", found.gone), "changed_at": changed_at}
    step_name, kind = names.step(found.pipeline, found.step) if found.step else ("", "")
    changes: dict[str, Any] = {name: fit(Outcome, name, getattr(found, name)) for name in TEXTS}
    changes["step_name"] = changes["step_name"] or fit(Outcome, "step_name", step_name)
    changes["pipeline_name"] = changes["pipeline_name"] or names.pipelines.get(found.pipeline, "")
    changes["performer_name"] = changes["performer_name"] or names.users.get(found.performer, "")
    changes["matched"] = (
        BY_HAND if row.matched == BY_HAND else fit(Outcome, "matched", found.matched or row.matched)
    )
    changes["link"] = fit(Outcome, "link", found.link or row.link)
    changes["status"] = found.status or (kind if kind in (WON, LOST) else OPEN)
    changes["amount"] = _money(found.amount)
    changes |= _payments(found)
    if row.delivery.answer.purged_at is None:
        changes["details"] = storable(found.details)
        if found.contact:
            changes["contact"] = storable(found.contact)
    return changes | _moments(row, found, changes, now) | _task(found)


def _task(found: LeadStatus) -> dict[str, Any]:
    """What is not known of a task stays as it was."""
    if found.task is None:
        return {}
    due, ended_at = _moment(found.task.due), _moment(found.task.ended_at)
    return {"task": found.task.state, "task_ended_at": ended_at, **({"task_due": due} if due else {})}


def _payments(found: LeadStatus) -> dict[str, Any]:
    if found.payments is None:
        return {"payments": None, "paid": None}
    paid = _money(sum((one.amount for one in found.payments), Decimal()))
    return {"payments": [_payment(one) for one in found.payments], "paid": paid}


def _payment(one: Payment) -> dict[str, str]:
    paid_at = one.paid_at.isoformat() if one.paid_at else ""
    return {"id": storable(one.remote_id), "amount": str(one.amount), "paidAt": paid_at}


def _moments(row: Outcome, found: LeadStatus, changes: dict[str, Any], now: datetime) -> dict[str, Any]:
    differs = any(getattr(row, name) != changes[name] for name in WATCHED)
    changed_at = found.changed_at or (now if differs else row.changed_at)
    closed = changes["status"] != OPEN
    closed_at = (row.closed_at or found.changed_at or now) if closed else None
    if closed and row.status not in (OPEN, changes["status"]):
        closed_at = found.changed_at or now  # won after it was lost, or the other way round
    stepped_at = row.stepped_at or (changed_at if closed or _moved(row, changes) else None)
    return {"changed_at": changed_at, "closed_at": closed_at, "stepped_at": stepped_at}


def _moved(row: Outcome, changes: dict[str, Any]) -> bool:
    """Is it in another step than the one in which it was seen before?"""
    seen, now = ((row.pipeline, row.step), (changes["pipeline"], changes["step"]))
    return bool(row.step and changes["step"]) and seen != now


def _moment(told: datetime | None) -> datetime | None:
    """A moment that is one in every zone. Some CRMs write the first or the last day there is for never."""
    return told if told and MINYEAR < told.year < MAXYEAR else None


def _money(amount: Decimal | None) -> Decimal | None:
    """A sum as its column takes it; what is no sum is none."""
    if amount is None or not amount.is_finite() or abs(amount) >= MOST_MONEY:
        return None
    return amount.quantize(Decimal("0.01"))
