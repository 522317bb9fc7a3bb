"""A rule with everything it names, read once: what ``mapping`` and the checks work on. Values, no rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from accounts.models import Account
from connectors.base import Connector, Named
from connectors.draft import Option, Placement, Tag, Target
from connectors.messages import RU, joined, message
from connectors.registry import connector_class
from crm_cache import models as cache
from crm_cache import runs
from crm_cache.sync import LISTS
from rules.models import Rule


@dataclass(frozen=True, slots=True)
class Seen:
    """Something of the CRM as our cache knows it; ``alive`` is false once it is gone there."""

    name: str
    alive: bool
    kind: str = ""


@dataclass(frozen=True, slots=True)
class RuleSnapshot:
    """A rule and the part of the cache it needs.

    ``questions`` are (our entity word, question id, remote field id) in order; ``fields`` is keyed by
    (entity as the CRM calls it, the field's id or name as the rule has it), ``tags`` by primary key.
    ``named`` is whatever the rule names of pipelines, steps and directories, ``holds_several`` is
    ``Connector.holds_several`` of its CRM.
    """

    rule_id: int
    quiz_id: int
    entities: Mapping[str, str]
    region: str
    language: str = RU
    performer: str = ""
    pipeline: str = ""
    step: str = ""
    choices: Mapping[str, Any] = field(default_factory=dict)
    questions: tuple[tuple[str, str, str], ...] = ()
    contact_map: Mapping[str, str] = field(default_factory=dict)
    tags_to_add: tuple[tuple[str, Any], ...] = ()
    quiz: Mapping[str, Any] = field(default_factory=dict)
    seen_performer: Seen | None = None
    named: tuple[tuple[Named, Seen | None], ...] = ()
    fields: Mapping[tuple[str, str], Target] = field(default_factory=dict)
    gone_fields: frozenset[tuple[str, str]] = frozenset()
    tags: Mapping[int, Tag] = field(default_factory=dict)
    holds_several: Callable[[Target], bool] = Connector.holds_several


def read_snapshot(rule: Rule, account: Account) -> RuleSnapshot:
    """Read a rule with what it names; a handful of small queries."""
    connector = connector_class(account.crm)
    fields, gone = _fields(account, _wanted_fields(rule))
    return RuleSnapshot(
        rule_id=rule.pk,
        quiz_id=rule.quiz_id,
        entities=connector.can.entities,
        region=region_of(account),
        language=language_of(account),
        performer=rule.performer,
        pipeline=rule.pipeline,
        step=rule.step,
        choices=rule.choices,
        questions=tuple(questions_of(rule.fields_rule)),
        contact_map=rule.contact_map,
        tags_to_add=tuple(tags_of(rule.tags_to_add)),
        quiz=rule.quiz,
        seen_performer=_seen_user(account, rule.performer),
        named=tuple((one, seen_of(account, one)) for one in _named(account, rule)),
        fields=fields,
        gone_fields=gone,
        tags=_tags(account, rule),
        holds_several=connector.holds_several,
    )


def region_of(account: Account) -> str:
    """Where this account's phones without a country code belong."""
    return account.country or settings.PHONE_REGION


def language_of(account: Account) -> str:
    """What the people read who work in this account; one for all of them today."""
    return str(settings.NOTE_LANGUAGE)


def questions_of(fields_rule: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(entity, question id, field id) of both contract shapes: an array of maps, or one map (D25)."""
    for entity, parts in fields_rule.items():
        for part in parts if isinstance(parts, list) else [parts]:
            for question, remote_id in (part.get("QuestionID") or {}).items():
                yield entity.lower(), str(question), str(remote_id)


def is_wish(remote_id: str) -> bool:
    """Does a rule ask for a field to be made? Contracts with numbers say 0, those with texts nothing."""
    return remote_id in ("", "0")


def tags_of(tags_to_add: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """(entity, our primary key or a text) in order."""
    for entity, items in tags_to_add.items():
        for item in items:
            yield entity.lower(), item


def _wanted_fields(rule: Rule) -> set[str]:
    wanted = {remote_id for _, _, remote_id in questions_of(rule.fields_rule)}
    return wanted | {str(remote_id) for remote_id in rule.contact_map.values()}


def _fields(
    account: Account, wanted: Iterable[str]
) -> tuple[dict[tuple[str, str], Target], frozenset[tuple[str, str]]]:
    """The living and the gone. A field may be named by its id or, where it has one, by its code (D12)."""
    asked = {key for key in wanted if not is_wish(key)}
    rows = cache.Field.objects.filter(Q(remote_id__in=asked) | Q(code__in=asked), account=account)
    found = [(row.entity, key, row) for row in rows for key in {row.remote_id, row.code} & asked]
    alive = {(entity, key): as_target(row) for entity, key, row in found if not row.deleted}
    return alive, frozenset((entity, key) for entity, key, row in found if row.deleted)


def as_target(row: cache.Field) -> Target:
    """A cached field as the value a connector takes."""
    return Target(
        entity=row.entity,
        remote_id=row.remote_id,
        name=row.name,
        type=row.type,
        code=row.code,
        multiple=row.multiple,
        options=tuple(Option(str(o["id"]), o["text"], o.get("code", "")) for o in row.options),
    )


def _named(account: Account, rule: Rule) -> tuple[Named, ...]:
    place = Placement(rule.performer, rule.pipeline, rule.step, choices=rule.choices)
    return connector_class(account.crm).named(place, account.facts)


def lists_named(rule: Rule, account: Account) -> frozenset[str]:
    """The lists of the account's CRM that the rule's leads depend on."""
    named = {one.what for one in _named(account, rule)}
    if rule.performer:
        named.add("users")
    if _wanted_fields(rule) - {"", "0"}:
        named.add("fields")
    if any(isinstance(item, int) for _, item in tags_of(rule.tags_to_add)):
        named.add("tags")
    return frozenset(named) & frozenset(connector_class(account.crm).can.lists)


def why_unread(account: Account, unread: Collection[str]) -> tuple[str, str]:
    """(why leads wait that depend on these lists, what can be done). One query."""
    lists, names = runs.lists_state(account), sorted(unread)
    error = message(
        "The account is connected; the lists that its rule names are read first ({names})",
        names=joined(", ", *(runs.LIST_NAMES[name] for name in names)),
    )
    remedy = message("It goes on by itself once they are read.")
    if troubles := [
        joined(": ", runs.LIST_NAMES[what], lists[what].error) for what in names if lists[what].error
    ]:
        mend = message("Mend what keeps them from it.")
        return joined(". ", error, joined("; ", *troubles)), joined(" ", remedy, mend)
    return error, remedy


def seen_of(account: Account, one: Named) -> Seen | None:
    """The row that is meant; a pipeline's steps and a directory's entries are told apart by their keys."""
    within = {"entity": one.entity} | ({"pipeline_id": one.pipeline} if one.pipeline else {})
    rows: QuerySet[Any] = LISTS[one.what].model._default_manager.filter(
        account=account, remote_id=one.remote_id
    )
    row = rows.filter(**within).first()
    return Seen(row.name, not row.deleted, getattr(row, "kind", "")) if row else None


def _seen_user(account: Account, remote_id: str) -> Seen | None:
    row = cache.CrmUser.objects.filter(account=account, remote_id=remote_id).first() if remote_id else None
    return Seen(row.name, row.active and not row.deleted) if row else None


def _tags(account: Account, rule: Rule) -> dict[int, Tag]:
    keys = [item for _, item in tags_of(rule.tags_to_add) if isinstance(item, int)]
    if not keys:
        return {}
    rows = cache.Tag.objects.filter(account=account, pk__in=keys, deleted=False)
    return {row.pk: Tag(row.entity, row.name, row.remote_id) for row in rows}
