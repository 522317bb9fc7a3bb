"""Which way an answer goes by its rule: left out, by the first fitting route, or by the rule itself. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.messages import message
from rules.mapping.rule_snapshot import RuleSnapshot
from rules.mapping.values import AnswerValues


@dataclass(frozen=True, slots=True)
class Way:
    """``rule`` is the snapshot by which the draft is made, ``route`` its route's name, empty for the rule
    itself. ``left_out`` says why nothing is to be sent; empty where it is."""

    rule: RuleSnapshot
    route: str = ""
    left_out: str = ""


def way_of(
    snapshot: RuleSnapshot,
    payload: Mapping[str, Any],
    answered_at: datetime,
    *,
    kept: str | None = None,
    wanted: bool = False,
) -> Way:
    """The way of one answer.

    ``kept`` is the route of a lead that may be there already, which stays on it whatever a later body or a
    changed rule would choose; ``wanted``: somebody wants it sent whatever the rule's condition says.
    """
    if kept is not None:
        return Way(by_route(snapshot, kept), kept)
    if snapshot.send_if is None and not snapshot.routes:
        return Way(snapshot)
    values = values_of(snapshot, payload, answered_at)
    if snapshot.send_if and not wanted and not snapshot.send_if.holds(values):
        broken = snapshot.send_if.broken_by(values)
        words = message("The rule's condition leaves it out: {condition}", condition=broken.words())
        return Way(snapshot, left_out=words)
    for route in snapshot.routes:
        if route.condition.holds(values):
            return Way(route.rule, route.name)
    return Way(snapshot)


def by_route(snapshot: RuleSnapshot, name: str) -> RuleSnapshot:
    """The rule as the route of this name has it; the rule's own where it has no such route any more."""
    return next((route.rule for route in snapshot.routes if route.name == name), snapshot)


def values_of(snapshot: RuleSnapshot, payload: Mapping[str, Any], answered_at: datetime) -> AnswerValues:
    """What the rule may ask of an answer."""
    at = answered_at.astimezone(snapshot.zone)
    return AnswerValues(payload, at, snapshot.region, snapshot.language)
