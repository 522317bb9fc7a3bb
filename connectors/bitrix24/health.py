"""Is the portal fit for deliveries, and what should its owner mend?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connectors.bitrix24.batch import Outcome, Reply
from connectors.bitrix24.facts import Facts
from connectors.bitrix24.identity import is_admin
from connectors.bitrix24.new_fields import TAGGED, TRACKED
from connectors.draft import Problem

USER_SCOPES = frozenset({"user", "user_basic", "user_brief"})


def problems_of(
    answers: Mapping[str, Reply], scopes: Outcome, facts: Facts, held: Sequence[str]
) -> tuple[Problem, ...]:
    return (*_rights(answers), *_scopes(scopes), *_fields(facts), *_budget(held))


def _rights(answers: Mapping[str, Reply]) -> Iterator[Problem]:
    me = answers["profile"].value
    if not (isinstance(me, dict) and is_admin(me)):
        message = "The connection isn't an administrator's: fields can't be made, and lists may be shorter."
        yield Problem("not_admin", message)


def _scopes(scopes: Outcome) -> Iterator[Problem]:
    """What an answer to ``scope`` lacks; no answer proves nothing."""
    granted = set(scopes.value) if isinstance(scopes, Reply) and isinstance(scopes.value, list) else None
    if granted is None:
        return
    if "crm" not in granted:
        yield Problem("no_scope", "The application lacks the right “crm”: nothing can be delivered.")
    if not USER_SCOPES & granted:
        yield Problem("no_scope", "The application lacks the right “user”: users can't be read.")


def _fields(facts: Facts) -> Iterator[Problem]:
    if missing := [entity for entity in TAGGED if entity not in facts.tag_fields]:
        names = ", ".join(missing)
        yield Problem("no_tag_field", f"There is no field for tags on {names}: tags go into the comment.")
    if missing := [entity for entity in TRACKED if entity not in facts.tracking_fields]:
        message = f"There is no field for analytics on {', '.join(missing)}: client ids go into the comment."
        yield Problem("no_tracking_field", message)


def _budget(held: Sequence[str]) -> Iterator[Problem]:
    if held:
        names = ", ".join(held)
        yield Problem("operating_limit", f"The portal's time budget for {names} is nearly used up: we wait.")
