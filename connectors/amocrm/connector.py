"""amoCRM (Kommo) for one account: what we ask of it.

REST API v4: amocrm.ru/developers/content/crm_platform/api-reference. Quirks: ``NOTES.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from connectors.amocrm import hooks, lists, new_fields
from connectors.amocrm.auth import AmoSignIn
from connectors.amocrm.delivery import Delivery
from connectors.amocrm.errors import NO_RIGHTS, NO_SCOPE, AmoReader
from connectors.amocrm.facts import CUSTOMERS_OFF, Facts
from connectors.amocrm.following import Following
from connectors.amocrm.identity import current_user, read_identity
from connectors.amocrm.plan import plan
from connectors.amocrm.recovery import scan, search
from connectors.amocrm.talk import Talk
from connectors.base import Capabilities, Connector, FieldWish, Identity, Journal, SignIn
from connectors.draft import Exchange, LeadDraft, Plan, Problem, Receipt, Target
from connectors.errors import ConnectorError, Refused
from connectors.hosts import HostPolicy
from connectors.http import Door
from connectors.rows import FieldRow, PipelineRow, StepRow, TagRow, UserRow
from connectors.standing import Followed, Hint, Standing

ACCOUNT = "/api/v4/account"
ACCOUNT_PARTS = "users_groups,datetime_settings,is_api_filter_enabled"
PAGES_OF_A_LOOK = 4


class AmoConnector(Connector):
    """One amoCRM account."""

    kind = "amocrm"
    label = "amoCRM"
    can = Capabilities(
        oauth=True,
        batch=50,
        parallel=3,
        find_by_mark=True,
        creates_fields=True,
        tags=True,
        updates=True,
        customers=True,
        uninstall_hook=True,
        follow=50,
        records=("lead",),
        hooks=True,
        search_lag=60,
        lists=("users", "pipelines", "steps", "fields", "tags"),
        entities={"lead": "leads", "contact": "contacts", "company": "companies", "customer": "customers"},
        contact_codes={"phone": "PHONE", "email": "EMAIL", "position": "POSITION", "messenger": "IM"},
    )

    @classmethod
    def sign_in(cls, options: Any, hosts: HostPolicy) -> SignIn:
        return AmoSignIn(options, hosts)

    # -- connecting ---------------------------------------------------------------------------------

    def identify(self) -> Identity:
        """The account and the user whose consent made our token. What that user may not see stays empty."""
        door = self.door()
        account = door.call("GET", ACCOUNT, params={"with": ACCOUNT_PARTS})
        return read_identity(account, current_user(door, account), self.remote.base_url)

    def prepare(self) -> Mapping[str, Any]:
        """Our mark field on leads (an administrator's right), and which statistics fields there are."""
        door = self.door()
        rows = [row for page in lists.fields(door, ["leads"]) for row in page]
        facts = {"tracking_codes": sorted(r.code for r in rows if r.type == "tracking_data" and r.code)}
        try:
            return {**facts, "mark_field": new_fields.mark_field(door, rows)}
        except Refused as refusal:
            if refusal.code not in (NO_RIGHTS, NO_SCOPE):
                raise
            return facts

    def check(self) -> tuple[Problem, ...]:
        door = self.door()
        account = door.call("GET", ACCOUNT)
        user = current_user(door, account)
        problems = []
        if not (user.get("rights") or {}).get("is_admin"):
            message = "The connection isn't an administrator's: users can't be read and fields can't be made."
            problems.append(Problem("not_admin", message))
        if not Facts.read(self.remote.facts).mark_field:
            message = "There is no field for our mark: the mark goes into the lead's name."
            problems.append(Problem("no_mark_field", message))
        return tuple(problems)

    # -- mirroring ----------------------------------------------------------------------------------

    def fetch_users(self) -> Iterator[Sequence[UserRow]]:
        return lists.users(self.door())

    def fetch_pipelines(self) -> Iterator[Sequence[PipelineRow]]:
        return lists.pipelines(self.door())

    def fetch_steps(self) -> Iterator[Sequence[StepRow]]:
        return lists.steps(self.door())

    def fetch_fields(self) -> Iterator[Sequence[FieldRow]]:
        return lists.fields(self.door(), self._entities())

    def fetch_tags(self) -> Iterator[Sequence[TagRow]]:
        return lists.tags(self.door(), self._entities())

    def _entities(self) -> Sequence[str]:
        """Customers may be switched off at any time, so the account is asked and not our memory."""
        mode = str(self.door().call("GET", ACCOUNT).get("customers_mode") or "")
        return [one for one in lists.ENTITIES if one != "customers" or mode not in CUSTOMERS_OFF]

    # -- rules --------------------------------------------------------------------------------------

    def create_fields(self, wishes: Sequence[FieldWish], known: Sequence[Target]) -> list[Target]:
        return new_fields.create_fields(self.door(), wishes, known)

    # -- delivering ---------------------------------------------------------------------------------

    def deliver(self, drafts: Sequence[LeadDraft], journal: Journal) -> list[Receipt | ConnectorError]:
        talk = Talk(self.door, journal)
        return Delivery(talk, Facts.read(self.remote.facts), self.remote.base_url).run(drafts)

    def plan(self, draft: LeadDraft) -> Plan:
        return plan(draft, Facts.read(self.remote.facts), self.remote.base_url)

    def find(self, uids: Sequence[str]) -> Mapping[str, str]:
        """By the search index, then among the newest leads, which the index may not know yet."""
        door, mark = self.door(), Facts.read(self.remote.facts).mark_field
        leads = {uid: lead for uid in uids if (lead := search(door, uid, mark))}
        if missing := [uid for uid in uids if uid not in leads]:
            leads |= scan(door, missing, mark, since=0, pages=PAGES_OF_A_LOOK)
        return {uid: lead.lead for uid, lead in leads.items()}

    # -- following ----------------------------------------------------------------------------------

    def follow(self, leads: Sequence[Followed]) -> list[Standing | ConnectorError | None]:
        return Following(self.door, Facts.read(self.remote.facts), self.remote.base_url).run(leads)

    def subscribe(self, url: str) -> None:
        hooks.subscribe(self.door(), url)

    def unsubscribe(self, url: str) -> None:
        hooks.unsubscribe(self.door(), url)

    @classmethod
    def read_hook(cls, form: Mapping[str, str]) -> Hint:
        return hooks.read_hook(form)

    def door(self, on_exchange: Callable[[Exchange], None] | None = None) -> Door:
        return Door(
            self.remote.base_url,
            AmoReader(self.pace),
            auth=self.auth,
            pace=self.pace,
            timeout=(self.options.connect_timeout, self.options.read_timeout),
            on_exchange=on_exchange,
        )
