"""What a delivery would send on a first try, for the preview: its story, told to nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connectors.bitrix24.batch import Command, Outcome, Reply, request_of
from connectors.bitrix24.creation import story
from connectors.bitrix24.facts import Facts
from connectors.bitrix24.work import Work
from connectors.draft import LeadDraft, Plan, PlannedRequest
from connectors.errors import RuleNeedsFixing


def plan(draft: LeadDraft, facts: Facts, base_url: str) -> Plan:
    """The requests in order, what would be dropped, and what is wrong with the rule.

    A person we remember is taken to be there still, anybody else to be new.
    """
    work = Work.begin(replace(draft, journal={}, look_first=False), facts)
    requests: list[PlannedRequest] = []
    own = story(work)
    try:
        commands = next(own)
        while True:
            requests.append(_planned(commands, base_url + facts.rest_path))
            commands = own.send([_imagined(command) for command in commands])
    except StopIteration:
        pass
    except RuleNeedsFixing as error:
        work.problems.append(error.problem)
    return Plan(tuple(requests), tuple(work.parcel.losses), tuple(work.problems))


def _planned(commands: Sequence[Command], base_url: str) -> PlannedRequest:
    path, body = request_of(commands)
    why = "; ".join(dict.fromkeys(command.why for command in commands))
    return PlannedRequest("POST", base_url + path, body, why)


def _imagined(command: Command) -> Outcome:
    """The usual answer."""
    if command.method.endswith(".add"):
        return Reply(f"<id of the new {command.method.split('.')[1]}>")
    ids = (command.params.get("filter") or {}).get("ID") or []
    return Reply([{"ID": remote_id} for remote_id in ids])
