"""The florist: an account in the local Envybox and our connector for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.auth import Tokens
from connectors.base import Remote
from connectors.draft import FieldValue, Option, Placement, Target
from connectors.envybox.auth import ApiKey
from connectors.envybox.connector import EnvyConnector
from connectors.envybox.options import EnvyOptions
from connectors.hosts import HostPolicy
from connectors.limiter import NoRateLimiter
from connectors.registry import host_policy
from connectors.sandbox.envybox import Crm, EnvySandbox
from tests.connectors.cast import Store

ENVY_HOSTS = r"https://[^/]+\.envycrm\.com/"
ENDS = {"won": 2003, "lost": 2004}
ELEMENTS = {"lead": 1, "client": 2, "deal": 3}


@dataclass
class Florist:
    """The sandbox, the account, and our connector for it."""

    box: EnvySandbox
    crm: Crm
    store: Store
    options: EnvyOptions = field(default_factory=EnvyOptions)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def hosts(self) -> HostPolicy:
        return host_policy(self.options, frozenset())

    @property
    def connector(self) -> EnvyConnector:
        facts = {"user_id": str(self.crm.user_id), **self.facts}
        remote = Remote(f"https://{self.crm.host}", str(self.crm.id), facts)
        return EnvyConnector(remote, ApiKey(self.store), NoRateLimiter(), self.options, self.hosts)

    @property
    def leads(self) -> list[dict[str, Any]]:
        return self.box.ledger()

    @property
    def person(self) -> str:
        """Somebody who can be responsible."""
        return str(next(iter(self.crm.employees)))

    def place(self, pipeline: str = "Квизы", step: str = "Дозвон", **more: Any) -> Placement:
        """A deal at once, at its step; ``more`` are choices."""
        line = self.crm.line(pipeline)
        choices = {"LeadFlag": False, **more}
        return Placement(self.person, str(line.id), str(line.named(step).id), choices=choices)

    def value(self, name: str, text: str | tuple[str, ...], entity: str = "lead") -> FieldValue:
        one = self.crm.input(name, ELEMENTS[entity])
        return FieldValue(Target(entity, str(one.id), name, str(one.type_id), one.name_id), f"{name}?", text)

    def take(self, lead_id: str) -> str:
        """Somebody takes a lead into work, unless that was done; its newest deal."""
        lead = self.crm.leads[int(lead_id)]
        if not (lead.deals or lead.parent_id):
            self.control("take", id=lead.id, employee_id=self.person)
        return str(self.crm.leads[lead.parent_id or lead.id].deals[-1])

    def end(self, lead_id: str, status: str) -> str:
        """A lead's deal is won or lost, in its own funnel."""
        deal = self.take(lead_id)
        stages = self.crm.pipelines[self.crm.deals[int(deal)].pipeline_id].stages.values()
        stage = next(stage.id for stage in stages if stage.status_id == ENDS[status])
        self.control("move", id=deal, stage_id=stage)
        return deal

    def erase(self, lead_id: str) -> None:
        """A lead is deleted, and its deals with it."""
        for deal in self.crm.leads[int(lead_id)].deals:
            self.control("delete", kind="deal", id=deal)
        self.control("delete", kind="lead", id=lead_id)

    def control(self, operation: str, **arguments: Any) -> Any:
        return self.box.control(operation, {"account": self.crm.id, **arguments})

    def methods(self) -> list[str]:
        """The methods that were called since the journal was cleared."""
        return [entry.route.split(" ")[1] for entry in self.box.journal]

    def deals(self) -> list[Any]:
        return list(self.crm.deals.values())


def option(number: int, text: str) -> Option:
    return Option(str(number), text)


def connect(box: EnvySandbox, crm: Crm) -> Florist:
    return Florist(box, crm, Store(Tokens(crm.key)))
