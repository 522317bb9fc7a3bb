"""solOS for one account: what we ask of it.

API v2 of 2021 reads projects (solos.pro/api/v2/projects), API v1 makes leads (the vendor's samples,
github.com/artlevitan/solos-examples). Quirks, and what nobody could confirm: ``NOTES.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.base import Capabilities, Choice, Connector, Identity, Journal, Named, TaskSupport
from connectors.delivery import deliver, each, trace_of
from connectors.draft import Exchange, LeadDraft, Placement, Plan, PlannedRequest, Problem, Receipt
from connectors.errors import ConnectorError
from connectors.http import HttpClient
from connectors.lead_status import Followed, LeadStatus
from connectors.messages import message
from connectors.rows import Row
from connectors.solos import lists, recovery
from connectors.solos.auth import V1, Facts, KeyPair, identify, more_shapes, which_api
from connectors.solos.client import Client, create_body
from connectors.solos.delivery import NO_LEADS, Item, send
from connectors.solos.errors import SolosResponses
from connectors.solos.following import Following
from connectors.solos.options import SOURCE
from connectors.solos.records import ENTITY, holds_several, pack
from connectors.solos.rest import REST
from connectors.survey import SurveyPage

ONLY_V1 = message("solOS shows us no projects (API v2): leads are delivered, lists stay as they are.")


class SolosConnector(Connector):
    """One solOS account."""

    auth_class = KeyPair
    can = Capabilities(
        credentials=("token", "secret"),
        follow=10,
        records=("project",),
        observes=True,
        lists=("users", "pipelines", "steps", "fields"),
        entities={"lead": ENTITY, "contact": "contacts"},
        choices=(Choice(SOURCE, message("Number of the lead's source"), typed=True, name="SourceID"),),
        tasks=TaskSupport(message("solOS documents no method that makes a task")),
    )
    rest = REST

    def __init__(self, *given: Any) -> None:
        """Whether leads can be looked for is the account's own: an option allows it, a trial proved it."""
        super().__init__(*given)
        if self.options.probe_leads and self.facts.leads_readable:
            self.can = replace(type(self).can, find_by_external_id=True, surveys=True)

    @property
    def facts(self) -> Facts:
        return Facts.read(self.remote.facts)

    # -- connecting ---------------------------------------------------------------------------------

    def identify(self) -> Identity:
        return identify(self.client(), self.remote)

    def prepare(self) -> Mapping[str, Any]:
        """Keep the shape of answers; try whether leads can be read back, where the operator allows to."""
        known = self.facts.shapes
        seen = more_shapes(self.client(), known) if self.facts.api != V1 else {}
        found: dict[str, Any] = {"shapes": {**seen, **known}}
        if self.options.probe_leads:
            found["leads_readable"] = recovery.readable(self.client())
        return found

    def check(self) -> tuple[Problem, ...]:
        api, _ = which_api(self.client())
        return (Problem("v1_only", ONLY_V1),) if api == V1 else ()

    # -- mirroring ----------------------------------------------------------------------------------

    def pages_of(self, what: str) -> Iterator[Sequence[Row]]:
        """Nothing to see where projects are closed; that is no failure."""
        if self.facts.api != V1:
            yield lists.ALL[what](self.client())

    # -- rules --------------------------------------------------------------------------------------

    holds_several = staticmethod(holds_several)

    @classmethod
    def named(cls, place: Placement, facts: Mapping[str, Any]) -> tuple[Named, ...]:
        """A lead is in no funnel yet: what the rule says of it goes along as words, so nothing is vital."""
        return tuple(replace(one, vital=False) for one in super().named(place, facts))

    # -- delivering ---------------------------------------------------------------------------------

    def deliver(self, drafts: Sequence[LeadDraft], journal: Journal) -> list[Receipt | ConnectorError]:
        """An account that no longer shows leads is not asked again: a person looks then."""

        def begin(draft: LeadDraft) -> Item:
            return Item.begin(draft, self.options, self.remote.base_url, self.can.find_by_external_id)

        def one(item: Item) -> None:
            send(self.client(trace_of(item)), item, journal)

        outcomes = deliver(drafts, begin, lambda items: each(items, one))
        if any(isinstance(error, ConnectorError) and error.code == NO_LEADS for error in outcomes):
            self.can = type(self).can
        return outcomes

    def plan(self, draft: LeadDraft) -> Plan:
        payload = pack(draft, self.options)
        url = self.remote.base_url + self.options.create_path
        request = PlannedRequest(
            "POST", url, create_body(self.options, payload.lead), message("create the lead")
        )
        return Plan((request,), payload.losses, payload.problems)

    def find_all(self, uids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Among the newest leads."""
        if not self.can.find_by_external_id:
            return super().find_all(uids)
        return recovery.find_all(self.client(), uids)

    def survey(self, since: datetime, place: Mapping[str, Any]) -> SurveyPage:
        """The newest leads, in one go."""
        if not self.can.surveys:
            return super().survey(since, place)
        return recovery.survey(self.client(), since)

    # -- following ----------------------------------------------------------------------------------

    def follow(self, leads: Sequence[Followed]) -> list[LeadStatus | ConnectorError | None]:
        """Where projects are closed to us, nobody knows."""
        if self.facts.api == V1 or not leads:
            return [None] * len(leads)
        return Following(self.client(), self.can.find_by_external_id).run(leads)

    # -- requests -----------------------------------------------------------------------------------

    def client(self, on_exchange: Callable[[Exchange], None] | None = None) -> Client:
        return Client(self.http_client(on_exchange), self.options)

    def http_client(self, on_exchange: Callable[[Exchange], None] | None = None) -> HttpClient:
        reader = SolosResponses(any_2xx=self.options.success == "status")
        headers = {"User-Agent": self.options.user_agent}
        return self.client_at(self.remote.base_url, reader, on_exchange, headers)
