"""What account owners do while answers arrive.

They disconnect and come back, choose the wrong account, save rules, and delete the step that a rule names;
told of it, they mend the rule.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from config.demo.errors import DemoFailed
from config.demo.http import tell
from config.openapi.quiz import QUIZ_ID
from tests.torture.customers import Customer
from tests.torture.schedule import SIGNED_IN, Blow
from tests.torture.world import Course, World, after, until

AWAY = 2.0  # seconds between disconnecting and connecting again
SAVES = 3  # of one rule, one after another without a pause
TOLD_WITHIN = 90.0  # seconds until the owner of a deleted step must have been told
ASK_EVERY = 0.5  # seconds between two requests of somebody who waits
STEP = {"amocrm": "StepID", "bitrix24": "StageID", "envybox": "StepID"}  # as each CRM's rule calls it


def disconnect(world: World, blow: Blow) -> Course:
    """And connect the same account again: its rule and what waits must go on."""
    victim = world.customers[blow.whom]
    gone = victim.service.send("DELETE", f"{victim.scenario.prefix}/account")
    if gone.status != 200:
        raise OSError(f"DELETE account answered {gone.status}")
    world.hurt[blow.what] += 1
    yield from after(AWAY)
    yield from _connected(world, victim)


def choose_another(world: World, blow: Blow) -> Course:
    """The owner picks another account of the CRM on the consent page (or posts another one's keys)."""
    victim = world.customers[blow.whom]
    other = tell(world.environment.control_url, victim.kind, "accounts", count=1)[0]
    place = {"remote": other["id"], "name": other["subdomain"], "url": other["url"], "port": other["port"]}
    if not rows_of(world, victim):
        raise OSError("the account is on its way at this moment, and another one may take its place")
    with suppress(DemoFailed):  # it is refused in words; ``rows_of`` tells whether it was
        replace(victim, **place).connect(world.environment)
    world.hurt[blow.what] += 1
    yield


def save_rule(world: World, blow: Blow) -> Course:
    """Read the rule and send it back as it is, several times at once."""
    victim = world.customers[blow.whom]
    page = f"{victim.scenario.prefix}/rules/{QUIZ_ID}"
    rule = victim.service.send("GET", page)
    if rule.status != 200:
        raise OSError(f"GET {page} answered {rule.status}")
    for _ in range(SAVES):
        victim.service.send("PATCH", page, rule.json())
    world.hurt[blow.what] += 1
    yield


def delete_step(world: World, blow: Blow) -> Course:
    """The step of the rule is deleted in the CRM; told of it, its owner chooses another one."""
    victim = world.customers[blow.whom]
    page, name = f"{victim.scenario.prefix}/rules/{QUIZ_ID}", STEP[victim.kind]
    rule = victim.service.send("GET", page)
    if rule.status != 200:
        raise OSError(f"GET {page} answered {rule.status}")
    left = _without(world, victim, rule.json()["PipelineID"], rule.json()[name])
    if left is None:
        raise OSError("no step may be deleted")
    world.hurt[blow.what] += 1
    told = yield from until(lambda: _told(world, victim, page), TOLD_WITHIN, ASK_EVERY)
    if not told:
        world.missed[f"{blow.what}: its owner was not told"] += 1
    yield from until(lambda: _patched(victim, page, {name: left}), TOLD_WITHIN, ASK_EVERY)


def _connected(world: World, victim: Customer) -> Iterator[None]:
    """Owners try until it works: anything may be down at this moment."""

    def try_it() -> bool:
        with suppress(OSError, DemoFailed):
            victim.connect(world.environment)
            return True
        return False

    yield from until(try_it, 120.0, ASK_EVERY)


def _told(world: World, victim: Customer, page: str) -> bool:
    """By a problem of the rule, or by a delivery that is held for it."""
    held = world.watch.rows(
        "SELECT 1 FROM rules_delivery WHERE owner = %s AND state = 'held' AND held_because = 'fix_rule' "
        "LIMIT 1",
        victim.id,
    )
    with suppress(OSError):
        rule = victim.service.send("GET", page)
        told = json.dumps(rule.json()["Problems"]) if rule.status == 200 else ""
        return bool(held) or "step" in told
    return bool(held)


def _patched(victim: Customer, page: str, change: Mapping[str, Any]) -> bool:
    with suppress(OSError):
        return victim.service.send("PATCH", page, change).status == 200
    return False


def _without(world: World, victim: Customer, pipeline: Any, step: Any) -> Any:
    """Delete the step in the CRM; another one of the pipeline, or None where there is no other."""
    state = tell(world.environment.control_url, victim.kind, "state", account=victim.remote)
    others = STEPS_BESIDE[victim.kind](state, pipeline, step)
    if not others:
        return None
    reply = tell(
        world.environment.control_url,
        victim.kind,
        "delete_step",
        account=victim.remote,
        **WHERE_IT_IS[victim.kind](pipeline, step),
    )
    if isinstance(reply, dict) and "error" in reply:
        return None
    return others[0]


def _amocrm_beside(state: Mapping[str, Any], pipeline: Any, step: Any) -> list[Any]:
    """Steps after which a lead is still open: the last two of a pipeline are won and lost."""
    steps = [int(number) for number in state["pipelines"].get(str(pipeline), {})]
    return [number for number in steps if number not in (step, 142, 143)][1:]  # the first one takes incoming


def _bitrix24_beside(state: Mapping[str, Any], pipeline: Any, step: Any) -> list[Any]:
    stages = state["statuses"].get(f"DEAL_STAGE_{pipeline}" if pipeline else "DEAL_STAGE", {})
    return [name for name in stages if name != step and not name.endswith(("WON", "LOSE", "APOLOGY"))]


STEPS_BESIDE: Mapping[str, Callable[[Mapping[str, Any], Any, Any], list[Any]]] = {
    "amocrm": _amocrm_beside,
    "bitrix24": _bitrix24_beside,
}
WHERE_IT_IS: Mapping[str, Callable[[Any, Any], dict[str, Any]]] = {
    "amocrm": lambda pipeline, step: {"pipeline_id": pipeline, "step_id": step},
    "bitrix24": lambda pipeline, step: {
        "entity_id": f"DEAL_STAGE_{pipeline}" if pipeline else "DEAL_STAGE",
        "status_id": step,
    },
}


# -- what must be so at the end -----------------------------------------------------------------------------


def rows_of(world: World, customer: Customer) -> list[tuple[Any, ...]]:
    """The customer's live account as the database has it: (id, the CRM's account id)."""
    return world.watch.rows(
        "SELECT id, remote_id FROM accounts_account WHERE account_id = %s AND NOT deleted", customer.id
    )


def astray(world: World, before: Mapping[str, list[tuple[Any, ...]]]) -> list[str]:
    """Customers whose account is not the row, or not the CRM account, that it was at the start."""
    return [one for one, rows in before.items() if rows_of(world, world.customers[one]) != rows]


def doubled_fields(world: World) -> int:
    """Fields of one record type with the same name, beyond the first, where we make fields."""
    found = 0
    for customer in world.customers.values():
        if customer.kind in SIGNED_IN:
            state = tell(world.environment.control_url, customer.kind, "state", account=customer.remote)
            for fields in state["fields"].values():
                names = [str(field.get("label", field["name"])) for field in fields]
                found += len(names) - len(set(names))
    return found
