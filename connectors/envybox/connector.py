"""Envybox for one account: what we ask of it.

The vendor's document of ``openapi/v1``, and what public clients do with it. Quirks: ``NOTES.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from connectors.base import Capabilities, Choice, Connector, Identity, Journal, Named
from connectors.draft import Exchange, LeadDraft, Placement, Plan, Problem, Receipt
from connectors.envybox import facts, lists, overview, recovery
from connectors.envybox.answers import id_of
from connectors.envybox.auth import ApiKey
from connectors.envybox.choices import INBOXES, LEAD, QUEUE, SOURCE
from connectors.envybox.client import Envybox, account_in
from connectors.envybox.delivery import Delivery
from connectors.envybox.errors import EnvyResponses
from connectors.envybox.following import Following
from connectors.envybox.hooks import read_hook
from connectors.envybox.naming import named
from connectors.envybox.outlook import Outlook
from connectors.envybox.plan import plan
from connectors.envybox.work import Talk
from connectors.errors import ConnectorError
from connectors.http import HttpClient
from connectors.lead_status import ChangeNotice, Followed, LeadStatus
from connectors.rows import FieldRow, PipelineRow, StepRow, UserRow
from connectors.ssrf_guard import vet


class EnvyConnector(Connector):
    """One Envybox account."""

    kind = "envybox"
    label = "Envybox"
    auth_class = ApiKey
    can = Capabilities(
        credentials=("api_key",),
        find_by_external_id=True,
        updates=True,
        follow=20,
        records=("deal", "lead"),
        search_lag=60,
        lists=("users", "pipelines", "steps", "fields"),
        entities={"lead": "lead", "deal": "deal", "contact": "client"},
        choices=(
            Choice(LEAD, "Leave it a lead"),
            Choice(SOURCE, "Source", INBOXES),
            Choice(QUEUE, "Through the queue"),
        ),
    )

    # -- connecting ---------------------------------------------------------------------------------

    def identify(self) -> Identity:
        """The account in its own words. A wrong key is ``NeedsReconnect``."""
        body = Envybox(self.http_client()).get("main/data")
        data = overview.check(account_in(body))
        host = urlsplit(self.remote.base_url).netloc
        return Identity(
            remote_id=id_of(data["id"]),
            name=str(data.get("name") or host),
            host=host,
            user_id=id_of(data.get("user_id")),
            facts=facts.of_account(body, self.remote.facts),
        )

    def prepare(self) -> Mapping[str, Any]:
        """Nothing is made in Envybox; how its rows look is kept."""
        return {"shapes": facts.of_rows(self.talk(), self.remote.facts)}

    def check(self) -> tuple[Problem, ...]:
        """Alive, and with a pipeline that leads without one of their own go to."""
        lines = lists.pipelines(self._overview())
        if any(line.entity == "deal" and line.is_main for line in lines):
            return ()
        return (Problem("no_main_pipeline", "No pipeline of deals is the main one in Envybox."),)

    # -- mirroring ----------------------------------------------------------------------------------

    def fetch_users(self) -> Iterator[Sequence[UserRow]]:
        yield lists.users(self._overview())

    def fetch_pipelines(self) -> Iterator[Sequence[PipelineRow]]:
        yield lists.pipelines(self._overview())

    def fetch_steps(self) -> Iterator[Sequence[StepRow]]:
        yield lists.steps(self._overview())

    def fetch_fields(self) -> Iterator[Sequence[FieldRow]]:
        yield lists.custom_fields(self._overview())

    def _overview(self) -> Mapping[str, Any]:
        return overview.check(Envybox(self.http_client()).main_data())

    # -- rules --------------------------------------------------------------------------------------

    @classmethod
    def named(cls, place: Placement, facts: Mapping[str, Any]) -> tuple[Named, ...]:
        return named(place)

    # -- delivering ---------------------------------------------------------------------------------

    def deliver(self, drafts: Sequence[LeadDraft], journal: Journal) -> list[Receipt | ConnectorError]:
        money = facts.sum_fields(self.remote.facts)
        return Delivery(self.talk, journal, self.remote.base_url, money).run(drafts)

    def plan(self, draft: LeadDraft) -> Plan:
        money = facts.sum_fields(self.remote.facts)
        return plan(draft, self.remote.base_url, self.options.keyword_covers_comment, self._user_id, money)

    def find(self, uids: Sequence[str]) -> Mapping[str, str]:
        """By the mark in the note."""
        return recovery.find(self.talk(), list(uids))

    # -- following ----------------------------------------------------------------------------------

    def follow(self, leads: Sequence[Followed]) -> list[LeadStatus | ConnectorError | None]:
        money = facts.money_fields(self.remote.facts)
        outlook = Outlook(self.remote.base_url, self.options.utc_offset_hours, money)
        return Following(self.talk(), outlook).run(leads)

    @classmethod
    def read_hook(cls, form: Mapping[str, str]) -> ChangeNotice:
        return read_hook(form)

    # -- the door -----------------------------------------------------------------------------------

    def talk(self, on_exchange: Callable[[Exchange], None] | None = None) -> Talk:
        return Talk(self.http_client(on_exchange), self.options.keyword_covers_comment, self._user_id)

    def http_client(self, on_exchange: Callable[[Exchange], None] | None = None) -> HttpClient:
        if urlsplit(self.remote.base_url).netloc in self.options.self_hosted:
            vet(self.remote.base_url)
        return HttpClient(
            self.remote.base_url,
            EnvyResponses(),
            auth=self.auth,
            limiter=self.limiter,
            timeout=(self.options.connect_timeout, self.options.read_timeout),
            on_exchange=on_exchange,
        )

    @property
    def _user_id(self) -> str:
        """The administrator, on whose behalf somebody is made responsible."""
        return str(self.remote.facts.get("user_id") or "")
