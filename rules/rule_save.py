"""Saving a rule: checked against the cache, stored with its task and as a version, and whatever waited for it
released. ``actor`` is who does it, the REST API's caller where nobody else is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction

from accounts import db_clock
from accounts.history import OWNER, Actor
from accounts.models import Account
from accounts.rest.errors import ApiError, Conflict, NotFound
from connectors.messages import message
from connectors.registry import connector_class
from crm_cache import lookup, runs
from rules import versions
from rules.delivery import holds, outbox
from rules.delivery.queueing import ask_to_prepare, wake_lanes
from rules.mapping.checks import BLOCKING, delivers, problems_of
from rules.mapping.contact_map import derive_contact_map, sent_map
from rules.mapping.rule_snapshot import follow_ups_of, places_of, read_snapshot, tags_of
from rules.models import Delivery, Rule, RuleVersion
from rules.versions import Event

LAGGING = BLOCKING | {"entry_gone", "performer_gone", "field_gone", "option_gone"}


def create_rule(account: Account, quiz_id: int, changes: Mapping[str, Any], actor: Actor = OWNER) -> Rule:
    """Make the rule of a quiz.

    Raises ``Conflict`` (there is one, D15), ``NotFound`` (unknown performer, D13), ``ApiError`` (tags).
    """
    performer = changes.get("performer", "")
    if performer and performer not in lookup.users_by_id(account):
        raise NotFound(f"PerformerID {performer} is not a user of this account", field="PerformerID")
    try:
        with transaction.atomic():
            _check_options(Rule(account=account, quiz_id=quiz_id), changes)
            rule = _save(Rule(account=account, quiz_id=quiz_id), changes)
            versions.write(rule, Event.MADE, actor)
            _take_over(rule)
            return rule
    except IntegrityError as exc:
        raise Conflict("rules already exist", code="rule_exists", field="quizID") from exc


def change_rule(
    rule_id: int,
    changes: Mapping[str, Any],
    choices: Mapping[str, Any] | None = None,
    actor: Actor = OWNER,
    restored: int | None = None,
) -> Rule:
    """Change a rule; what ``changes`` lacks stays, and so do choices that ``choices`` lacks. A save that
    changes nothing is no version. ``restored`` is the version whose content ``changes`` are.

    Raises ``ApiError`` for foreign tags.
    """
    with transaction.atomic():
        rule = locked(rule_id)
        if choices:
            changes = {**changes, "choices": {**rule.choices, **choices}}
        before = versions.content_of(rule)
        if not restored:
            _check_options(rule, changes)
        rule = _save(rule, changes)
        if versions.content_of(rule) != before:
            versions.write(rule, Event.RESTORED if restored else Event.CHANGED, actor, restored)
        return rule


def restore_version(version: RuleVersion, actor: Actor) -> Rule:
    """The rule says again what it said then, as a new version; checked like any other save.

    Raises ``ApiError`` for tags that are gone by now.
    """
    said = versions.said_by(version)
    return change_rule(version.rule_id, said, actor=actor, restored=version.number)


def _save(rule: Rule, changes: Mapping[str, Any]) -> Rule:
    """Store a rule inside a transaction: its problems, its task, and the release of what it held."""
    apply_changes(rule, changes)
    rule.updated_at = rule.prepare_at = db_clock.now()
    rule.prepare_tries = 0
    snapshot = read_snapshot(rule, rule.account)
    problems = problems_of(snapshot)
    rule.problems = [asdict(problem) for problem in problems]
    rule.save()
    if delivers(snapshot):
        release_held(rule)
    if any(problem.code in LAGGING for problem in problems):
        runs.ask_for(rule.account)  # our lists may lag behind the CRM
    transaction.on_commit(partial(ask_to_prepare, rule.pk))
    return rule


def apply_changes(rule: Rule, changes: Mapping[str, Any]) -> None:
    """Change a rule in memory, its derived contact map with it. Raises ``ApiError`` for foreign tags."""
    _check_tags(rule.account, changes.get("tags_to_add", {}))
    for number, route in enumerate(changes.get("extra", {}).get("routes", ())):
        _check_tags(rule.account, route["then"].get("tags_to_add", {}), f"Extra.Routes[{number}].Then.")
    for name, value in _still_derived(rule, changes).items():
        setattr(rule, name, value)
    _refuse(wrong_tasks(rule))
    rule.contact_map = derive_contact_map(rule)


def delete_rule(rule_id: int, actor: Actor = OWNER) -> None:
    """Nothing more goes by the rule. What waits for it is held: a new rule of the quiz takes it over, or a
    person cancels it. What is being sent right now is finished."""
    with transaction.atomic():
        rule = locked(rule_id)
        if not rule.deleted:
            Rule.objects.filter(pk=rule_id).update(deleted=True, prepare_at=None, updated_at=db_clock.now())
            versions.write(rule, Event.DELETED, actor)
        outbox.park_rule(Delivery.objects.filter(rule=rule_id), holds.RULE_DELETED)


def pause_rule(rule_id: int, actor: Actor = OWNER) -> None:
    """Answers are taken in and wait, until ``resume_rule``. What is being sent right now is finished."""
    with transaction.atomic():
        rule = locked(rule_id)
        if not rule.paused_at:
            now = db_clock.now()
            Rule.objects.filter(pk=rule_id).update(paused_at=now, updated_at=now)
            versions.write(rule, Event.PAUSED, actor)
        outbox.park_rule(Delivery.objects.filter(rule=rule_id), holds.RULE_PAUSED)


def resume_rule(rule_id: int, actor: Actor = OWNER) -> None:
    """What waited goes on by today's rule."""
    with transaction.atomic():
        rule = locked(rule_id)
        if rule.paused_at:
            Rule.objects.filter(pk=rule_id).update(paused_at=None, updated_at=db_clock.now())
            versions.write(rule, Event.RESUMED, actor)
            release_held(rule, Delivery.Held.RULE_PAUSED)


