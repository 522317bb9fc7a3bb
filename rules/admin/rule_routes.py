"""Conditions and routes on a rule's page: what is offered, what may not be said, what they say in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from rest_framework.exceptions import ValidationError

from accounts.models import Account
from accounts.texts import said as in_words
from accounts.texts import say
from connectors.registry import connector_class
from connectors.repeated import LINK, NOTE
from rules.admin.offers import DEFAULT, RECORDS, entries, flat, performers, placed, placements
from rules.admin.rule_existing import told_existing
from rules.admin.rule_options import told_options
from rules.mapping.conditions import Malformed, read_condition
from rules.mapping.repeated import NEW, WAYS, OnRepeat
from rules.mapping.values import ANSWER, CONTACT, USUAL_MARKS, UTM
from rules.models import Rule
from rules.rule_save import foreign_tags
from rules.serializers import dialect_of
from rules.serializers.derived import name_of
from rules.serializers.extra import EXTRA, read_extra, write_extra

_WAYS = {
    NEW: gettext_lazy("make another lead"),
    NOTE: gettext_lazy("write the answer into a note on it"),
    LINK: gettext_lazy("only mention it there"),
}
_PARTS = {  # headings of the page by the key below ``Extra``
    "SendIf": gettext_lazy("Send only if"),
    "Routes": gettext_lazy("Route"),
    "Responsible": gettext_lazy("Who takes turns"),
    "Task": gettext_lazy("Task for people on each new lead"),
    "Title": gettext_lazy("Title"),
    "Sum": gettext_lazy("Sum"),
    "Note": gettext_lazy("Note, above what was answered"),
    "Values": gettext_lazy("Texts of the lead"),
    "Options": gettext_lazy("Options of the quiz and of the CRM"),
    "Existing": gettext_lazy("If the CRM has the person already"),
    "Repeated": gettext_lazy("If the person has an open lead"),
}
CONTACT_VALUES = ("name", "phone", "email", "company", "city")


def extra_of(rule: Rule) -> dict[str, Any]:
    """As it is over REST, which the editor works on."""
    found: dict[str, Any] = write_extra(rule, dialect_of(rule.account.crm)).get(EXTRA, {})
    return found


def checked_extra(account: Account, found: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """As it is stored, and what is wrong with each of its parts, in the reader's language."""
    dialect = dialect_of(account.crm)
    stored: dict[str, Any] = {}
    wrong: list[str] = []
    for part in ({key: said} for key, said in found.items()):
        try:
            stored |= read_extra(part, dialect)
        except Malformed as error:
            wrong += in_places([(error.at, error.message)])
        except ValidationError as error:
            wrong += _sentences(error.detail)
    return stored, wrong + in_places(
        (f"Routes[{number}].Then.{slot}", what)
        for number, route in enumerate(stored.get("routes", ()))
        for slot, what in foreign_tags(account, route["then"].get("tags_to_add", {}))
    )


def in_places(wrong: Iterable[tuple[str, str]]) -> list[str]:
    """Each (place below ``Extra``, message) as a sentence of the page."""
    return [say("{where}: {what}", where=_place(at), what=in_words(words)) for at, words in wrong]


def without_places(sentence: str) -> str:
    """For whoever sees the page and not the JSON behind it."""
    return re.sub(r" \([A-Z][\w.\[\]]*\)(?=: )", "", sentence)


def _place(path: str) -> str:
    """The part of the page that a place below ``Extra`` is in, and the place: «Route 1 (Routes[0].If)»."""
    part, _dot, _rest = path.partition(".")
    name, _bracket, number = part.rstrip("]").partition("[")
    if name not in _PARTS:
        return path or EXTRA
    words = f"{_PARTS[name]} {int(number) + 1}" if name == "Routes" and number else _PARTS[name]
    return say("{part} ({path})", part=words, path=path)


