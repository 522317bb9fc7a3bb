"""A rule's preparation: the fields it wishes for are made in the CRM, its map and its problems renewed.

That it waits is a fact in the database (``prepare_at``); a task only makes it soon. In one account of a CRM
one rule is prepared at a time, under a lease, whichever quiz accounts are connected to it: the next one finds
the fields that were made before. Whoever comes second leaves the rule to the holder, who looks again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q

from accounts import db_clock, states
from accounts.access import connector_for
from accounts.history import SERVICE
from accounts.models import Account
from connectors.base import FieldWish
from connectors.draft import Problem, Target
from connectors.errors import ConnectorError, NeedsReconnect, OurMistake, TryLater, Unclear
from connectors.messages import message
from connectors.registry import connector_class
from connectors.rows import FieldRow
from crm_cache import leases, lookup
from crm_cache.sync import Walk
from rules import versions
from rules.delivery.queueing import ask_to_prepare
from rules.mapping.checks import CODES, delivers, problems_of
from rules.mapping.contact_map import derive_contact_map
from rules.mapping.quiz import questions, told_by
from rules.mapping.rule_snapshot import RuleSnapshot, is_wish, questions_of, read_snapshot
from rules.models import Delivery, Rule, RuleVersion
from rules.problems import told_once
from rules.rule_save import locked, release_held

log = structlog.stdlib.get_logger(__name__)
FIELDS = "fields"  # the key of the lease
LEASE = timedelta(minutes=5)
AGAIN = timedelta(minutes=1)
AT_ONCE = 200
NOT_MADE = "field_not_made"


class NotConnected(TryLater):
    """The CRM could not even be asked."""


def prepare(rule_id: int) -> None:
    """Prepare a rule that waits for it, and what else waits in its account of the CRM."""
    account = Account.objects.filter(rules=rule_id).first()
    if account:
        _prepare_waiting(account)


def prepare_due() -> None:
    """Rules whose preparation waits, and rules to look at again because their account's lists are newer."""
    waiting = Rule.objects.filter(deleted=False, account__deleted=False, prepare_at__lte=db_clock.now())
    accounts = {
        (rule.account.crm, rule.account.remote_id): rule.account
        for rule in waiting.select_related("account").order_by("prepare_at")[:AT_ONCE]
    }
    for account in accounts.values():
        try:
            _prepare_waiting(account)
        except Exception:
            log.exception("rules can't be prepared, other accounts go on", account=account.pk)
    _recheck_stale()


def recheck_account(account_id: int, **_: object) -> None:
    """An account's lists were read just now: its rules say at once what is gone."""
    _recheck_stale(account=account_id)


def _recheck_stale(**chosen: object) -> None:
    prepared = Q(prepare_at=None) | Q(prepare_at__gt=db_clock.now())  # or in vain so far
    stale = Rule.objects.filter(prepared, deleted=False, recheck_at__isnull=False, **chosen)
    for rule_id in list(stale.order_by("recheck_at").values_list("pk", flat=True)[:AT_ONCE]):
        try:
            recheck(rule_id)
        except Exception:  # its next chance comes behind the others', so that it keeps none from its own
            Rule.objects.filter(pk=rule_id).update(recheck_at=db_clock.now())
            log.exception("the rule can't be looked at, others go on", rule=rule_id)


def ask_again(rule: Rule, payload: Mapping[str, Any]) -> bool:
    """Have fields made that waited for their questions' titles, if this answer tells one. Is it so?"""
    if _was_refused(rule):
        return False
    told, entities = told_by(payload), connector_class(rule.account.crm).can.entities
    if not any(
        is_wish(field) and entity in entities and told.get(question, {}).get("title")
        for entity, question, field in questions_of(rule.fields_rule)
    ):
        return False
    now = db_clock.now()
    Rule.objects.filter(pk=rule.pk, prepare_at=None).update(prepare_at=now, prepare_tries=0)
    transaction.on_commit(partial(ask_to_prepare, rule.pk))
    return True


def awaits_fields(row: Delivery, snapshot: RuleSnapshot) -> bool:
    """Are fields of the rule being made, and is it worth waiting for them? For ``FIELD_PATIENCE`` it is, and
    longer where the CRM was not asked yet; then the values go into the note."""
    if not any(is_wish(field) for _, _, field in snapshot.questions):
        return False
    is_young = db_clock.now() - row.created_at < settings.FIELD_PATIENCE
    if row.rule.prepare_at:
        return is_young or not row.rule.prepare_tries
    return is_young and ask_again(row.rule, row.answer.payload)


def _was_refused(rule: Rule) -> bool:
    return any(problem.get("code") == NOT_MADE for problem in rule.problems)


def _prepare_waiting(account: Account) -> None:
    """One rule after another while the lease is ours. After letting go we look once more: somebody may have
    come in vain meanwhile."""
    holder = secrets.token_hex(8)
    while _next(account):
        try:
            while leases.take(account, {FIELDS: holder}, LEASE) and (rule := _next(account)):
                _prepare_or_wait(rule)
            if FIELDS not in leases.take(account, {FIELDS: holder}, LEASE):
                return
        finally:
            leases.let_go([holder])


