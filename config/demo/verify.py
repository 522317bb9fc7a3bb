"""Reading the leads back out of the sandboxes, and saying what is missing, doubled or in the wrong place.

A lead is known by its delivery's mark, wherever in the lead a CRM keeps it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.demo.http import look_into
from config.demo.scenario import Chosen, Scenario
from config.demo.service import QuizService

Json = dict[str, Any]


@dataclass(frozen=True)
class Arrival:
    """One answer in one CRM: our delivery, and every lead there that carries its mark."""

    crm: str
    answer: Json
    delivery: Json
    leads: Sequence[Json]

    @property
    def lead(self) -> Json:
        return self.leads[0] if self.leads else {}

    @property
    def contact(self) -> Json:
        return self.lead.get("contact") or {}

    @property
    def seconds(self) -> float | None:
        """From the moment the answer was stored to the moment its lead was known to be there."""
        if not self.delivery.get("deliveredAt"):
            return None
        begun, ended = (datetime.fromisoformat(self.delivery[key]) for key in ("createdAt", "deliveredAt"))
        return (ended - begun).total_seconds()


@dataclass(frozen=True)
class Verification:
    """All of one CRM's arrivals, and its leads that nobody asked for."""

    scenario: Scenario
    chosen: Chosen
    arrivals: Sequence[Arrival]
    strangers: Sequence[Json]

    def complaints(self) -> list[str]:
        """What is wrong, a sentence each; empty if every answer became exactly one lead as it should."""
        found = [
            sentence
            for arrival in self.arrivals
            for sentence in wrong_with(arrival, self.chosen, self.scenario.has_contacts)
        ]
        found += [f"lead {lead['id']} came from no answer" for lead in self.strangers]
        found += list(split_people(self.arrivals)) if self.scenario.has_contacts else []
        return [f"{self.scenario.label}: {sentence}." for sentence in found]


def read_back(
    control_url: str, service: QuizService, scenario: Scenario, chosen: Chosen, answers: Sequence[Json]
) -> Verification:
    """Our deliveries of these answers beside what the sandbox holds."""
    ledger = look_into(control_url, scenario.kind, "ledger")
    deliveries = {row["answerID"]: row for row in service.rows("/deliveries", crm=scenario.kind)}
    arrivals = [
        arrival_of(scenario, answer, deliveries.get(answer["answerID"], {}), service, ledger)
        for answer in answers
    ]
    ours = {lead["id"] for arrival in arrivals for lead in arrival.leads}
    return Verification(scenario, chosen, arrivals, [lead for lead in ledger if lead["id"] not in ours])


def arrival_of(
    scenario: Scenario, answer: Json, delivery: Json, service: QuizService, ledger: Iterable[Json]
) -> Arrival:
    details = service.get(f"/deliveries/{delivery['id']}") if delivery else {}
    mark = scenario.mark_there(details["mark"]) if details else ""
    leads = [lead for lead in ledger if mark and mark in json.dumps(lead, ensure_ascii=False)]
    return Arrival(scenario.label, answer, details, leads)


def wrong_with(arrival: Arrival, chosen: Chosen, has_contacts: bool) -> Iterator[str]:
    who = f"answer {arrival.answer['answerID']}"
    if arrival.delivery.get("state") != "delivered":
        state = arrival.delivery.get("state", "unknown to us")
        yield f"{who} is {state} {problem_of(arrival.delivery)}".strip()
    if len(arrival.leads) != 1:
        yield f"{who} became {len(arrival.leads)} leads instead of one"
        return
    if str(arrival.lead["id"]) != arrival.delivery["leadID"]:
        yield f"{who} is lead {arrival.lead['id']} there, but we were told {arrival.delivery['leadID']}"
    is_record = "id" in arrival.contact or not has_contacts
    if not (is_record and knows(arrival.contact, arrival.answer["contact"])):
        yield f"{who} is lead {arrival.lead['id']} without its contact"
    place = (arrival.lead["pipeline"], arrival.lead["step"], arrival.lead["responsible"])
    if place != (chosen.pipeline, chosen.step, chosen.performer):
        yield f"{who} landed in {place} instead of {(chosen.pipeline, chosen.step, chosen.performer)}"
    if not chosen.words.items() <= arrival.lead["fields"].items():
        yield f"{who} is lead {arrival.lead['id']} without {dict(chosen.words)}"
    if missing := unsaid(arrival):
        yield f"{who} is lead {arrival.lead['id']} that doesn't say {missing}"


def unsaid(arrival: Arrival) -> list[str]:
    """What was answered and stands nowhere in the lead: a field that can't take it is no reason."""
    known = json.dumps(arrival.lead, ensure_ascii=False)
    given = [item["answer"] for item in arrival.answer["answers"]]
    texts = [str(one).strip() for value in given for one in (value if isinstance(value, list) else [value])]
    return [text for text in texts if text not in known]


def problem_of(delivery: Mapping[str, Any]) -> str:
    error = delivery.get("error") or {}
    return " ".join(filter(None, (error.get("message"), error.get("remedy"))))


def knows(contact: Mapping[str, Any], given: Mapping[str, str]) -> bool:
    """Does the CRM's contact have the phone or the e-mail that was given?"""
    known = json.dumps(contact, ensure_ascii=False)
    digits = re.sub(r"\D", "", given.get("phone", ""))[-10:]
    return bool(contact) and (digits or given.get("email", "")) in known


def split_people(arrivals: Iterable[Arrival]) -> Iterator[str]:
    """A phone that came twice must have led to one contact."""
    contacts: dict[str, set[Any]] = {}
    for arrival in arrivals:
        if phone := re.sub(r"\D", "", arrival.answer["contact"].get("phone", ""))[-10:]:
            contacts.setdefault(phone, set()).add(arrival.contact.get("id"))
    for phone, ids in contacts.items():
        if len(ids) > 1:
            yield f"the person with the phone …{phone[-4:]} has {len(ids)} contacts"
