"""A rule for another quiz or another account: what it names is looked for there by name.

What has no twin is told and left out: the copy is complete where the list of what is missing is empty.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Account
from accounts.texts import said as in_words
from accounts.texts import say
from connectors.draft import Target
from connectors.registry import connector_class
from crm_cache import lookup, models
from rules.admin.offers import BETWEEN, Choices, entries, flat, performers, placed, placements
from rules.mapping.existing import BY_NAME
from rules.mapping.existing import RECORDS as RECORDS_THERE
from rules.mapping.rule_snapshot import is_wish, questions_of, routes_of, tags_of
from rules.mapping.suggestions import plain
from rules.models import Rule
from rules.serializers import dialect_of, mapped_records


@dataclass(slots=True)
class Twin:
    """``changes`` and ``choices`` are of ``rule_save.create_rule``; ``missing`` are sentences for people."""

    changes: dict[str, Any]
    choices: dict[str, Any] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


class _Lists:
    """What both accounts have, each list read once. Fields go by the CRM's word for the record and by id or
    code."""

    def __init__(self, own: Account, account: Account) -> None:
        self.own, self.account = own, account
        self.entities = connector_class(own.crm).can.entities
        self.can = connector_class(account.crm).can

    @cached_property
    def fields(self) -> dict[tuple[str, str], Target]:
        return lookup.by_key(lookup.fields(self.own))

    @cached_property
    def fields_there(self) -> dict[tuple[str, str], Target]:
        return lookup.by_key(self._fields_there)

    @cached_property
    def alike(self) -> dict[tuple[str, str], list[Target]]:
        """The other account's fields by what they are called."""
        found: dict[tuple[str, str], list[Target]] = {}
        for one in self._fields_there:
            found.setdefault((one.entity, plain(one.name)), []).append(one)
        return found

    @cached_property
    def tags_there(self) -> dict[tuple[str, str], int]:
        rows = models.Tag.objects.filter(account=self.account, deleted=False)
        return {(entity, plain(name)): key for key, entity, name in rows.values_list("pk", "entity", "name")}

    def person(self, now: str, what: str, twin: Twin) -> str:
        """Who is called so there, "" where nobody is."""
        known = self._people if now in dict(self._people) else performers(self.own, now)
        return _alike(known, self._people_there, now, what, twin)

    @cached_property
    def _fields_there(self) -> list[Target]:
        return lookup.fields(self.account)

    @cached_property
    def _people(self) -> Choices:
        return performers(self.own, "")

    @cached_property
    def _people_there(self) -> Choices:
        return performers(self.account, "")


def twin_of(rule: Rule, account: Account) -> Twin:
    """What ``rule`` says, said of ``account``. Reads our lists alone."""
    if account.pk == rule.account_id:
        same = ("performer", "pipeline", "step", "fields_rule", "tags_to_add", "extra", "quiz")
        return Twin({name: getattr(rule, name) for name in same}, dict(rule.choices))
    twin, lists = Twin({"quiz": rule.quiz}), _Lists(rule.account, account)
    _place(rule, lists, twin)
    twin.changes["fields_rule"] = _as_contract(account.crm, _fields(rule, lists, twin))
    twin.changes["tags_to_add"] = _tags(rule, lists, twin)
    twin.changes["extra"] = _extra(rule, lists, twin)
    return twin


def _extra(rule: Rule, lists: _Lists, twin: Twin) -> dict[str, Any]:
    """Conditions and texts as they are, as they ask the answer alone; routes as far as they lead anywhere."""
    routes = []
    for route in routes_of(rule):
        imagined = Rule(account=rule.account, **route["then"])
        there = Twin({})
        _place(imagined, lists, there)
        there.changes |= {"tags_to_add": _tags(imagined, lists, there), "choices": there.choices}
        then = {key: there.changes[key] for key in route["then"] if there.changes[key]}
        twin.missing += [
            _("Route %(name)s: %(what)s") % {"name": route["name"], "what": one} for one in there.missing
        ]
        task = {"task": _task(route["task"], lists, twin)} if "task" in route else {}
        routes += [{**route, "then": then, **task}] if then or task else []
    copied = {**rule.extra, "routes": routes, "values": list(_values(rule, lists, twin))}
    copied["responsible"] = _responsible(rule, lists, twin)
    copied["options"] = list(_options(rule, lists, twin))
    copied["existing"] = _existing(rule, lists, twin)
    copied["task"] = _task(rule.extra.get("task", {}), lists, twin)
    if "repeated" in copied and not lists.can.joins:
        twin.missing.append(_("What happens to people who have an open lead"))
        del copied["repeated"]
    return {key: value for key, value in copied.items() if value}


