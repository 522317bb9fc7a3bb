"""Versions of a rule: what it said, since when, and who had it say so.

Each change of what a rule says, and of whether it works, is a row, written in the transaction of the change
under the rule's lock. ``Rule.current`` is the newest; a delivery names the one by which it was sent last.
"""

from __future__ import annotations

import copy
from typing import Any

from accounts.history import Actor
from rules.mapping.contact_map import derive_contact_map
from rules.models import Rule, RuleVersion

Event = RuleVersion.Event
CONTENT = ("performer", "pipeline", "step", "choices", "fields_rule", "tags_to_add", "extra", "quiz")
MAPPING = CONTENT[:-1]  # what is brought back: the quiz's configuration is a fact about the quiz


def content_of(rule: Rule) -> dict[str, Any]:
    """What the rule says, as it is stored."""
    return {name: getattr(rule, name) for name in CONTENT}


def said_by(version: RuleVersion) -> dict[str, Any]:
    """What would be brought back of a version; the oldest say nothing of ``extra``."""
    return {name: version.said.get(name, {}) for name in MAPPING}


def rule_as_of(rule: Rule, version: RuleVersion | None) -> Rule:
    """The rule as this version has it, for reading; as it is where there is none or nothing changed since.
    The quiz's configuration is today's, and so is what the account's lists say."""
    if version is None or version.pk == rule.current_id:
        return rule
    then = copy.copy(rule)
    then.current = version
    for name, value in said_by(version).items():
        setattr(then, name, value)
    then.contact_map = derive_contact_map(then)
    return then


def write(rule: Rule, event: Event, actor: Actor, restored: int | None = None) -> None:
    """Keep the rule as it is now as its newest version. The caller has locked it in a transaction."""
    newest = rule.versions.values_list("number", flat=True).first() or 0
    rule.current = RuleVersion.objects.create(
        rule=rule,
        number=newest + 1,
        event=event,
        restored=restored,
        said=content_of(rule),
        by=actor.by,
        who=actor.called(rule.account.account_id),
    )
    Rule.objects.filter(pk=rule.pk).update(current=rule.current)
