"""A rule's preparation: the fields it wishes for are made in the CRM, its map and its problems renewed.

That it waits is a fact in the database (``prepare_at``); a task only makes it soon. Whoever prepares moves
``prepare_at`` ahead first, so that one does it and a dead one is followed by another.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.access import connector_for
from connectors.base import FieldWish
from connectors.draft import Problem, Target
from connectors.errors import ConnectorError, OurMistake, TryLater, Unclear
from connectors.registry import connector_class
from connectors.rows import FieldRow
from crm_cache import lookup
from crm_cache.sync import Walk
from rules.book import is_wish, questions_of, read_book
from rules.checks import BLOCKING, CODES, problems_of
from rules.contact_map import derive_contact_map
from rules.models import Answer, Rule
from rules.payload import normalised
from rules.saving import release_held

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)
AGAIN = timedelta(minutes=1)
AT_ONCE = 200
Wishes = Sequence[tuple[str, str, FieldWish]]


def prepare(rule_id: int) -> None:
    """Prepare one rule if it waits for that and nobody else does it."""
    now = timezone.now()
    waiting = Rule.objects.filter(pk=rule_id, deleted=False, prepare_at__lte=now)
    if not waiting.update(prepare_at=now + LEASE):
        return
    rule = Rule.objects.select_related("account").get(pk=rule_id)
    made: Mapping[tuple[str, str], str] = {}
    problems: list[Problem] = []
    try:
        made = make_wished_fields(rule)
    except (TryLater, Unclear, OurMistake) as error:
        log.info("rule=%s preparation waits: %s", rule_id, error.code)
        Rule.objects.filter(pk=rule_id).update(prepare_at=timezone.now() + AGAIN)
        return
    except ConnectorError as error:
        problems.append(Problem("field_not_made", f"The CRM made no field: {error.message}", "FieldsRule"))
    _finish(rule, made, problems)


def prepare_due() -> None:
    """Rules whose preparation waits, and rules to look at again because their account's lists are newer."""
    now = timezone.now()
    due = Rule.objects.filter(deleted=False, prepare_at__lte=now).values_list("pk", flat=True)[:AT_ONCE]
    for rule_id in list(due):
        prepare(rule_id)
    stale = Rule.objects.filter(deleted=False, prepare_at=None, account__synced_at__gt=F("prepared_at"))
    for rule_id in list(stale.values_list("pk", flat=True)[:AT_ONCE]):
        recheck(rule_id)


def recheck(rule_id: int) -> None:
    """Renew what the cache says of a rule; problems that deliveries taught stay."""
    with transaction.atomic():
        rule = _locked(rule_id)
        rule.contact_map = derive_contact_map(rule)
        _renew_problems(rule, kept=[p for p in rule.problems if p.get("code") not in CODES])


def make_wished_fields(rule: Rule) -> dict[tuple[str, str], str]:
    """Make the fields that the rule asks for: ``{(entity, question): remote id}``.

    Raises a ``ConnectorError``; a repeat makes no second field, because connectors match first.
    """
    wishes = wishes_of(rule)
    if not wishes:
        return {}
    account = rule.account
    if not account.usable:
        raise TryLater("The account is not connected at the moment")
    if not connector_class(account.crm).can.creates_fields:
        raise ConnectorError("This CRM lets nobody make fields through its API")
    targets = connector_for(account).create_fields([wish for _, _, wish in wishes], lookup.fields(account))
    Walk(account.pk, "fields").take([_row(target) for target in targets], timezone.now())
    return {
        (entity, question): target.remote_id
        for (entity, question, _), target in zip(wishes, targets, strict=True)
    }


def wishes_of(rule: Rule) -> list[tuple[str, str, FieldWish]]:
    """(our entity, question, wish) for every question whose field is to be made."""
    entities = connector_class(rule.account.crm).can.entities
    wanted = [
        (entity, question) for entity, question, field in questions_of(rule.fields_rule) if is_wish(field)
    ]
    known = _questions(rule) if wanted else {}
    return [
        (entity, question, _wish(entities[entity], question, known.get(question, {})))
        for entity, question in wanted
        if entity in entities
    ]


def _row(target: Target) -> FieldRow:
    """A field that was just made, for the cache; the next sync brings its details."""
    return FieldRow(
        entity=target.entity,
        remote_id=target.remote_id,
        name=target.name,
        type=target.type,
        code=target.code,
        multiple=target.multiple,
        options=target.options,
    )


def _wish(entity: str, question: str, config: Mapping[str, Any]) -> FieldWish:
    choices = [
        str(choice.get("title", "") if isinstance(choice, dict) else choice)
        for choice in config.get("options", [])
    ]
    return FieldWish(
        entity=entity,
        name=str(config.get("title") or f"Вопрос {question}")[:250],
        question_type=str(config.get("type") or "text"),
        choices=tuple(filter(None, choices)),
    )


def _questions(rule: Rule) -> dict[str, Mapping[str, Any]]:
    """What is known of the quiz's questions: its configuration, or else its newest answer."""
    config: dict[str, Mapping[str, Any]] = {
        str(q.get("id")): q for q in rule.quiz.get("questions", []) if isinstance(q, dict)
    }
    if config:
        return config
    newest = Answer.objects.filter(
        account_id=rule.account.account_id, quiz_id=rule.quiz_id, purged_at=None
    ).first()
    items = normalised(newest.payload).get("answers", []) if newest else []
    return {str(i.get("questionID")): {"title": i.get("question"), "type": i.get("type")} for i in items}


def _finish(rule: Rule, made: Mapping[tuple[str, str], str], problems: list[Problem]) -> None:
    """Write the fruit down, unless the rule was saved again meanwhile: then that save prepares it anew."""
    with transaction.atomic():
        fresh = _locked(rule.pk)
        fresh.fields_rule = with_fields(fresh.fields_rule, made)
        if fresh.updated_at != rule.updated_at:
            fresh.prepare_at = timezone.now()
            fresh.save(update_fields=["fields_rule", "prepare_at"])
            return
        fresh.contact_map = derive_contact_map(fresh)
        fresh.prepare_at = None
        _renew_problems(fresh, kept=[asdict(problem) for problem in problems])


def with_fields(fields_rule: Mapping[str, Any], made: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """The rule with its wishes replaced by the fields that were made. Pure."""

    def fill(entity: str, part: Mapping[str, Any]) -> dict[str, Any]:
        questions = part.get("QuestionID") or {}
        filled = {
            q: _like(f, made.get((entity.lower(), q))) if is_wish(str(f)) else f for q, f in questions.items()
        }
        return {**part, "QuestionID": filled} if questions else dict(part)

    return {
        entity: [fill(entity, part) for part in parts] if isinstance(parts, list) else fill(entity, parts)
        for entity, parts in fields_rule.items()
    }


def _like(stored: Any, remote_id: str | None) -> Any:
    """The new id in the type that this contract uses for field ids."""
    if remote_id is None:
        return stored
    return int(remote_id) if isinstance(stored, int) else remote_id


def _renew_problems(rule: Rule, kept: Sequence[Mapping[str, Any]]) -> None:
    found = problems_of(read_book(rule, rule.account))
    rule.problems = [*(asdict(problem) for problem in found), *kept]
    rule.prepared_at = timezone.now()
    rule.save(update_fields=["fields_rule", "contact_map", "problems", "prepare_at", "prepared_at"])
    if not any(problem.code in BLOCKING for problem in found):
        release_held(rule)


def _locked(rule_id: int) -> Rule:
    return Rule.objects.select_for_update(of=("self",)).select_related("account").get(pk=rule_id)