def _responsible(rule: Rule, lists: _Lists, twin: Twin) -> dict[str, Any]:
    """The people of the same names, with their weights and hours; nothing where nobody has one."""
    said, word = rule.extra.get("responsible", {}), _("Responsible")
    people = [
        {**one, "performer": lists.person(one["performer"], word, twin)} for one in said.get("people", ())
    ]
    texts = {text: lists.person(now, word, twin) for text, now in said.get("map", {}).items()}
    found = {
        "people": [one for one in people if one["performer"]],
        "map": {text: now for text, now in texts.items() if now},
    }
    kept: dict[str, Any] = {key: value for key, value in found.items() if value}
    if said.get("own"):
        if lists.can.tells_owner:
            kept["own"] = True
        else:
            twin.missing.append(_("Responsible: whoever looks after the contact already"))
    return {"by": said["by"], **kept} if "map" in kept else kept


def _options(rule: Rule, lists: _Lists, twin: Twin) -> Iterator[dict[str, Any]]:
    """Of fields that have a twin, the options that are called alike there."""
    for one in rule.extra.get("options", ()):
        imagined = Rule(account=rule.account, fields_rule={one["record"]: {"QuestionID": {"": one["field"]}}})
        known = lists.fields.get((lists.entities.get(one["record"], ""), one["field"]))
        words = {option.remote_id: option.text for option in known.options} if known else {}
        for record, _question, remote_id in _fields(imagined, lists, twin):
            target = lists.fields_there[lists.can.entities[record], remote_id]
            alike = {plain(option.text): option.remote_id for option in reversed(target.options)}
            meant = {
                text: None if option is None else alike.get(plain(words.get(option, option)), "")
                for text, option in one["map"].items()
            }
            twin.missing += [
                _("Option of the field %(name)s: %(option)s")
                % {"name": target.name, "option": words.get(option, option)}
                for text, option in one["map"].items()
                if meant[text] == ""
            ]
            if kept := {text: option for text, option in meant.items() if option != ""}:
                yield {"record": record, "question": one["question"], "field": remote_id, "map": kept}


def _existing(rule: Rule, lists: _Lists, twin: Twin) -> dict[str, Any]:
    """Modes of the records that the other CRM can write, of fields that have a twin there."""
    found: dict[str, Any] = {}
    for record, one in rule.extra.get("existing", {}).items():
        if record not in lists.can.existing:
            twin.missing.append(say("{what}: what is written into it", what=in_words(RECORDS_THERE[record])))
            continue
        named = {key: mode for key, mode in one.get("fields", {}).items() if key not in BY_NAME}
        imagined = Rule(
            account=rule.account, fields_rule={record: {"QuestionID": {key: key for key in named}}}
        )
        twins = {key: there for _record, key, there in _fields(imagined, lists, twin, (record,))}
        fields = {key: mode for key, mode in one.get("fields", {}).items() if key in BY_NAME}
        fields |= {twins[key]: mode for key, mode in named.items() if key in twins}
        found[record] = {**{key: value for key, value in one.items() if key != "fields"}}
        found[record] |= {"fields": fields} if fields else {}
    return {record: one for record, one in found.items() if one}


def _task(said: Mapping[str, Any], lists: _Lists, twin: Twin) -> dict[str, Any]:
    """The task for the person of the same name; its number of a kind or a department only within a CRM."""
    if not said or not lists.can.tasks:
        twin.missing += [f"{_('Task')}: {said['text']}"] if said else []
        return {}
    task = dict(said)
    if there := lists.person(task.pop("performer", ""), _("Task"), twin):
        task["performer"] = there
    if lists.account.crm != lists.own.crm:
        twin.missing += [f"{_('Task')}: {task.pop(key)}" for key in ("department", "type") if key in task]
    return task


