"""What changed from one version of a rule to the next, in the words of its page: names, never ids or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import AccountEvent
from accounts.texts import said as in_words
from accounts.texts import say
from connectors.base import Choice
from connectors.registry import connector_class
from crm_cache.models import CrmUser, Field, Tag
from rules.admin.offers import DEFAULT, RECORDS, entries, flat, gone_place, placed, placements
from rules.admin.rule_editor import CONTACT_PARTS
from rules.admin.rule_routes import told_extra
from rules.mapping.quiz import all_questions
from rules.mapping.rule_snapshot import is_wish, questions_of, tags_of
from rules.models import Rule, RuleVersion

SHOWN = 50  # versions of one page
Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One row: what it is, what it was, what it is now. Nothing is an empty text."""

    what: str
    before: str
    after: str


@dataclass(slots=True)
class Names:
    """What the ids of these contents are called, read once for all of them."""

    rule: Rule
    people: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    fields: dict[tuple[str, str], str] = field(default_factory=dict)
    tags: dict[int, str] = field(default_factory=dict)
    questions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    entities: Mapping[str, str] = field(default_factory=dict)


def names_of(rule: Rule, contents: Iterable[Content]) -> Names:
    """Names by our lists, those that left the CRM among them."""
    contents, account = list(contents), rule.account
    wanted = {str(one["performer"]) for one in contents}
    fields = {named for one in contents for _record, _question, named in questions_of(one["fields_rule"])}
    fields |= {named for one in contents for _part, named in _parts_of(one["fields_rule"])}
    rows = Field.objects.filter(Q(remote_id__in=fields) | Q(code__in=fields), account=account)
    keys = {
        item for one in contents for _record, item in tags_of(one["tags_to_add"]) if isinstance(item, int)
    }
    return Names(
        rule,
        people={
            one.remote_id: one.name for one in CrmUser.objects.filter(account=account, remote_id__in=wanted)
        },
        places={key: str(words) for key, words in flat(placements(rule))},
        fields={(one.entity, key): one.name for one in rows for key in {one.remote_id, one.code} & fields},
        tags=dict(Tag.objects.filter(account=account, pk__in=keys).values_list("pk", "name")),
        questions=all_questions(rule),
        entities=connector_class(account.crm).can.entities,
    )


def changes_between(before: Content, after: Content, names: Names) -> list[Change]:
    """Every part that differs. What is stored alike has the same words, which are not looked up."""
    differing = (part for columns, part in PARTS if any(before.get(c) != after.get(c) for c in columns))
    pairs = ((part(before, names), part(after, names)) for part in differing)
    found = [
        Change(what, was.get(what, ""), now.get(what, ""))
        for was, now in pairs
        for what in (was | now)
        if was.get(what) != now.get(what)
    ]
    if before.get("quiz") != after.get("quiz"):
        found.append(Change(_("The quiz's configuration"), "", _("a new one came")))
    return found


def history_of(rule: Rule, before: int | None = None) -> tuple[list[dict[str, Any]], int | None]:
    """(newest versions first, each with its ``changes``; the number before which older ones are)."""
    rows = rule.versions.order_by("-number")
    rows = rows.filter(number__lt=before) if before else rows
    found = list(rows[: SHOWN + 1])
    names = names_of(rule, [row.said for row in found])
    told = []
    for row, former in zip(found, [*found[1:], None], strict=False):
        changed = changes_between(former.said, row.said, names) if former else []
        told.append({"row": row, "event": event_in_words(row), "who": who_did(row), "changes": changed})
    return told[:SHOWN], found[SHOWN - 1].number if len(found) > SHOWN else None


def event_in_words(row: RuleVersion) -> str:
    if row.restored:
        return say("version {number} brought back", number=row.restored)
    return str(row.get_event_display())


def who_did(row: RuleVersion) -> str:
    """A staff user, the quiz account whose token changed the rule, or this service."""
    if row.by == AccountEvent.By.STAFF:
        return row.who
    if row.by == AccountEvent.By.OWNER:
        return say("over REST: {account}", account=row.who)
    return str(row.get_by_display())


def _performer(content: Content, names: Names) -> dict[str, str]:
    now = str(content["performer"])
    return {_("Responsible"): names.people.get(now, now) or str(DEFAULT[1])}


def _place(content: Content, names: Names) -> dict[str, str]:
    rule = Rule(account=names.rule.account, pipeline=content["pipeline"], step=content["step"])
    key = placed(rule)
    if key not in names.places:
        names.places[key] = gone_place(rule)
    return {_("Pipeline and step"): names.places[key]}


def _choices(content: Content, names: Names) -> dict[str, str]:
    can = connector_class(names.rule.account.crm).can
    return {in_words(one.word): _chosen(content["choices"].get(one.key), one, names) for one in can.choices}


def _chosen(value: Any, choice: Choice, names: Names) -> str:
    if choice.is_flag:
        return _("Yes") if (choice.default if value is None else value) is True else _("No")
    if choice.typed or not value:
        return str(value or "")
    offered = entries(names.rule.account, choice, str(value))
    return str(dict(offered).get(str(value), value))


def _fields(content: Content, names: Names) -> dict[str, str]:
    """By question and kind of record: the fields that it goes into."""
    found: dict[str, list[str]] = {}
    for record, question, named in questions_of(content["fields_rule"]):
        words = names.questions.get(question, {}).get("title") or say("question {q}", q=question)
        what = f"{RECORDS.get(record, record)}: «{words}»"
        found.setdefault(what, []).append(_field(record, named, names))
    return {what: ", ".join(fields) for what, fields in found.items()}


def _contact_form(content: Content, names: Names) -> dict[str, str]:
    return {
        say("Contact form: {part}", part=CONTACT_PARTS.get(part, part)): _field("contact", named, names)
        for part, named in _parts_of(content["fields_rule"])
    }


def _parts_of(fields_rule: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(part of the contact form, field) that the rule names itself."""
    for parts in fields_rule.values():
        for part in parts if isinstance(parts, list) else [parts]:
            for name, remote_id in (part.get("ContactRuleMap") or {}).items():
                yield str(name), str(remote_id)


def _field(record: str, named: str, names: Names) -> str:
    if is_wish(named):
        return _("a field to be made")
    return names.fields.get((names.entities.get(record, record), named)) or say("field {id}", id=named)


def _tags(content: Content, names: Names) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for record, item in tags_of(content["tags_to_add"]):
        name = names.tags.get(item, "") if isinstance(item, int) else str(item)
        found.setdefault(say("Tags: {record}", record=RECORDS.get(record, record)), []).append(
            name or say("tag {id}", id=item)
        )
    return {what: ", ".join(names) for what, names in found.items()}


def _extra(content: Content, names: Names) -> dict[str, str]:
    return told_extra(names.rule, content.get("extra", {}))


PARTS = (  # the columns, and what they say
    (("performer",), _performer),
    (("pipeline", "step"), _place),
    (("choices",), _choices),
    (("fields_rule",), _fields),
    (("fields_rule",), _contact_form),
    (("tags_to_add",), _tags),
    (("extra",), _extra),
)
