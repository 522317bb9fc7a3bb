"""What a delivery would send on a first try, for the preview: its story, told to nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from connectors.draft import LeadDraft, Plan, PlannedRequest
from connectors.envybox.client import PREFIX
from connectors.envybox.delivery import tell
from connectors.envybox.work import Talk, Work
from connectors.errors import RuleNeedsFixing

LEAD, DEAL, CLIENT = "<id of the new lead>", "<id of the new deal>", "<id of the client>"
WHY = {
    "lead/set": "the lead, with every answer in its note",
    "lead/workset": "the lead, into the queue that makes no duplicates",
    "lead/search": "which number has the queue given it?",
    "lead/get": "has somebody taken it into work?",
    "lead/start": "the deal and its client",
    "deal/get": "is it at its step already?",
    "deal/updateDealStage": "to its step",
    "deal/updateDealValue": "answers for the deal",
    "client/updateClientValue": "answers for the client",
    f"client/{CLIENT}/addCompany": "the client's company",
    "deal/createComment": "more of the answers",
    "lead/log/create": "more of the answers",
}


class Imagined:
    """A door that leads nowhere: it keeps what was asked and answers as usual."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.requests: list[PlannedRequest] = []
        self.note = ""

    def call(self, method: str, path: str, *, safe: bool | None = None, **kwargs: Any) -> Any:
        name = path.removeprefix(f"{PREFIX}/").strip("/")
        body = kwargs.get("json") or kwargs.get("params")
        self.requests.append(PlannedRequest(method, self.base_url + path, body, WHY.get(name, "")))
        return self._answer(name, (body or {}).get("request") or {})

    def _answer(self, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        if "comment" in (values := asked.get("values") or {}):
            self.note = values["comment"]
        lead = {"id": LEAD, "lead_id": LEAD, "parent_id": 0, "deals": [], "values": {"comment": self.note}}
        imagined: dict[str, dict[str, Any]] = {
            "lead/set": {"id": LEAD},
            "lead/search": {"leads": lead},
            "lead/get": {"result": lead},
            "lead/start": {"result": {"deal_id": DEAL, "client_id": CLIENT}},
        }
        return imagined.get(name, {"result": {}})


class NoJournal:
    def record(self, done: Mapping[str, Mapping[str, str]]) -> None:
        """Nothing was made."""


def plan(
    draft: LeadDraft,
    base_url: str,
    keyword_covers_comment: bool,
    user_id: str,
    money_fields: Sequence[str] = (),
) -> Plan:
    """The requests in order, what would be dropped, and what is wrong with the rule."""
    http_client = Imagined(base_url)
    work = Work.begin(replace(draft, journal={}, look_first=False), NoJournal(), money_fields)
    tell(Talk(http_client, keyword_covers_comment, user_id), work)
    if isinstance(work.error, RuleNeedsFixing):
        work.problems.append(work.error.problem)
    return Plan(tuple(http_client.requests), tuple(work.parcel.losses), tuple(work.problems))