def _next(account: Account) -> Rule | None:
    return (
        Rule.objects.filter(
            account__crm=account.crm,
            account__remote_id=account.remote_id,
            account__deleted=False,
            deleted=False,
            prepare_at__lte=db_clock.now(),
        )
        .select_related("account")
        .order_by("prepare_at", "pk")
        .first()
    )


def _prepare_or_wait(rule: Rule) -> None:
    """One try. Afterwards the rule waits no more, or until later, unless it was saved meanwhile."""
    try:
        _prepare(rule)
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # one that breaks our own code goes behind the others
        log.exception("preparation of the rule broke", rule=rule.pk)
        _later(rule, tries=1)


def _prepare(rule: Rule) -> None:
    made: Mapping[tuple[str, str], str] = {}
    problems: list[Problem] = []
    try:
        made = make_wished_fields(rule)
    except (TryLater, Unclear, OurMistake) as error:
        log.info("preparation of the rule waits", rule=rule.pk, code=error.code)
        return _later(rule, tries=0 if isinstance(error, NotConnected) else 1)
    except NeedsReconnect as error:  # nothing is said about the field: it is made once the account is back
        states.park(rule.account, error)
        return _later(rule, tries=0)
    except ConnectorError as error:
        problems.append(
            Problem(NOT_MADE, message("The CRM made no field: {said}", said=error.message), "FieldsRule")
        )
    return _finish(rule, made, problems)


def _later(rule: Rule, tries: int) -> None:
    same = Rule.objects.filter(pk=rule.pk, prepare_at=rule.prepare_at)
    same.update(prepare_at=db_clock.now() + AGAIN, prepare_tries=F("prepare_tries") + tries)


def recheck(rule_id: int) -> None:
    """Renew what the cache says of a rule; problems that deliveries taught stay.

    Fields that the CRM refused to make are asked for once more: rights are given without a word to us.
    """
    with transaction.atomic():
        rule = locked(rule_id)
        if (
            rule.prepare_at is None
            and _was_refused(rule)
            and connector_class(rule.account.crm).can.creates_fields
        ):
            rule.prepare_at = db_clock.now()
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
        raise NotConnected(message("The account is not connected at the moment"))
    if not connector_class(account.crm).can.creates_fields:
        raise ConnectorError(message("This CRM lets nobody make fields through its API"))
    targets = connector_for(account).create_fields([wish for _, _, wish in wishes], lookup.fields(account))
    # For the cache; the next sync brings their details.
    made = [FieldRow(**{one.name: getattr(target, one.name) for one in fields(Target)}) for target in targets]
    Walk(account.pk, "fields").take(made, db_clock.now())
    return {
        (entity, question): target.remote_id
        for (entity, question, _), target in zip(wishes, targets, strict=True)
    }


def wishes_of(rule: Rule) -> list[tuple[str, str, FieldWish]]:
    """(our entity, question, wish) for every question whose field is to be made and whose title is known.

    Any other waits for the answer that tells it: a field is called as its question is, or not made.
    """
    entities = connector_class(rule.account.crm).can.entities
    wanted = [
        (entity, question)
        for entity, question, field in questions_of(rule.fields_rule)
        if is_wish(field) and entity in entities
    ]
    known = questions(rule, {question for _, question in wanted}) if wanted else {}
    return [
        (entity, question, _wish(entities[entity], words))
        for entity, question in wanted
        if (words := known.get(question, {})).get("title")
    ]


def _wish(entity: str, words: Mapping[str, Any]) -> FieldWish:
    return FieldWish(
        entity=entity,
        name=words["title"][:250],
        question_type=words.get("type") or "text",
        choices=tuple(words.get("options", ())),
    )


def _finish(rule: Rule, made: Mapping[tuple[str, str], str], problems: list[Problem]) -> None:
    """Write the fruit down. A rule that was saved meanwhile waits on: it is prepared once more."""
    with transaction.atomic():
        fresh = locked(rule.pk)
        before = fresh.fields_rule
        fresh.fields_rule = with_fields(before, made)
        if fresh.fields_rule != before:
            versions.write(fresh, RuleVersion.Event.FIELDS_MADE, SERVICE)
        if fresh.prepare_at != rule.prepare_at:
            fresh.save(update_fields=["fields_rule"])
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
    """The row is locked: a list whose reading ends meanwhile has the rule looked at once more behind us."""
    Rule.objects.filter(pk=rule.pk).update(recheck_at=None)
    rule.prepared_at = db_clock.now()
    snapshot = read_snapshot(rule, rule.account)
    found = problems_of(snapshot)
    rule.problems = told_once([*(asdict(problem) for problem in found), *map(dict, kept)])
    rule.save(update_fields=["fields_rule", "contact_map", "problems", "prepare_at", "prepared_at"])
    if delivers(snapshot):
        release_held(rule)
