"""Bitrix24 for one portal: what we ask of it.

REST v2, the classic CRM methods: apidocs.bitrix24.com. Quirks: ``NOTES.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Any

from connectors.base import Capabilities, Connector, FieldWish, Identity, Journal, Named, TaskSupport
from connectors.bitrix24 import delivery, fields, following, lists, update
from connectors.bitrix24.auth import BitrixSignIn
from connectors.bitrix24.client import Command, OperatingBudget, Portal, Story, rows, speed_at
from connectors.bitrix24.errors import BitrixResponses
from connectors.bitrix24.fields import chooses, holds_several
from connectors.bitrix24.options import OFFERED
from connectors.bitrix24.phones import ask_how, matching_at
from connectors.bitrix24.portal import (
    Facts,
    ask_portal,
    ask_vendor,
    problems_of,
    read_facts,
    read_identity,
    server_of,
)
from connectors.bitrix24.records import payload_of
from connectors.bitrix24.recovery import carrying, search, survey
from connectors.bitrix24.requests import BatchRequests, BitrixItem
from connectors.bitrix24.stories import StoryPool
from connectors.delivery import NoJournal, Outcome, compare, deliver
from connectors.draft import Comparison, Exchange, LeadDraft, Placement, Plan, Problem, Target
from connectors.errors import ConnectorError
from connectors.http import HttpClient
from connectors.lead_status import Followed, LeadStatus
from connectors.limiter import RateLimiter
from connectors.rows import Row
from connectors.survey import SurveyPage

MONTH = 30 * 24 * 3600
ENTITIES = {"lead": "CRM_LEAD", "deal": "CRM_DEAL", "contact": "CRM_CONTACT", "company": "CRM_COMPANY"}


class BitrixConnector(Connector):
    """One Bitrix24 portal."""

    can = Capabilities(
        oauth=True,
        portal_first=True,
        batch=150,
        parallel=6,  # requests that take 2 s each make use of 2 a second while one of these is settled
        spread=25,  # a batch sends one request after the other
        find_by_external_id=True,
        surveys=True,
        creates_fields=True,
        updates=True,
        joins=True,
        deletes_leads=True,
        records=("deal", "lead"),
        follow=50,  # a page of a list
        hooks=True,
        tells_rights=True,
        existing=("contact", "company"),
        tells_owner=True,
        refresh_every=MONTH,  # a used token is renewed when it has run out, an idle one once a month
        lists=("users", "pipelines", "steps", "fields"),
        entities=ENTITIES,
        choices=OFFERED,
        tasks=TaskSupport(""),
    )

    sign_in = staticmethod(BitrixSignIn)

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.pool = StoryPool()

    @cached_property
    def facts(self) -> Facts:
        return Facts.read(self.remote.facts)

    @property
    def budget(self) -> OperatingBudget:
        return OperatingBudget(self.limiter, self.options.operating_limit, speed_at(self.remote.base_url))

    @property
    def lang(self) -> str:
        return str(self.remote.facts.get("lang") or "ru")

    # -- connecting ---------------------------------------------------------------------------------

    def identify(self) -> Identity:
        """The portal in its own words, then in the vendor's: only the portal makes us renew an old token."""
        answers = ask_portal(self.portal())
        server = server_of(self.remote.facts)
        install = ask_vendor(self.options, self.hosts, self.auth.current().access, server)
        return read_identity(answers, install, self.remote)

    def prepare(self) -> Mapping[str, Any]:
        """Our own fields (an administrator's right); does it keep leads, how does it compare phones."""
        portal = self.portal()
        known = read_facts(ask_portal(portal), {})
        return {**known, **ask_how(portal), **fields.own_fields(portal, known.get("lang", self.lang))}

    def check(self) -> tuple[Problem, ...]:
        answers = ask_portal(self.portal())
        scopes = self.portal().send([Command("scope")])[0]
        return problems_of(answers, scopes, self.facts, self.budget.held_methods())

    # -- mirroring ----------------------------------------------------------------------------------

    def pages_of(self, what: str) -> Iterator[Sequence[Row]]:
        match what:
            case "users":
                return lists.users(self.portal())
            case "pipelines":
                return lists.pipelines(self.portal())
            case "steps":
                return lists.steps(self.portal())
            case _:
                return lists.fields(self.portal(), self.lang)

    # -- rules --------------------------------------------------------------------------------------

    @classmethod
    def named(cls, place: Placement, facts: Mapping[str, Any]) -> tuple[Named, ...]:
        return lists.named(place, Facts.read(facts).simple)

    @classmethod
    def zone(cls, facts: Mapping[str, Any]) -> tzinfo | None:
        return Facts.read(facts).zone if facts.get("offset") else None

    @staticmethod
    def demands(details: Mapping[str, Any]) -> bool:
        """``MANDATORY``, as smart invoices spell it, too."""
        return "Y" in (details.get("MANDATORY"), details.get("mandatory"))

    holds_several = staticmethod(holds_several)
    chooses = staticmethod(chooses)

    def create_fields(self, wishes: Sequence[FieldWish], known: Sequence[Target]) -> list[Target]:
        return fields.create_fields(self.portal(), self.lang, wishes, known)

    # -- delivering ---------------------------------------------------------------------------------

    def deliver(self, drafts: Sequence[LeadDraft], journal: Journal) -> list[Outcome]:
        """Requests are shared with what other copies of this connector deliver at the same time."""
        requests = BatchRequests(self.portal, journal, self.budget)

        def story(item: BitrixItem) -> Story[None]:
            return update.update(item, self.facts) if item.draft.formers else delivery.create(item)

        return deliver(drafts, self._begin, lambda items: delivery.run(items, story, requests, self.pool))

    def take_over(self, former: Connector) -> None:
        if isinstance(former, BitrixConnector) and former.remote.base_url == self.remote.base_url:
            self.pool = former.pool

    def compare(self, drafts: Sequence[LeadDraft]) -> list[Comparison | ConnectorError]:
        requests = BatchRequests(self.portal, NoJournal(), self.budget)

        def run(items: list[BitrixItem]) -> None:
            StoryPool().run({item: update.compare(item, self.facts) for item in items}, requests)

        return compare(drafts, self._begin, run)

    def _begin(self, draft: LeadDraft) -> BitrixItem:
        draft, base_url = update.of_its_kind(draft), self.remote.base_url
        payload = payload_of(draft, self.facts)
        phones = matching_at(base_url, self.remote.facts)
        return BitrixItem(draft, payload=payload, base_url=base_url, phones=phones)

    def plan(self, draft: LeadDraft) -> Plan:
        return delivery.plan(draft, self.facts, self.remote.base_url)

    def find_all(self, uids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Of deals, or of leads where there are more: a lead that became a deal keeps the external id."""
        asked = [(uid, search(word, uid)) for uid in uids for word in ("deal", "lead")]
        replies = self.portal().ask([command for _, command in asked])
        found: dict[str, list[str]] = {}
        for (uid, _), reply in zip(asked, replies, strict=True):
            ours = [str(row["ID"]) for row in carrying(rows(reply), uid)]
            found[uid] = max(found.get(uid, []), ours, key=len)
        return found

    def survey(self, since: datetime, place: Mapping[str, Any]) -> SurveyPage:
        return survey(self.portal(), since, place)

    # -- following ----------------------------------------------------------------------------------

    def follow(self, leads: Sequence[Followed]) -> list[LeadStatus | ConnectorError | None]:
        return following.Following(self.portal(), self.facts, self.remote.base_url).run(leads)

    def delete_lead(self, lead: Followed) -> None:
        following.delete(self.portal(), lead)

    def subscribe(self, url: str, contacts: bool = False) -> None:
        following.subscribe(self.portal(), url)

    def unsubscribe(self, url: str) -> None:
        following.unsubscribe(self.portal(), url)

    read_hook = staticmethod(following.read_hook)

    def portal(
        self, on_exchange: Callable[[Exchange], None] | None = None, limiter: RateLimiter | None = None
    ) -> Portal:
        http_client = self.http_client(on_exchange)
        http_client.limiter = limiter or self.limiter
        return Portal(http_client, self.budget)

    def http_client(self, on_exchange: Callable[[Exchange], None] | None = None) -> HttpClient:
        base_url = self.remote.base_url + self.facts.rest_path
        return self.client_at(base_url, BitrixResponses(self.hosts), on_exchange)
