"""Envybox for one account: what we ask of it.

The vendor's document of ``openapi/v1``, and what public clients do with it. Quirks: ``NOTES.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.base import Capabilities, Choice, Connector, Identity, Journal, Named, TaskSupport
from connectors.delivery import NoJournal, compare, deliver, each, guarded, trace_of
from connectors.draft import (
    Comparison,
    Exchange,
    LeadDraft,
    Placement,
    Plan,
    PlannedRequest,
    Problem,
    Receipt,
)
from connectors.envybox import auth, lists, recovery
from connectors.envybox.client import PREFIX, AnyHttpClient, Client, account_in, id_of
from connectors.envybox.delivery import Delivery, Item
from connectors.envybox.errors import EnvyResponses
from connectors.envybox.fields import chooses, holds_several
from connectors.envybox.following import Following, StatusReader, read_hook
from connectors.envybox.options import INBOXES, LEAD, QUEUE, SOURCE, takes_into_work
from connectors.envybox.repeated import Joining
from connectors.envybox.rest import REST
from connectors.envybox.update import Update
from connectors.errors import ConnectorError, RuleNeedsFixing
from connectors.http import HttpClient
from connectors.lead_status import Followed, LeadStatus
from connectors.messages import message
from connectors.rows import Row
from connectors.survey import SurveyPage

NO_DEAL = message("Envybox has tasks on deals alone: have the rule make a deal (LeadFlag: false)")


class EnvyConnector(Connector):
    """One Envybox account."""

    auth_class = auth.ApiKey
    can = Capabilities(
        credentials=("api_key",),
        find_by_external_id=True,
        surveys=True,
        updates=True,
        joins=True,
        follow=20,
        records=("deal", "lead"),
        existing=("contact",),  # a company is known by its INN, and only added
        lists=("users", "pipelines", "steps", "fields"),
        entities={"lead": "lead", "deal": "deal", "contact": "client"},
        choices=(
            Choice(LEAD, message("Leave it a lead"), default=True),
            Choice(SOURCE, message("Source"), INBOXES),
            Choice(QUEUE, message("Through the queue")),
        ),
        tasks=TaskSupport("", departments=True),
    )
    rest = REST

    # -- connecting ---------------------------------------------------------------------------------

    def identify(self) -> Identity:
        """The account in its own words. A wrong key is ``NeedsReconnect``."""
        body = self.client().account.get("main/data")
        data = lists.checked(account_in(body))
        host = urlsplit(self.remote.base_url).netloc
        return Identity(
            remote_id=id_of(data["id"]),
            name=str(data.get("name") or host),
            host=host,
            user_id=id_of(data.get("user_id")),
            facts=auth.account_facts(body, self.remote.facts),
        )

    def prepare(self) -> Mapping[str, Any]:
        """Nothing is made in Envybox; how its rows look is kept."""
        return {"shapes": auth.row_shapes(self.client(), self.remote.facts)}

    def check(self) -> tuple[Problem, ...]:
        """Alive, and with a pipeline that leads without one of their own go to."""
        lines = lists.pipelines(self._main_data())
        if any(line.entity == "deal" and line.is_main for line in lines):
            return ()
        return (Problem("no_main_pipeline", message("No pipeline of deals is the main one in Envybox.")),)

    # -- mirroring ----------------------------------------------------------------------------------

    def pages_of(self, what: str) -> Iterator[Sequence[Row]]:
        yield lists.ALL[what](self._main_data())

    def _main_data(self) -> Mapping[str, Any]:
        return lists.checked(self.client().account.main_data())

    # -- rules --------------------------------------------------------------------------------------

    holds_several = staticmethod(holds_several)
    chooses = staticmethod(chooses)

    @classmethod
    def named(cls, place: Placement, facts: Mapping[str, Any]) -> tuple[Named, ...]:
        """A deal's pipeline and step; the step of what stays a lead can do no harm."""
        deals, source = takes_into_work(place.choices), str(place.choices.get(SOURCE) or "")
        found = (
            Named("pipelines", place.pipeline, message("Pipeline"), "PipelineID", entity="deal"),
            Named(
                "steps",
                place.step,
                message("Step"),
                "StepID",
                entity="deal",
                pipeline=place.pipeline,
                vital=deals,
            ),
            Named("steps", source, message("Source"), SOURCE, entity=INBOXES, vital=False),
        )
        return tuple(one for one in found if one.remote_id)

    @classmethod
    def refuses_task(cls, place: Placement) -> str:
        return "" if takes_into_work(place.choices) else NO_DEAL

    # -- delivering ---------------------------------------------------------------------------------

    def deliver(self, drafts: Sequence[LeadDraft], journal: Journal) -> list[Receipt | ConnectorError]:
        def one(item: Item) -> None:
            client = self.client(self.http_client(trace_of(item)))
            if item.draft.formers:
                Update(client, item, journal, self._money_fields).run()
            else:
                Joining(client, item, journal).run()

        return deliver(drafts, self._begin, lambda items: each(items, one))

    def compare(self, drafts: Sequence[LeadDraft]) -> list[Comparison | ConnectorError]:
        def one(item: Item) -> None:
            client = self.client(self.http_client(trace_of(item)))
            Update(client, item, NoJournal(), self._money_fields).compare()

        return compare(drafts, self._begin, lambda items: each(items, one))

    def plan(self, draft: LeadDraft) -> Plan:
        """A delivery by answers that are made up, told to nobody."""
        http_client = MadeUp(self.remote.base_url)
        if draft.repeated and (person := draft.person.phones[:1] or draft.person.emails[:1]):
            http_client.look_for(person[0])
        item = self._begin(replace(draft, journal={}, look_first=False, formers=()))
        with guarded([item]):
            Delivery(self.client(http_client), item, NoJournal()).run()
        if isinstance(item.error, RuleNeedsFixing):
            item.problems.append(item.error.problem)
        return Plan(tuple(http_client.requests), tuple(item.losses), tuple(item.problems))

    def find_all(self, uids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """By the external id in the note."""
        return recovery.find_all(self.client(), list(uids))

    def survey(self, since: datetime, place: Mapping[str, Any]) -> SurveyPage:
        return recovery.survey(self.client(), since, place)

    def _begin(self, draft: LeadDraft) -> Item:
        return Item.begin(draft, self.remote.base_url, self._money_fields)

    @property
    def _money_fields(self) -> Sequence[str]:
        return auth.money_fields(self.remote.facts) or ()

    # -- following ----------------------------------------------------------------------------------

    def follow(self, leads: Sequence[Followed]) -> list[LeadStatus | ConnectorError | None]:
        money = auth.money_fields(self.remote.facts)
        reader = StatusReader(self.remote.base_url, self.options.utc_offset_hours, money)
        return Following(self.client(), reader).run(leads)

    read_hook = staticmethod(read_hook)

    # -- requests -----------------------------------------------------------------------------------

    def client(self, http_client: AnyHttpClient | None = None) -> Client:
        """On whose behalf somebody is made responsible: the administrator."""
        user_id = str(self.remote.facts.get("user_id") or "")
        return Client(http_client or self.http_client(), user_id, self.options.keyword_covers_comment)

    def http_client(self, on_exchange: Callable[[Exchange], None] | None = None) -> HttpClient:
        return self.client_at(self.remote.base_url, EnvyResponses(), on_exchange)


# -- the preview ------------------------------------------------------------------------------------------

LEAD_ID, DEAL_ID, CLIENT_ID = "<id of the new lead>", "<id of the new deal>", "<id of the client>"
WHY = {
    "lead/set": message("the lead, with every answer in its note"),
    "lead/workset": message("the lead, into the queue that makes no duplicates"),
    "lead/search": message("which number has the queue given it?"),
    "lead/get": message("has somebody taken it into work?"),
    "lead/start": message("the deal and its client"),
    "deal/get": message("is it at its step already?"),
    "deal/updateDealStage": message("to its step"),
    "deal/updateDealValue": message("answers for the deal"),
    "client/updateClientValue": message("answers for the client"),
    "client/get": message("was the client there before?"),
    f"client/{CLIENT_ID}/addCompany": message("the client's company"),
    "deal/getTasks": message("has the deal a task already?"),
    "deal/updatetask": message("the task"),
    "deal/createComment": message("more of the answers"),
    "lead/log/create": message("more of the answers"),
}


BORN = "2026-01-01 00:00:00"  # client and lead alike: in a preview the person is new


class MadeUp:
    """An HTTP client that sends nothing: it keeps what was asked and makes up the usual answer."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.requests: list[PlannedRequest] = []
        self.note = ""

    def call(self, method: str, path: str, *, safe: bool | None = None, **kwargs: Any) -> Any:
        name = path.removeprefix(f"{PREFIX}/").strip("/")
        body = kwargs.get("json") or kwargs.get("params")
        self.requests.append(PlannedRequest(method, self.base_url + path, body, WHY.get(name, "")))
        return self._answer(name, (body or {}).get("request") or {})

    def look_for(self, reach: str) -> None:
        """What is asked where an open lead of the person would be joined."""
        for name in ("deal/search", "lead/search"):
            url, why = f"{self.base_url}{PREFIX}/{name}/", message("has the person an open lead already?")
            self.requests.append(PlannedRequest("POST", url, {"request": {"phone or email": reach}}, why))

    def _answer(self, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        if "comment" in (values := asked.get("values") or {}):
            self.note = values["comment"]
        lead = {"id": LEAD_ID, "lead_id": LEAD_ID, "deals": [], "values": {"comment": self.note}}
        lead |= {"created_at": BORN}
        usual: dict[str, dict[str, Any]] = {
            "lead/set": {"id": LEAD_ID},
            "lead/search": {"leads": lead},
            "lead/get": {"result": lead},
            "client/get": {"result": {"id": CLIENT_ID, "created_at": BORN}},
            "lead/start": {"result": {"deal_id": DEAL_ID, "client_id": CLIENT_ID}},
        }
        return usual.get(name, {"result": {}})
