"""Does a CRM put leads where their rules want them? Asked after each delivery, and every ``DRIFT_CHECK``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from accounts import db_clock
from accounts.models import Account, Lane
from connectors.draft import EXTERNAL_ID_FIELD_GONE, Placement, Problem, Receipt, UnplacedValue
from connectors.messages import message
from connectors.registry import connector_class
from crm_cache import runs
from crm_cache.models import SyncRun
from rules.mapping.rule_snapshot import RuleSnapshot

LISTS = ("users", "pipelines", "steps", "fields")  # what rules name
PLACES = {"users": "PerformerID", "pipelines": "PipelineID", "steps": "StepID"}
WORDS = {"users": message("responsible"), "pipelines": message("pipeline"), "steps": message("step")}
LIVELY = timedelta(days=1)
IN_TURN = timedelta(minutes=1)  # until a lane with work is looked at again
AT_ONCE = 100
MISPLACED = "placed_elsewhere"


def compared(receipt: Receipt, asked: Placement, snapshot: RuleSnapshot) -> Receipt:
    """The receipt with a loss and a problem for each part of the placement that the CRM reports otherwise."""
    if receipt.placed is None:
        return receipt
    losses: list[UnplacedValue] = []
    problems: list[Problem] = []
    for what, field, wanted, got in differences(asked, receipt.placed, snapshot):
        reason = message("the CRM chose {got} instead", got=got)
        losses.append(UnplacedValue(WORDS[what], wanted, reason))
        told = message(
            "Leads meant for {what} {wanted} arrive with {got}: it may be gone in the CRM, or something there"
            " moves them.",
            what=WORDS[what],
            wanted=wanted,
            got=got,
        )
        problems.append(Problem(MISPLACED, told, field))
    if not losses:
        return receipt
    return replace(receipt, losses=(*receipt.losses, *losses), problems=(*receipt.problems, *problems))


def differences(
    asked: Placement, placed: Placement, snapshot: RuleSnapshot
) -> Iterator[tuple[str, str, str, str]]:
    """(list, the rule's key, what was asked, what is reported). What either leaves open can't differ."""
    fields = {one.what: one.field for one, _ in snapshot.named if one.vital}
    pairs: dict[str, tuple[Any, Any]] = {
        "users": (asked.performer, placed.performer),
        "pipelines": (asked.pipeline, placed.pipeline),
        "steps": (asked.step, placed.step),
    }
    for key, got in placed.choices.items():
        pairs["steps"], fields["steps"] = (asked.choices.get(key), got), key
    for what, (wanted, got) in pairs.items():
        if wanted and got and str(wanted) != str(got):
            yield what, fields.get(what, PLACES[what]), str(wanted), str(got)


def look_again(account: Account, outcomes: Iterable[object]) -> None:
    """Have the lists read at once where leads landed elsewhere than they should, and all that the account's
    deliveries rely on made again where the field for external ids is gone."""
    receipts = (outcome for outcome in outcomes if isinstance(outcome, Receipt))
    codes = {problem.code for receipt in receipts for problem in receipt.problems}
    if EXTERNAL_ID_FIELD_GONE in codes:
        runs.ask_for(account)
    elif MISPLACED in codes:
        runs.ask_for(account, _named_lists(account.crm))


def check_due() -> None:
    """Have the lists read that rules name, in accounts with an answer within a day, every ``DRIFT_CHECK``.

    Not while deliveries are due or the lane rests: they go first, and share the CRM's limit with us. A lane
    comes here once something was sent in it (``LaneLease.leave``), until its answers cease.
    """
    due = Lane.objects.filter(check_at__lte=db_clock.now()).select_related("account").order_by("check_at")
    for lane in due[:AT_ONCE]:
        Lane.objects.filter(pk=lane.pk, check_at=lane.check_at).update(check_at=_check(lane))


def _check(lane: Lane) -> datetime | None:
    """When to come again; None once the account is idle, or where a row that is missing proves nothing."""
    account, now = lane.account, db_clock.now()
    if not account.usable or connector_class(account.crm).can.observes:
        return None
    newest = account.deliveries.order_by("-pk").values_list("created_at", flat=True).first()
    if newest is None or newest < now - LIVELY or not account.rules.filter(deleted=False).exists():
        return None
    if lane.rests_until and lane.rests_until > now:
        return lane.rests_until + IN_TURN
    if lane.next_due and lane.next_due <= now:
        return now + IN_TURN
    asked = SyncRun.objects.filter(account=account, what="steps").order_by("-asked_at")
    last = asked.values_list("asked_at", flat=True).first()
    if last and last > now - settings.DRIFT_CHECK:
        return last + settings.DRIFT_CHECK
    runs.ask_for(account, _named_lists(account.crm))
    return now + settings.DRIFT_CHECK


def _named_lists(crm: str) -> list[str]:
    return [what for what in connector_class(crm).can.lists if what in LISTS]