def _values(rule: Rule, lists: _Lists, twin: Twin) -> Iterator[dict[str, str]]:
    """Texts of fields that have a twin."""
    for one in rule.extra.get("values", ()):
        imagined = Rule(account=rule.account, fields_rule={one["record"]: {"QuestionID": {"": one["field"]}}})
        for _record, _question, remote_id in _fields(imagined, lists, twin):
            yield {**one, "field": remote_id}


def _place(rule: Rule, lists: _Lists, twin: Twin) -> None:
    """Who and where, by what the pickers call it; the CRM's own choices only where it is the same CRM."""
    account = lists.account
    empty = Rule(account=account)
    twin.changes["performer"] = lists.person(rule.performer, _("Responsible"), twin)
    there = _alike(placements(rule), placements(empty), placed(rule), _("Pipeline and step"), twin)
    twin.changes["pipeline"], _between, twin.changes["step"] = there.partition(BETWEEN)
    if account.crm != rule.account.crm:
        return
    for choice in lists.can.choices:
        said = rule.choices.get(choice.key)
        if choice.directory and said:
            both = entries(rule.account, choice, said), entries(account, choice, "")
            said = _alike(*both, str(said), choice.word, twin)
        if said not in (None, ""):
            twin.choices[choice.key] = said


def _alike(here: Choices, there: Choices, now: str, what: str, twin: Twin) -> str:
    """The key there of what has the same words here, "" where nothing has."""
    if not now:
        return ""
    words = str(dict(flat(here)).get(now, now))
    for key, other in flat(there):
        if key and plain(str(other)) == plain(words):
            return key
    twin.missing.append(f"{what}: {words}")
    return ""


def _fields(
    rule: Rule, lists: _Lists, twin: Twin, more: Collection[str] = ()
) -> Iterator[tuple[str, str, str]]:
    """(record, question, remote field id) of what has a twin; wishes for new fields stay wishes. ``more`` are
    kinds of record beyond those whose fields questions fill."""
    for record, question, remote_id in questions_of(rule.fields_rule):
        known = lists.fields.get((lists.entities.get(record, ""), remote_id))
        if record in (*mapped_records(lists.account.crm), *more):
            if is_wish(remote_id) and lists.can.creates_fields:
                yield record, question, ""
                continue
            found = lists.alike.get((lists.can.entities[record], plain(known.name)), []) if known else []
            alike = [one for one in found if known and one.type == known.type] or found
            if alike:
                yield record, question, alike[0].remote_id
                continue
        name = known.name if known else remote_id
        twin.missing.append(_("Field of the %(record)s: %(name)s") % {"record": record, "name": name})


def _as_contract(crm: str, rows: Iterator[tuple[str, str, str]]) -> dict[str, Any]:
    """Rows in the shape of the CRM's contract: lists of maps, or one map a record (D25)."""
    lists = dialect_of(crm).lists_of_maps
    maps: dict[str, list[dict[str, Any]]] = {record: [] for record in mapped_records(crm)}
    for record, question, remote_id in rows:
        free = next((one for one in maps[record] if question not in one), None)
        if free is None and (lists or not maps[record]):
            maps[record].append(free := {})
        if free is not None:
            free[question] = int(remote_id or 0) if lists else remote_id
    if lists:
        return {record: [{"QuestionID": one} for one in found] for record, found in maps.items()}
    return {record: {"QuestionID": found[0] if found else {}} for record, found in maps.items()}


def _tags(rule: Rule, lists: _Lists, twin: Twin) -> Mapping[str, list[Any]]:
    """Tags by name: our keys where the CRM's rules name tags so, else texts."""
    by_key, entities = dialect_of(lists.account.crm).tags_by_key, lists.can.entities
    wanted = list(tags_of(rule.tags_to_add))
    if not wanted:
        return {}
    names = dict(
        models.Tag.objects.filter(
            pk__in=[item for _record, item in wanted if isinstance(item, int)]
        ).values_list("pk", "name")
    )
    found: dict[str, list[Any]] = {}
    for record, item in wanted:
        name = names.get(item, "") if isinstance(item, int) else str(item)
        key = lists.tags_there.get((entities.get(record, ""), plain(name)))
        if record not in entities or not name or (by_key and key is None):
            twin.missing.append(
                _("Tag of the %(record)s: %(name)s") % {"record": record, "name": name or item}
            )
        else:
            found.setdefault(record.capitalize() if by_key else record, []).append(key if by_key else name)
    return found
