"""Where the portal put the new records: an unknown stage is no error there, but becomes the first (4.1)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.bitrix24.asking import rows
from connectors.bitrix24.batch import Command, Reply, send
from connectors.bitrix24.choices import STATUS
from connectors.bitrix24.standings import DEAL
from connectors.bitrix24.talk import Talk
from connectors.bitrix24.work import Work
from connectors.draft import Placement
from connectors.text import text_of

log = logging.getLogger(__name__)
PAGE = 50
SELECT = {
    "deal": ("ID", "ASSIGNED_BY_ID", "CATEGORY_ID", "STAGE_ID"),
    "lead": ("ID", "ASSIGNED_BY_ID", "STATUS_ID"),
}


def read_back(talk: Talk, works: Sequence[Work]) -> None:
    """One request for a whole batch, fifty records a command. A failure changes nothing: the lists are read
    again before long. The rows of several drafts are in nobody's trace."""
    wanted = {(work.kind, work.lead): work for work in works if _is_new(work) and _is_placed(work)}
    commands = [
        _list(kind, ids[start : start + PAGE])
        for kind in SELECT
        if (ids := [lead for word, lead in wanted if word == kind])
        for start in range(0, len(ids), PAGE)
    ]
    outcomes = send(talk.make_http_client(lambda _: None), commands, talk.budget) if commands else []
    for command, outcome in zip(commands, outcomes, strict=True):
        kind = command.method.split(".")[1]
        if not isinstance(outcome, Reply):
            log.info("bitrix24: new records were not read back (%s)", outcome.code)
            continue
        for row in rows(outcome):
            if work := wanted.get((kind, text_of(row.get("ID")))):
                work.placed = _place_of(kind, row)


def _is_new(work: Work) -> bool:
    return bool(work.lead) and not (work.error or work.adopted)


def _is_placed(work: Work) -> bool:
    """Does the rule say where the record goes, or who looks after it?"""
    head = work.parcel.record.head
    return any(head.get(name) for name in ("ASSIGNED_BY_ID", "CATEGORY_ID", "STAGE_ID", "STATUS_ID"))


def _list(kind: str, ids: Sequence[str]) -> Command:
    params = {"filter": {"@ID": list(ids)}, "select": list(SELECT[kind]), "start": -1}
    return Command(f"crm.{kind}.list", params, why="where is it now?")


def _place_of(kind: str, row: Mapping[str, Any]) -> Placement:
    """A lead's status is a choice of the rule, its pipeline and stage are meant for deals."""
    performer = text_of(row.get("ASSIGNED_BY_ID"))
    if kind == DEAL:
        return Placement(performer, text_of(row.get("CATEGORY_ID")), text_of(row.get("STAGE_ID")))
    return Placement(performer, choices={STATUS: text_of(row.get("STATUS_ID"))})