def locked(rule_id: int) -> Rule:
    """Nobody else saves the rule until the transaction ends."""
    return Rule.objects.select_for_update(of=("self",)).select_related("account").get(pk=rule_id)


def _take_over(rule: Rule) -> None:
    """What waits for a deleted rule of the same quiz goes by this one (``outbox.hand_over``)."""
    former = Rule.objects.filter(account=rule.account, quiz_id=rule.quiz_id, deleted=True)
    for one in former.select_related("account"):
        for because in holds.FOR_RULE:
            release_held(one, because)


def release_held(rule: Rule, because: str = Delivery.Held.FIX_RULE) -> int:
    """Deliveries that waited for this rule go on: the first now, many more by and by
    (``rules.delivery.sweep``)."""
    if not rule.pk:
        return 0
    released = outbox.release(rule.deliveries.all(), because, most=outbox.AT_ONCE)
    if released == outbox.AT_ONCE:
        Rule.objects.filter(pk=rule.pk).update(release_at=db_clock.now())
    if released:
        transaction.on_commit(partial(wake_lanes, [rule.account_id]))
    return released


def _still_derived(rule: Rule, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """A derived contact map that comes back as it was shown stays derived: new fields will still join it."""
    sent = changes.get("fields_rule", {})
    if sent_map(rule.fields_rule) or not rule.contact_map or sent_map(sent) != rule.contact_map:
        return changes
    contact = {key: value for key, value in sent["contact"].items() if key != "ContactRuleMap"}
    return {**changes, "fields_rule": {**sent, "contact": contact}}


def foreign_tags(account: Account, tags_to_add: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(slot, message) for each tag that can't be meant: not the account's, or for another kind of record.

    Tag ids are our primary keys (D12). A tag that left the CRM is a problem of the rule, and may stay.
    """
    wanted = [(slot, item) for slot, item in tags_of(tags_to_add) if isinstance(item, int)]
    known = lookup.tag_entities(account, [item for _, item in wanted]) if wanted else {}
    entities = connector_class(account.crm).can.entities
    return [
        (
            slot,
            message("{tag} is a tag of {entity}", tag=item, entity=known[item])
            if item in known
            else message("{tag} is no tag of this account", tag=item),
        )
        for slot, item in wanted
        if item not in known or known[item] != entities.get(slot)
    ]


def wrong_options(rule: Rule, said: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(place below ``Extra``, message) for what a rule may not say anew of options (``Extra.Options``): of a
    field that takes none, or of an option that it does not have. What the rule said before may stay: that it
    is gone is a problem of the rule."""
    if not said:
        return []
    connector = connector_class(rule.account.crm)
    before = {_where(one): one["map"] for one in rule.extra.get("options", ())}
    fields = lookup.by_key(lookup.fields(rule.account))
    wrong: list[tuple[str, str]] = []
    for number, one in enumerate(said):
        target = fields.get((connector.can.entities.get(one["record"], ""), one["field"]))
        known = before.get(_where(one), {})
        if target is None or known == one["map"]:
            continue
        at = f"Options[{number}]"
        if not connector.chooses(target):
            words = message("field «{name}» has no options that we could choose from", name=target.name)
            wrong.append((f"{at}.Field", words))
            continue
        alive = {None, *(option.remote_id for option in target.options)}
        for text, option in one["map"].items():
            if option not in alive and known.get(text) != option:
                words = message(
                    "field «{name}» has no option {option}; have the fields read again if it is new",
                    name=target.name,
                    option=option,
                )
                wrong.append((f"{at}.Map.{text}", words))
    return wrong


def wrong_tasks(rule: Rule) -> Iterator[tuple[str, str]]:
    """(place below ``Extra``, message) of each task for leads that can have none."""
    connector = connector_class(rule.account.crm)
    for number, (task, place) in enumerate(zip(follow_ups_of(rule), places_of(rule), strict=True)):
        if task and (refusal := connector.refuses_task(place)):
            yield (f"Routes[{number - 1}].Then.Task" if number else "Task"), refusal


def _where(one: Mapping[str, Any]) -> tuple[str, str, str]:
    return one["record"], one["question"], one["field"]


def _check_options(rule: Rule, changes: Mapping[str, Any]) -> None:
    _refuse(wrong_options(rule, changes.get("extra", {}).get("options", ())))


def _refuse(wrong: Iterable[tuple[str, str]]) -> None:
    """Raises ``ApiError`` for the first of (place below ``Extra``, message)."""
    for at, words in wrong:
        raise ApiError(f"Bad Request: Extra.{at}: {words}", field=f"Extra.{at}")


def _check_tags(account: Account, tags_to_add: Mapping[str, Any], at: str = "") -> None:
    """A tag that can't be meant is the caller's mistake (D13)."""
    for slot, sentence in foreign_tags(account, tags_to_add):
        field = f"{at}TagsToAdd.{slot.capitalize()}"
        raise ApiError(f"Bad Request: {field}: {sentence}", field=field)
