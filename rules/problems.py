"""What deliveries taught us about their rules: problems found in the CRM, added to those the checks find."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction

from accounts import db_clock
from accounts.models import Account
from connectors.draft import Problem, Receipt, UnplacedValue
from connectors.errors import ConnectorError, RuleNeedsFixing
from connectors.messages import message
from crm_cache.sync import storable
from rules.mapping.option_checks import OPTION_CODES
from rules.models import Delivery, Rule

MOST_PROBLEMS = 50
NOT_PLACED = "value_not_placed"
PAUSED = message("This rule is paused; its answers wait until it is resumed.")


def shown_problems(rule: Rule) -> list[dict[str, Any]]:
    """What is wrong with a rule today. That it is paused comes first, then what is wrong with its account;
    neither is stored."""
    if rule.paused_at:
        return [asdict(Problem("rule_paused", PAUSED)), *rule.problems]
    account = rule.account
    if account.state != Account.State.NEEDS_RECONNECT:
        return list(rule.problems)
    words = message(
        "{crm} no longer accepts our sign-in; leads wait until it is connected again.",
        crm=account.get_crm_display(),
    )
    return [asdict(Problem("account_needs_reconnect", words)), *rule.problems]


def note_problems(tries: Sequence[tuple[Delivery, Receipt | ConnectorError]]) -> None:
    """Merge what a batch taught into its rules. Most batches teach nothing and cost nothing."""
    learned: dict[int, list[Problem]] = {}
    for row, outcome in tries:
        if found := list(_learned(outcome)):
            learned.setdefault(row.rule_id, []).extend(found)
    for rule_id, problems in sorted(learned.items()):
        _merge(rule_id, problems)


def merged(stored: Iterable[dict[str, Any]], found: Iterable[Problem]) -> list[dict[str, Any]]:
    """Stored and found problems, each once by code and field, the newest sentence winning."""
    by_key = {(p.get("code"), p.get("field")): p for p in stored}
    by_key.update({(p.code, p.field): storable(asdict(p)) for p in found})
    return told_once(list(by_key.values()))[:MOST_PROBLEMS]


def told_once(problems: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without values that were not placed where the field's options are told of, which is the reason."""
    fields = {one.get("field") for one in problems if one.get("code") in OPTION_CODES}
    return [one for one in problems if not (one.get("code") == NOT_PLACED and one.get("field") in fields)]


def _learned(outcome: Receipt | ConnectorError) -> Iterable[Problem]:
    if isinstance(outcome, Receipt):
        yield from outcome.problems
        yield from (_of_loss(loss) for loss in outcome.losses if loss.field_id)
    elif isinstance(outcome, RuleNeedsFixing):
        yield outcome.problem


def _of_loss(loss: UnplacedValue) -> Problem:
    return Problem(
        NOT_PLACED,
        message(
            "An answer to «{question}» is only in the note: {reason}.",
            question=loss.question,
            reason=loss.reason,
        ),
        f"{loss.entity}.{loss.field_id}",
    )


def _merge(rule_id: int, found: list[Problem]) -> None:
    with transaction.atomic():
        rule = Rule.objects.select_for_update().get(pk=rule_id)
        problems = merged(rule.problems, found)
        if problems != rule.problems:
            Rule.objects.filter(pk=rule_id).update(problems=problems, updated_at=db_clock.now())
