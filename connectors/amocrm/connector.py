"""amoCRM (Kommo) for one account: what we ask of it.

REST API v4: amocrm.ru/developers/content/crm_platform/api-reference. Quirks: ``NOTES.md``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Any

from connectors.amocrm import contacts, following, lists
from connectors.amocrm.auth import AmoSignIn
from connectors.amocrm.client import BatchRequests
from connectors.amocrm.delivery import Delivery, plan
from connectors.amocrm.errors import NOT_ALLOWED, AmoResponses
from connectors.amocrm.facts import CUSTOMERS_OFF, Facts, current_user, read_identity
from connectors.amocrm.fields import chooses, create_fields, holds_several, mark_field
from connectors.amocrm.following import Following
from connectors.amocrm.recovery import search_all, survey
from connectors.base import Capabilities, Connector, FieldWish, Identity, Journal, TaskSupport
from connectors.contact_directory import ContactDirectory, NoDirectory
from connectors.delivery import NoJournal
from connectors.draft import Comparison, Exchange, LeadDraft, Plan, Problem, Receipt, Target
from connectors.errors import ConnectorError, Refused
from connectors.http import HttpClient
from connectors.lead_status import Followed, LeadStatus
from connectors.messages import message
from connectors.rows import Row
from connectors.survey import SurveyPage

ACCOUNT = "/api/v4/account"
ACCOUNT_PARTS = "users_groups,datetime_settings,is_api_filter_enabled"


class AmoConnector(Connector):
    """One amoCRM account."""

    can = Capabilities(
        oauth=True,
        batch=50,
        parallel=3,
        find_by_external_id=True,
        surveys=True,
        creates_fields=True,
        updates=True,
        joins=True,
        follow=50,
        records=("lead",),
        hooks=True,
        tells_rights=True,
        directory=True,
        existing=("contact",),  # a company comes with its lead, and is looked for by nobody
        tells_owner=True,
        lists=("users", "pipelines", "steps", "fields", "tags"),
        entities={"lead": "leads", "contact": "contacts", "company": "companies", "customer": "customers"},
        tasks=TaskSupport("", types=True),
        contact_codes={"phone": "PHONE", "email": "EMAIL", "position": "POSITION", "messenger": "IM"},
    )

    @cached_property
    def facts(self) -> Facts:
        return Facts.read(self.remote.facts)

    sign_in = staticmethod(AmoSignIn)

    # -- connecting ---------------------------------------------------------------------------------

    def identify(self) -> Identity:
        """The account and the user whose consent made our token. What that user may not see stays empty."""
        http_client = self.http_client()
        account = http_client.call("GET", ACCOUNT, params={"with": ACCOUNT_PARTS})
        return read_identity(account, current_user(http_client, account), self.remote.base_url)

    def prepare(self) -> Mapping[str, Any]:
        """The field for external ids (an administrator's right), and which statistics fields there are.

        ``mark_since`` is now where the field that we knew is gone, and older leads' external ids with it.
        """
        http_client = self.http_client()
        rows = [row for page in lists.fields(http_client, ["leads"]) for row in page]
        codes = sorted(row.code for row in rows if row.type == "tracking_data" and row.code)
        facts: dict[str, Any] = {"tracking_codes": codes}
        known = str(self.remote.facts.get("mark_field") or "")
        try:
            facts["mark_field"] = mark_field(http_client, rows)
        except Refused as refusal:
            if refusal.code not in NOT_ALLOWED:
                raise
            if known and known not in (row.remote_id for row in rows):
                facts["mark_field"] = ""
        if known and facts.get("mark_field", known) != known:
            facts["mark_since"] = time.time()
        return facts

    def check(self) -> tuple[Problem, ...]:
        http_client = self.http_client()
        account = http_client.call("GET", ACCOUNT)
        user = current_user(http_client, account)
        problems = []
        if not (user.get("rights") or {}).get("is_admin"):
            words = message(
                "The connection isn't an administrator's: users can't be read and fields can't be made."
            )
            problems.append(Problem("not_admin", words))
        if not self.facts.mark_field:
            words = message("There is no field for the external id: the mark goes into the lead's name.")
            problems.append(Problem("no_mark_field", words))
        return tuple(problems)

    # -- mirroring ----------------------------------------------------------------------------------

    def pages_of(self, what: str) -> Iterator[Sequence[Row]]:
        http_client = self.http_client()
        match what:
            case "users":
                return lists.users(http_client)
            case "pipelines":
                return lists.pipelines(http_client)
            case "steps":
                return lists.steps(http_client)
            case "fields":
                return lists.fields(http_client, self._entities())
            case _:
                return lists.tags(http_client, self._entities())

    def _entities(self) -> Sequence[str]:
        """Customers may be switched off at any time, so the account is asked and not our memory."""
        mode = str(self.http_client().call("GET", ACCOUNT).get("customers_mode") or "")
        return [one for one in lists.ENTITIES if one != "customers" or mode not in CUSTOMERS_OFF]

    # -- rules --------------------------------------------------------------------------------------

    @staticmethod
    def demands(details: Mapping[str, Any]) -> bool:
        """At the steps of ``required_statuses``; the API takes leads without it all the same."""
        return bool(details.get("required_statuses"))

    holds_several = staticmethod(holds_several)
    chooses = staticmethod(chooses)

    @classmethod
    def zone(cls, facts: Mapping[str, Any]) -> tzinfo | None:
        return Facts.read(facts).zone if facts.get("timezone") else None

    def create_fields(self, wishes: Sequence[FieldWish], known: Sequence[Target]) -> list[Target]:
        return create_fields(self.http_client(), wishes, known)

    # -- people -------------------------------------------------------------------------------------

    def use_directory(self, directory: ContactDirectory) -> None:
        """Without searches a few requests make many leads, so batches are wider. Where there is none, it is
        not asked for again with each batch."""
        state = directory.state()
        super().use_directory(directory if state else NoDirectory())
        self.can = WIDE if state and state.complete else type(self).can

    def has_more_contacts_than(self, number: int) -> bool:
        return contacts.has_more_than(self.http_client(), number)

    def walk_contacts(self, goes_on: Callable[[], bool]) -> bool:
        return contacts.walk(self.http_client(), self.directory, goes_on)

    # -- delivering ---------------------------------------------------------------------------------

    def deliver(self, drafts: Sequence[LeadDraft], journal: Journal) -> list[Receipt | ConnectorError]:
        requests = BatchRequests(self.http_client, journal)
        return Delivery(requests, self.facts, self.remote.base_url, self.directory).run(drafts)

    def compare(self, drafts: Sequence[LeadDraft]) -> list[Comparison | ConnectorError]:
        requests = BatchRequests(self.http_client, NoJournal())
        return Delivery(requests, self.facts, self.remote.base_url, self.directory).compare(drafts)

    def plan(self, draft: LeadDraft) -> Plan:
        return plan(draft, self.facts, self.remote.base_url)

    def find_all(self, uids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        http_client, mark = self.http_client(), self.facts.mark_field
        return {uid: [one.lead for one in search_all(http_client, uid, mark)] for uid in uids}

    def survey(self, since: datetime, place: Mapping[str, Any]) -> SurveyPage:
        return survey(self.http_client(), self.facts.mark_field, since, place)

    # -- following ----------------------------------------------------------------------------------

    def follow(self, leads: Sequence[Followed]) -> list[LeadStatus | ConnectorError | None]:
        return Following(self.http_client, self.facts, self.remote.base_url).run(leads)

    def subscribe(self, url: str, contacts: bool = False) -> None:
        following.subscribe(self.http_client(), url, contacts)

    def unsubscribe(self, url: str) -> None:
        following.unsubscribe(self.http_client(), url)

    read_hook = staticmethod(following.read_hook)

    def http_client(self, on_exchange: Callable[[Exchange], None] | None = None) -> HttpClient:
        return self.client_at(self.remote.base_url, AmoResponses(self.limiter), on_exchange)


# With a directory of contacts five requests make the leads of a batch, and it waits for a look at changes.
WIDE = replace(AmoConnector.can, batch=150, parallel=10)
