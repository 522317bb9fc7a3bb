"""A rule with everything it names, read once: what ``mapping`` and the checks work on. Values, no rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts.models import Account
from connectors.base import Connector, Named
from connectors.draft import Placement, Tag, Target, WriteMode
from connectors.messages import RU, joined, message
from connectors.registry import connector_class
from crm_cache import lookup, runs
from crm_cache import models as cache
from crm_cache.sync import LISTS
from rules.mapping import follow_up
from rules.mapping.conditions import Condition, read_condition
from rules.mapping.existing import fields_named, read_modes
from rules.mapping.follow_up import FollowUp
from rules.mapping.option_map import ChoiceField, Observed, read_choice_fields
from rules.mapping.quiz import by_id
from rules.mapping.repeated import OnRepeat, read_on_repeat
from rules.mapping.responsible import Responsible, read_stored
from rules.mapping.templates import Texts, read_texts
from rules.models import QuizOption, Rule


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
    ``Connector.holds_several`` of its CRM. ``existing`` says what is written into records that are there, by
    our words, ``written_fields`` which fields it names: (our word, as the rule has it).

    ``choice_fields`` are those of ``questions`` that go into a field with options.

    ``send_if`` and ``routes`` say which way an answer goes (``rules.mapping.routes``). A route's snapshot is
    the rule as that route has it: it has no routes of its own, and ``at`` says where in the rule it is.
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
    named: tuple[tuple[Named, Seen | None], ...] = ()
    fields: Mapping[tuple[str, str], Target] = field(default_factory=dict)
    gone_fields: frozenset[tuple[str, str]] = frozenset()
    tags: Mapping[int, Tag] = field(default_factory=dict)
    holds_several: Callable[[Target], bool] = Connector.holds_several
    zone: tzinfo = UTC
    at: str = ""
    send_if: Condition | None = None
    routes: tuple[Route, ...] = ()
    texts: Texts = field(default_factory=Texts)
    responsible: Responsible = field(default_factory=Responsible)
    seen_people: Mapping[str, Seen] = field(default_factory=dict)
    choice_fields: Mapping[tuple[str, str, str], ChoiceField] = field(default_factory=dict)
    option_maps: tuple[Mapping[str, Any], ...] = ()
    existing: Mapping[str, WriteMode] = field(default_factory=dict)
    written_fields: tuple[tuple[str, str], ...] = ()
    follow_up: FollowUp | None = None
    on_repeat: OnRepeat | None = None

    @property
    def seen_performer(self) -> Seen | None:
        return self.seen_people.get(self.performer)

    def has_alive(self, performer: str) -> bool:
        """Can this person be responsible for leads?"""
        seen = self.seen_people.get(performer)
        return seen is not None and seen.alive


@dataclass(frozen=True, slots=True)
class Route:
    """What a rule says instead of its own for answers that fit."""

    name: str
    condition: Condition
    rule: RuleSnapshot


@dataclass(frozen=True, slots=True)
class Place(Placement):
    """Where leads go by a rule or by one of its routes."""

    tags_to_add: tuple[tuple[str, Any], ...] = ()


def read_snapshot(rule: Rule, account: Account) -> RuleSnapshot:
    """Read a rule with what it names; a handful of small queries."""
    connector = connector_class(account.crm)
    fields, gone = _fields(account, _wanted_fields(rule))
    own, *others = places = places_of(rule)
    named = [_named(account, place) for place in places]
    seen = _seen(account, {one for some in named for one in some})
    responsible = read_stored(rule.extra.get("responsible", {}), connector.can.tells_owner)
    existing = rule.extra.get("existing", {})
    own_task, *their_tasks = tasks = follow_ups_of(rule)
    people = {*(place.performer for place in places), *(task.performer for task in tasks if task)}
    users = seen_users(account, {*people, *responsible.everybody()})
    snapshot = RuleSnapshot(
        rule_id=rule.pk,
        quiz_id=rule.quiz_id,
        entities=connector.can.entities,
        region=account.phone_region,
        language=settings.NOTE_LANGUAGE,
        performer=rule.performer,
        pipeline=rule.pipeline,
        step=rule.step,
        choices=rule.choices,
        questions=tuple(questions_of(rule.fields_rule)),
        contact_map=rule.contact_map,
        tags_to_add=own.tags_to_add,
        quiz=rule.quiz,
        named=tuple((one, seen.get(one)) for one in named[0]),
        fields=fields,
        gone_fields=gone,
        tags=_tags(account, places),
        holds_several=connector.holds_several,
        zone=zone_of(account),
        texts=read_texts(rule.extra),
        responsible=responsible,
        seen_people=users,
        choice_fields=_choice_fields(rule, connector, fields),
        option_maps=tuple(rule.extra.get("options", ())),
        existing=read_modes(existing, connector.can.entities, fields, connector.can.existing),
        written_fields=tuple(fields_named(existing)),
        follow_up=own_task,
        on_repeat=read_on_repeat(rule.extra.get("repeated"), account),
    )
    routes = []
    ways = zip(routes_of(rule), others, named[1:], their_tasks, strict=True)
    for number, (said, place, names, task) in enumerate(ways):
        at = f"Extra.Routes[{number}]"
        its = replace(
            snapshot,
            performer=place.performer,
            pipeline=place.pipeline,
            step=place.step,
            choices=place.choices,
            tags_to_add=place.tags_to_add,
            named=tuple((one, seen.get(one)) for one in names),
            at=f"{at}.Then.",
            responsible=Responsible() if "performer" in said["then"] else responsible,
            follow_up=task,
        )
        routes.append(Route(said["name"], read_condition(said["if"], f"{at}.If"), its))
    send_if = rule.extra.get("send_if")
    condition = read_condition(send_if, "Extra.SendIf") if send_if else None
    return replace(snapshot, send_if=condition, routes=tuple(routes))


def routes_of(rule: Rule) -> list[dict[str, Any]]:
    """As they are stored (``Rule.extra``), in order."""
    return list(rule.extra.get("routes", ()))


def follow_ups_of(rule: Rule) -> tuple[FollowUp | None, ...]:
    """The rule's own task, then that of each route: the rule's where the route says nothing of it."""
    own = rule.extra.get("task", {})
    said = (own, *(route.get("task", own) for route in routes_of(rule)))
    return tuple(map(follow_up.read_stored, said))


def places_of(rule: Rule) -> tuple[Place, ...]:
    """The rule's own, then that of each route. What a route does not say is the rule's, but no step of
    another pipeline. A route's tags are added to the rule's."""
    tags = tuple(tags_of(rule.tags_to_add))
    own = Place(rule.performer, rule.pipeline, rule.step, choices=rule.choices, tags_to_add=tags)
    return own, *(_place(own, route["then"]) for route in routes_of(rule))


def _place(own: Place, then: Mapping[str, Any]) -> Place:
    return Place(
        performer=then.get("performer", own.performer),
        pipeline=then.get("pipeline", own.pipeline),
        step=then.get("step", "" if "pipeline" in then else own.step),
        choices={**own.choices, **then.get("choices", {})},
        tags_to_add=tuple(dict.fromkeys((*own.tags_to_add, *tags_of(then.get("tags_to_add", {}))))),
    )


def zone_of(account: Account) -> tzinfo:
    """By which clock its people work: the CRM's where it tells one, else the service's."""
    return connector_class(account.crm).zone(account.facts) or timezone.get_default_timezone()


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


def _choice_fields(
    rule: Rule, connector: type[Connector], fields: Mapping[tuple[str, str], Target]
) -> dict[tuple[str, str, str], ChoiceField]:
    """What was answered is read where a question goes into such a field, and only then."""

    def target_of(entity: str, named: str) -> Target | None:
        target = fields.get((connector.can.entities.get(entity, ""), named))
        return target if target and connector.chooses(target) else None

    asked = list(questions_of(rule.fields_rule))
    choosing = {question for entity, question, named in asked if target_of(entity, named)}
    observed = _observed(rule, choosing) if choosing and rule.pk else {}
    return read_choice_fields(asked, target_of, rule.extra.get("options", ()), by_id(rule.quiz), observed)


def _observed(rule: Rule, questions: Collection[str]) -> Observed:
    rows = QuizOption.objects.filter(rule=rule, question__in=questions)
    found: dict[str, dict[str, datetime]] = {}
    for question, text, at in rows.values_list("question", "text", "last_seen"):
        found.setdefault(question, {})[text] = at
    return found


def _wanted_fields(rule: Rule) -> set[str]:
    wanted = {remote_id for _, _, remote_id in questions_of(rule.fields_rule)}
    wanted |= {one["field"] for part in ("values", "options") for one in rule.extra.get(part, ())}
    wanted |= {key for _, key in fields_named(rule.extra.get("existing", {}))}
    return wanted | {str(remote_id) for remote_id in rule.contact_map.values()}


def _fields(
    account: Account, wanted: Iterable[str]
) -> tuple[dict[tuple[str, str], Target], frozenset[tuple[str, str]]]:
    """The living and the gone. A field may be named by its id or, where it has one, by its code (D12)."""
    asked = {key for key in wanted if not is_wish(key)}
    rows = cache.Field.objects.filter(Q(remote_id__in=asked) | Q(code__in=asked), account=account)
    columns = rows.values(*lookup.FIELD, "deleted")
    found = [(row["entity"], key, row) for row in columns for key in {row["remote_id"], row["code"]} & asked]
    alive = {(entity, key): lookup.target_of(row) for entity, key, row in found if not row["deleted"]}
    return alive, frozenset((entity, key) for entity, key, row in found if row["deleted"])


def _named(account: Account, place: Place) -> tuple[Named, ...]:
    return connector_class(account.crm).named(place, account.facts)


def lists_named(rule: Rule, account: Account) -> frozenset[str]:
    """The lists of the account's CRM that the rule's leads depend on."""
    places = places_of(rule)
    named = {one.what for place in places for one in _named(account, place)}
    named_for_tasks = any(task.performer for task in follow_ups_of(rule) if task)
    if any(place.performer for place in places) or rule.extra.get("responsible") or named_for_tasks:
        named.add("users")
    if _wanted_fields(rule) - {"", "0"}:
        named.add("fields")
    if any(isinstance(item, int) for place in places for _, item in place.tags_to_add):
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
    """What our list has of it, if anything."""
    return _seen(account, [one]).get(one)


def _seen(account: Account, named: Collection[Named]) -> dict[Named, Seen]:
    """What our lists have of these, one query a list."""
    found: dict[Named, Seen] = {}
    for what in sorted({one.what for one in named}):
        wanted = [one for one in named if one.what == what]
        ids = {one.remote_id for one in wanted}
        rows = LISTS[what].model._default_manager.filter(account=account, remote_id__in=ids)
        by_id: dict[str, list[Any]] = {}
        for row in rows:
            by_id.setdefault(row.remote_id, []).append(row)
        for one in wanted:
            for row in by_id.get(one.remote_id, ()):
                if one not in found and _is_meant(one, row):
                    found[one] = Seen(row.name, not row.deleted, getattr(row, "kind", ""))
    return found


def _is_meant(one: Named, row: Any) -> bool:
    """A pipeline's steps and a directory's entries are told apart by their keys."""
    return row.entity == one.entity and (not one.pipeline or row.pipeline_id == one.pipeline)


def seen_users(account: Account, wanted: Collection[str]) -> dict[str, Seen]:
    """What our list has of these people, one query."""
    asked = {remote_id for remote_id in wanted if remote_id}
    rows = cache.CrmUser.objects.filter(account=account, remote_id__in=asked) if asked else ()
    return {row.remote_id: Seen(row.name, row.active and not row.deleted) for row in rows}


def _tags(account: Account, places: Iterable[Place]) -> dict[int, Tag]:
    keys = {item for place in places for _, item in place.tags_to_add if isinstance(item, int)}
    if not keys:
        return {}
    rows = cache.Tag.objects.filter(account=account, pk__in=keys, deleted=False)
    return {row.pk: Tag(row.entity, row.name, row.remote_id) for row in rows}
