"""Does a CRM put leads where their rules want them? Asked after each delivery, and every ``DRIFT_CHECK``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import Account, live_accounts
from connectors.draft import EXTERNAL_ID_FIELD_GONE, Placement, Problem, Receipt, UnplacedValue
from connectors.messages import message
from connectors.registry import connector_class
from crm_cache import runs
from crm_cache.models import SyncRun
from rules.mapping.rule_snapshot import RuleSnapshot
from rules.models import Delivery, Rule

LISTS = ("users", "pipelines", "steps", "fields")  # what rules name
PLACES = {"users": "PerformerID", "pipelines": "PipelineID", "steps": "StepID"}
WORDS = {"users": message("responsible"), "pipelines": message("pipeline"), "steps": message("step")}
LIVELY = timedelta(days=1)
AT_ONCE = 100
MISPLACED = "placed_elsewhere"


def compared(receipt: Receipt, asked: Placement, snapshot: RuleSnapshot) -> Receipt:
    """The receipt with a loss and a problem for each part of the placement that the CRM reports otherwise."""
    if receipt.placed is None:
        return receipt
    losses, problems = [], []
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
    return replace(
        receipt,
        losses=(*receipt.losses, *losses),
        problems=(*receipt.problems, *problems),
    )


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

    Not while deliveries are due or the lane rests: they go first, and share the CRM's limit with us.
    """
    now = timezone.now()
    busy = Q(lane__next_due__lte=now) | Q(lane__rests_until__gt=now)
    rules = Rule.objects.filter(account=OuterRef("pk"), deleted=False)
    lively = Delivery.objects.filter(account=OuterRef("pk"), created_at__gt=now - LIVELY)
    read = SyncRun.objects.filter(
        account=OuterRef("pk"), what="steps", asked_at__gt=now - settings.DRIFT_CHECK
    )
    accounts = live_accounts(state=Account.State.ACTIVE).filter(
        ~busy, Exists(rules), Exists(lively), ~Exists(read)
    )
    for account in accounts[:AT_ONCE]:
        if not connector_class(account.crm).can.observes:  # there a row that is missing proves nothing
            runs.ask_for(account, _named_lists(account.crm))


def _named_lists(crm: str) -> list[str]:
    return [what for what in connector_class(crm).can.lists if what in LISTS]