def routing_of(
    rule: Rule, questions: Mapping[str, Mapping[str, Any]], parts: list[dict[str, str]]
) -> dict[str, Any]:
    """What conditions may ask for and where routes may lead, by name; ``keys`` are the CRM's own."""
    dialect, can = dialect_of(rule.account.crm), connector_class(rule.account.crm).can.tasks
    keys = {column: name for name, column in dialect.places.items()}
    return {
        "keys": keys,
        "values": [
            {
                "title": _("Questions of the quiz"),
                "items": [
                    [f"{ANSWER}.{one}", str(words.get("title") or one), list(words.get("options", ()))]
                    for one, words in questions.items()
                ],
            },
            {
                "title": _("Contact form"),
                "items": [[f"{CONTACT}.{key}", name, []] for key, name in _contact(parts)],
            },
            {"title": "UTM", "items": [[f"{UTM}.{mark}", f"utm_{mark}", []] for mark in USUAL_MARKS]},
            {
                "title": _("The answer itself"),
                "items": [
                    ["sum", _("Sum"), []],
                    ["hour", _("Hour of the day (0 to 23)"), []],
                    ["weekday", _("Day of the week (1 is Monday)"), []],
                    ["page", _("Page"), []],
                    ["referrer", _("Referrer"), []],
                    ["result", _("Result of the quiz"), []],
                ],
            },
        ],
        "placements": _groups(placements(rule)),
        "performers": _groups(performers(rule.account, "")),
        "choices": [
            {
                "name": name_of(one),
                "title": in_words(one.word),
                "flag": one.is_flag,
                "typed": one.typed,
                "options": []
                if one.typed
                else _groups(entries(rule.account, one, "yes" if one.is_flag else "")),
            }
            for one in connector_class(rule.account.crm).can.choices
        ],
        # Nothing is asked where the CRM has no tasks, and ``refusal`` says why.
        "tasks": {"refusal": in_words(can.refusal), "departments": can.departments, "types": can.types},
        "repeated": [[way, str(_WAYS[way])] for way in WAYS] if dialect.can.joins else [],
        "texts": _texts(),
    }


def _contact(parts: list[dict[str, str]]) -> Iterator[tuple[str, str]]:
    usual = dict(
        zip(CONTACT_VALUES, (_("Name"), _("Phone"), _("E-mail"), _("Company"), _("City")), strict=True)
    )
    yield from (usual | {one["id"]: one["title"] for one in parts if one["id"] not in usual}).items()


def _groups(choices: Any) -> list[dict[str, Any]]:
    """Choices without the empty one, grouped where they are."""
    found: list[dict[str, Any]] = []
    for key, words in choices:
        if isinstance(words, list):
            found.append({"title": str(key), "items": [[one, str(name)] for one, name in words]})
        elif key:
            found.append({"title": "", "items": [[key, str(words)]]})
    return found


def told_extra(rule: Rule, extra: Mapping[str, Any]) -> dict[str, str]:
    """Each part in words: «Send only if», the texts, and the routes by number and name."""
    told: dict[str, str] = {}
    if send_if := extra.get("send_if"):
        told[_("Send only if")] = in_words(read_condition(send_if, "").words())
    for key, what in (("title", _("Title")), ("note", _("Note")), ("sum", _("Sum"))):
        if key in extra:
            told[what] = extra[key]
    for one in extra.get("values", ()):
        what = say("{record}: field {id}", record=RECORDS.get(one["record"], one["record"]), id=one["field"])
        told[what] = "; ".join(filter(None, (told.get(what), one["value"])))
    told |= told_options(rule, extra)
    if responsible := extra.get("responsible"):
        told[_("Who takes turns")] = "; ".join(_told_people(rule, responsible))
    told |= told_existing(rule, extra.get("existing", {}))
    if task := extra.get("task"):
        told[_("Task")] = _told_task(rule, task)
    if on_repeat := extra.get("repeated"):
        told[_("If there is an open lead")] = in_words(OnRepeat(**on_repeat).words())
    for number, route in enumerate(extra.get("routes", ()), start=1):
        what = say("Route {number}: {name}", number=number, name=route["name"])
        words = in_words(read_condition(route["if"], "").words())
        then = [*_told_then(rule, route["then"])]
        if "task" in route:
            then.append(say("task: {task}", task=_told_task(rule, route["task"])))
        told[what] = f"{words} → {', '.join(then)}"
    return told


def _told_people(rule: Rule, responsible: Mapping[str, Any]) -> Iterator[str]:
    if responsible.get("own"):
        yield _("whoever looks after the contact already")
    names = dict(flat(performers(rule.account, "")))
    for text, who in responsible.get("map", {}).items():
        yield f"{responsible['by']} «{text}»: {names.get(who, who)}"
    for one in responsible.get("people", ()):
        hours = ", ".join(f"{shift['From']}-{shift['To']}" for shift in one.get("hours", ()))
        away = ", ".join(f"{some['From']} – {some['To']}" for some in one.get("away", ()))
        words = (f"{names.get(one['performer'], one['performer'])} × {one['weight']}", hours, away)
        yield " / ".join(filter(None, words))


def _told_task(rule: Rule, task: Mapping[str, Any]) -> str:
    """Its text, until when, and who has it."""
    if not task:
        return _("none")
    until = ngettext("in %(number)s minute", "in %(number)s minutes", task["minutes"])
    now = task.get("performer", "")
    who = dict(flat(performers(rule.account, now))).get(now, now) if now else ""
    hours = ", ".join(f"{shift['From']}-{shift['To']}" for shift in task.get("hours", ()))
    numbers = (task.get("department", ""), task.get("type", ""))
    parts = (task["text"], until % {"number": task["minutes"]}, who, *numbers, hours)
    return " / ".join(map(str, filter(None, parts)))


