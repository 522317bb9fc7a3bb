"""What a rule makes of an answer, before anything is sent: for REST, and for the rule's own page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.access import connector_for
from connectors.draft import LeadDraft, Plan
from connectors.errors import RuleNeedsFixing
from connectors.messages import message
from connectors.redact import redact
from crm_cache.lookup import by_key
from rules.delivery.assignment import foreseen
from rules.mapping.checks import problems_of
from rules.mapping.drafting import Progress, draft_for
from rules.mapping.existing import words_of
from rules.mapping.routes import way_of
from rules.mapping.rule_snapshot import RuleSnapshot, read_snapshot
from rules.models import Rule

MARK = "qzpreview0000000"


@dataclass(frozen=True, slots=True)
class Preview:
    """``plan`` has the rule's problems, too. It has no requests, and there is no ``draft``, where the rule
    leaves the answer out (``left_out`` says why) or can't deliver."""

    rule: RuleSnapshot
    route: str
    left_out: str
    plan: Plan
    draft: LeadDraft | None = None


def preview(rule: Rule, payload: Mapping[str, Any], answered_at: datetime) -> Preview:
    """Of one answer. Raises ``OurMistake`` where we may not talk to the account's host."""
    snapshot = read_snapshot(rule, rule.account)
    nothing = Plan((), (), problems_of(snapshot))
    way = way_of(snapshot, payload, answered_at)
    if way.left_out:
        return Preview(way.rule, way.route, way.left_out, nothing)
    its_rule = foreseen(way.rule, payload, answered_at)
    try:
        draft = draft_for(its_rule, payload, Progress(MARK, answered_at, now=timezone.now()))
    except RuleNeedsFixing:
        return Preview(its_rule, way.route, "", nothing)
    plan = connector_for(rule.account).plan(draft)
    requests = tuple(replace(one, url=redact(one.url)) for one in plan.requests)
    problems = (*nothing.problems, *plan.problems)
    return Preview(its_rule, way.route, "", replace(plan, requests=requests, problems=problems), draft)


def known_people(snapshot: RuleSnapshot) -> Iterator[tuple[str, str]]:
    """(whom it is about, what becomes of it): what the rule does where the CRM has the person already."""
    yield from words_of(snapshot.existing, by_key(snapshot.fields.values()), snapshot.entities)
    if snapshot.responsible.own:
        yield message("Responsible"), message("whoever looks after the contact already")
