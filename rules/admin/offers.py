"""What the selects of a rule's form offer: people, steps under their pipelines, entries of directories.

Whatever the rule names today is offered too, even where the CRM no longer has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from accounts.texts import say
from connectors.base import Choice, Named
from connectors.draft import Placement
from connectors.registry import connector_class
from crm_cache.models import CrmUser, Pipeline, Step
from rules.mapping.rule_snapshot import seen_of
from rules.models import Rule

Choices = list[tuple[str, Any]]
DEFAULT = ("", _("The CRM's own default"))
RECORDS: dict[str, str | Promise] = {
    "lead": _("Lead"),
    "deal": _("Deal"),
    "contact": _("Contact"),
    "company": _("Company"),
    "customer": _("Customer"),
}
YES_OR_NO = [("yes", _("Yes")), ("no", _("No"))]
BETWEEN = "|"  # a step's id says nothing without its pipeline's: some CRMs repeat them in every pipeline
ANY_STEP = "0"  # stands for a step when a connector is asked where a pipeline's steps are


def performers(account: Account, now: str) -> Choices:
    """Who works there."""
    people = CrmUser.objects.filter(account=account)
    rows = people.filter(deleted=False, active=True).order_by("name").values_list("remote_id", "name")
    offered = [DEFAULT, *((remote_id, name or remote_id) for remote_id, name in rows)]
    if now in dict(offered):
        return offered
    gone = people.filter(remote_id=now).first()
    return [*offered, (now, say("{name} (not available any more)", name=gone or say("User {id}", id=now)))]


def placed(rule: Rule) -> str:
    return f"{rule.pipeline}{BETWEEN}{rule.step}" if rule.pipeline or rule.step else ""


def placements(rule: Rule) -> Choices:
    """Steps under their pipelines, of those that a rule of this CRM can name."""
    account, now = rule.account, placed(rule)
    steps = list(Step.objects.filter(account=account, deleted=False).order_by("sort", "id"))
    offered: Choices = [DEFAULT]
    for line in Pipeline.objects.filter(account=account, deleted=False).order_by("sort", "id"):
        named = _named(account, line.remote_id, ANY_STEP)
        if any(_is(one, line) for one in named):
            offered.append((str(line), _group(line, steps, named)))
    known = {key for _, group in offered[1:] for key, _ in group} | {""}
    return (
        offered
        if now in known
        else [*offered, (now, say("{name} (not in the CRM any more)", name=gone_place(rule)))]
    )


def flat(choices: Choices) -> Iterator[tuple[str, Any]]:
    """Choices without their groups."""
    for key, words in choices:
        if isinstance(words, list):
            yield from words
        else:
            yield key, words


def entries(account: Account, choice: Choice, now: Any) -> Choices:
    """A directory of the CRM, or yes and no where there is none."""
    if not choice.directory:
        return YES_OR_NO
    rows = Step.objects.filter(account=account, entity=choice.directory)
    offered = [
        DEFAULT,
        *((row.remote_id, str(row)) for row in rows.filter(deleted=False).order_by("sort", "id")),
    ]
    if now in dict(offered):
        return offered
    gone = rows.filter(remote_id=now).first()
    return [*offered, (now, say("{name} (not in the CRM any more)", name=gone or now))]


def _named(account: Account, pipeline: str, step: str) -> tuple[Named, ...]:
    """Pipeline and step in the connector's own words; directories beside them don't matter here."""
    return connector_class(account.crm).named(Placement(pipeline=pipeline, step=step), account.facts)


def _is(one: Named, line: Pipeline) -> bool:
    return one.what == "pipelines" and (one.entity, one.remote_id) == (line.entity, line.remote_id)


def _group(line: Pipeline, steps: list[Step], named: tuple[Named, ...]) -> Choices:
    where = next((one for one in named if one.what == "steps" and _is_stage(one, line)), None)
    inside = [step for step in steps if where and _is_in(where, step)]
    first = (f"{line.remote_id}{BETWEEN}", say("{line} / first step", line=line))
    return [first, *((f"{line.remote_id}{BETWEEN}{step.remote_id}", f"{line} / {step}") for step in inside)]


def _is_stage(one: Named, line: Pipeline) -> bool:
    """A stage, no entry of a directory; where leads are in no pipeline yet, none of them is vital."""
    return one.vital or one.pipeline == line.remote_id


def _is_in(where: Named, step: Step) -> bool:
    return step.entity == where.entity and where.pipeline in ("", step.pipeline_id)


def gone_place(rule: Rule) -> str:
    """What our cache still knows of a place that the CRM no longer has."""
    named = _named(rule.account, rule.pipeline, rule.step)
    seen = [(one, seen_of(rule.account, one)) for one in [one for one in named if one.vital] or named]
    names = [(row.name if row else "") or one.remote_id for one, row in seen]
    return " / ".join([*names, *([] if rule.step else [say("first step")])])