def _told_then(rule: Rule, then: Mapping[str, Any]) -> Iterator[str]:
    account = rule.account
    if "pipeline" in then or "step" in then:
        imagined = Rule(
            account=account, pipeline=then.get("pipeline", rule.pipeline), step=then.get("step", "")
        )
        names = {one: words for group in _groups(placements(imagined)) for one, words in group["items"]}
        yield names.get(placed(imagined), str(DEFAULT[1]))
    if "performer" in then:
        now = then["performer"]
        yield str(dict(performers(account, now)).get(now, now))
    for choice in connector_class(account.crm).can.choices:
        if choice.key in then.get("choices", {}):
            now = then["choices"][choice.key]
            key = ("yes" if now else "no") if choice.is_flag else str(now)
            names = {} if choice.typed else dict(entries(account, choice, key))
            yield f"{in_words(choice.word)}: {names.get(key, key)}"
    if count := sum(len(items) for items in then.get("tags_to_add", {}).values()):
        yield say("tags: {count}", count=count)


def _sentences(detail: Any, path: str = "") -> Iterator[str]:
    """Every sentence of the contract's complaint with its place below ``Extra``."""
    for key, what in detail.items() if isinstance(detail, dict) else enumerate(detail):
        inside = f"{path}.{key}".strip(".") if isinstance(key, str) else path
        if isinstance(what, (dict, list)):
            yield from _sentences(what, inside)
        else:
            yield from in_places([(inside.removeprefix(f"{EXTRA}."), what)])


def _texts() -> dict[str, str]:
    return {
        "send_if": _("Send only if"),
        "send_all": _("Every answer is sent."),
        "routes": _("Routes: the first that fits counts, else what is said above"),
        "no_routes": _("All leads go where the rule says above."),
        "add_condition": _("Add a condition"),
        "add_route": _("Add a route"),
        "name": _("Name of the route"),
        "route": _("Route"),
        "all": _("all of these hold"),
        "any": _("one of these holds"),
        "value": _("What is asked for"),
        "test": _("How"),
        "text": _("Text"),
        "from": _("from"),
        "to": _("to"),
        "equals": _("is"),
        "not_equals": _("is not"),
        "oneOf": _("is one of"),
        "not_oneOf": _("is none of"),
        "contains": _("contains"),
        "not_contains": _("does not contain"),
        "between": _("is between"),
        "not_between": _("is not between"),
        "empty": _("is empty"),
        "filled": _("is not empty"),
        "placement": _("Pipeline and step"),
        "performer": _("Responsible"),
        "same": _("as in the rule"),
        "up": _("Move up"),
        "down": _("Move down"),
        "join": _("How these conditions go together"),
        "not_all": _("not all of these hold"),
        "not_any": _("none of these holds"),
        "group": _("Group of conditions"),
        "add_group": _("Add a group"),
        "lines": _("one a line"),
        "texts": _("Texts of the lead"),
        "texts_help": _(
            "Words and gaps such as {{ contact.name }}, {{ answer.ID }}, {{ utm.source | default('-') }}, "
            "{{ sum | number }}. What is empty is as usual."
        ),
        "title": _("Title"),
        "note": _("Note, above what was answered"),
        "sum": _("Sum"),
        "add_value": _("Add a text for a field"),
        "insert": _("Insert a value"),
        "turns": _("Who takes turns"),
        "turns_help": _(
            "Leads go round among these people, as often as their weights say, to those who work at that "
            "hour. Whom the answer names comes first. Nobody here: as the rule says above."
        ),
        "add_person": _("Add a person"),
        "person": _("Person"),
        "weight": _("Weight"),
        "hours": _("Working hours, such as 1-5 09:00-18:00"),
        "away": _("Absences, such as 2026-12-30 2027-01-08"),
        "by": _("Chosen by the answer to"),
        "by_none": _("not by an answer"),
        "add_text": _("Add an answer"),
        "task": _("Task for people on each new lead"),
        "task_help": _(
            "Made right after the lead. What the CRM does not take stands in the lead's note, and whether "
            "the task is done is seen among the outcomes."
        ),
        "task_text": _("What is to be done"),
        "task_minutes": _("Minutes until it is due"),
        "task_performer": _("Whose task"),
        "task_own": _("whoever looks after the lead"),
        "task_department": _("Number of the department"),
        "task_type": _("Number of the task's kind: 1 is a call, 2 a meeting"),
        "task_hours": _("Minutes count within these hours, such as 1-5 09:00-18:00"),
        "add_task": _("Add a task"),
        "no_task": _("No task on leads of this route"),
        "repeated": _("If the person has an open lead"),
        "repeated_help": _(
            "The CRM is asked for open leads of the person in the pipeline; what is closed or older does "
            "not count."
        ),
        "repeated_task": _("Set the rule's task there, too"),
        "within": _("Days since that lead was made, at most"),
    }
