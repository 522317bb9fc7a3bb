"""What a rule, as it is on the page, makes of an answer: the lead as the CRM shows it. Nothing is sent."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from accounts.texts import say, to_the_minute
from connectors.draft import LeadDraft
from rules.admin.offers import RECORDS
from rules.mapping.option_map import chosen_words
from rules.mapping.quiz import newest_answers
from rules.mapping.rule_snapshot import RuleSnapshot
from rules.models import Answer, Rule
from rules.preview import known_people, preview
from rules.rule_save import apply_changes

OFFERED = 20


def answers_of(rule: Rule) -> list[tuple[int, str]]:
    """(key, when and who) of the newest answers that can be shown."""
    rows = newest_answers(rule).only("pk", "created_at", "payload")[:OFFERED]
    return [(row.pk, f"{to_the_minute(row.created_at)} {_who(row)}") for row in rows]


def changed(rule: Rule, changes: Mapping[str, Any], choices: Mapping[str, Any]) -> Rule:
    """The rule as it would be saved; the row stays as it is. Raises ``ApiError`` for foreign tags."""
    imagined = copy.copy(rule)
    imagined.choices = {**rule.choices, **choices}
    apply_changes(imagined, changes)
    return imagined


def shown(rule: Rule, answer: Answer) -> dict[str, Any]:
    """The template's context: ``problems``, and unless they stop the lead, or the rule leaves it out, what it
    would be."""
    found = preview(rule, answer.payload, answer.created_at)
    snapshot, draft, plan = found.rule, found.draft, found.plan
    if draft is None:
        return {"problems": plan.problems, "route": found.route, "left_out": found.left_out}
    return {
        "problems": plan.problems,
        "route": found.route,
        "repeated": snapshot.on_repeat.words() if snapshot.on_repeat else "",
        "lead": list(_lead(draft, snapshot)),
        "records": list(_records(draft, snapshot, plan.losses)),
        "losses": plan.losses,
        "known_people": list(known_people(snapshot)),
        "note": draft.note,
        "requests": [replace(one, body=_readable(one.body)) for one in plan.requests],
    }


def _lead(draft: LeadDraft, snapshot: RuleSnapshot) -> Iterator[tuple[str, str]]:
    places = [seen.name if seen else one.remote_id for one, seen in snapshot.named if one.vital]
    performer = snapshot.seen_performer.name if snapshot.seen_performer and draft.placement.performer else ""
    person = draft.person
    default = _("the CRM's default")
    yield _("Title"), draft.title
    yield _("Pipeline and step"), " / ".join(places) or default
    yield _("Responsible"), performer or default
    for name, value in (
        (_("Sum"), draft.price),
        (_("Contact"), person.name),
        (_("Phone"), ", ".join(person.phones)),
        (_("E-mail"), ", ".join(person.emails)),
        (_("Company"), draft.company),
        (_("Tags"), ", ".join(dict.fromkeys(tag.name for tag in draft.tags))),
        (_("Task"), _task(draft, snapshot)),
        ("UTM", "\n".join(f"{mark}: {value}" for mark, value in draft.utm.items())),
    ):
        if value:
            yield name, value


def _task(draft: LeadDraft, snapshot: RuleSnapshot) -> str:
    if not (task := draft.task):
        return ""
    until = f"{task.due:%d.%m.%Y %H:%M}"
    seen = snapshot.seen_people.get(task.performer)
    who = seen.name if seen else say("department {number}", number=task.department) if task.department else ""
    return ", ".join(filter(None, (until, who))) + f"\n{task.text}"


def _records(
    draft: LeadDraft, snapshot: RuleSnapshot, losses: Any
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Filled fields by kind of record, but for values that are only in the note."""
    lost = {(loss.question, loss.field_id) for loss in losses}
    for record, entity in snapshot.entities.items():
        values = [
            (value.target.name, chosen_words(value))
            for value in draft.values
            if value.target.entity == entity and (value.question, value.target.remote_id) not in lost
        ]
        if values:
            yield str(RECORDS.get(record, record)), values


def _readable(body: Any) -> str:
    return "" if body is None else json.dumps(body, ensure_ascii=False, indent=2, default=str)


def _who(answer: Answer) -> str:
    contact = answer.payload.get("contact")
    said = contact if isinstance(contact, dict) else {}
    return next((str(said[key]) for key in ("name", "phone", "email") if said.get(key)), answer.answer_id)[
        :60
    ]
