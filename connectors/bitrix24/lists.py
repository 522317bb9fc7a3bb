"""Bitrix24's lists as rows for the cache, each in one batch where it can be (reference 3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from connectors.bitrix24.asking import rows
from connectors.bitrix24.batch import Budget, Command, Outcome, Reply, ask, send
from connectors.errors import ConnectorError, Refused
from connectors.http import HttpClient
from connectors.rows import PipelineRow, StepRow, UserRow

PAGE = 50
DEALS = 2
TYPES_WITH_PIPELINES = (1, DEALS, 3, 4, 5, 7, 8, 31)
KEPT_OF_USERS = (
    *("NAME", "LAST_NAME", "SECOND_NAME", "TITLE", "EMAIL", "WORK_POSITION"),
    *("UF_DEPARTMENT", "USER_TYPE", "ACTIVE", "IS_ADMIN"),
)
TAIL = re.compile(r"_(\d+)$")
Row = Mapping[str, Any]


def users(http_client: HttpClient, budget: Budget) -> Iterator[Sequence[UserRow]]:
    """Everybody, also who left: a rule may still name them. The first page tells how many there are."""
    (first,) = ask(http_client, [_users_from(0)], budget)
    starts = range(PAGE, first.total, PAGE)
    pages = [first, *ask(http_client, [_users_from(start) for start in starts], budget)]
    seen: set[str] = set()
    for page in pages:
        new = [row for row in rows(page) if row.get("ID") and str(row["ID"]) not in seen]
        seen |= {str(row["ID"]) for row in new}
        yield [user_row(row) for row in new]


def _users_from(start: int) -> Command:
    return Command("user.get", {"sort": "ID", "order": "ASC", "start": start}, why="the users")


def user_row(user: Row) -> UserRow:
    parts = (str(user.get(part) or "") for part in ("NAME", "LAST_NAME"))
    departments = user.get("UF_DEPARTMENT")
    first = departments[0] if isinstance(departments, list) and departments else ""
    return UserRow(
        remote_id=str(user["ID"]),
        name=" ".join(filter(None, parts)) or str(user.get("EMAIL") or user["ID"]),
        email=str(user.get("EMAIL") or ""),
        role=str(user.get("WORK_POSITION") or ""),
        group_id=str(first),
        active=user.get("ACTIVE", True) in (True, "Y", "1", "true"),
        details={key: user[key] for key in KEPT_OF_USERS if key in user},
    )


def pipelines(http_client: HttpClient, budget: Budget) -> Iterator[Sequence[PipelineRow]]:
    """Of every record type. Most have none, and say so with an error; only deals must have them."""
    commands = [
        Command("crm.category.list", {"entityTypeId": number}, why="the pipelines")
        for number in TYPES_WITH_PIPELINES
    ]
    outcomes = zip(TYPES_WITH_PIPELINES, send(http_client, commands, budget), strict=True)
    for number, reply in allowed(outcomes, needed={DEALS}):
        yield [pipeline_row(str(number), row) for row in categories(reply)]


def categories(reply: Reply) -> list[Row]:
    found = reply.value.get("categories") if isinstance(reply.value, dict) else None
    return [row for row in found or [] if isinstance(row, dict) and row.get("id") is not None]


def pipeline_row(entity: str, row: Row) -> PipelineRow:
    return PipelineRow(
        remote_id=str(row["id"]),
        name=str(row.get("name") or ""),
        entity=entity,
        is_main=row.get("isDefault") == "Y",
        sort=number_of(row.get("sort")),
        details=dict(row),
    )


def steps(http_client: HttpClient, budget: Budget) -> Iterator[Sequence[StepRow]]:
    """All entries of all directories: the stages, and sources, types and whatever else there is."""
    (reply,) = ask(
        http_client, [Command("crm.status.list", {"order": {"SORT": "ASC"}}, why="the steps")], budget
    )
    found = [step_row(row) for row in rows(reply) if row.get("STATUS_ID") not in (None, "")]
    yield list({(row.entity, row.remote_id): row for row in found}.values())


def step_row(status: Row) -> StepRow:
    extra = status.get("EXTRA") if isinstance(status.get("EXTRA"), dict) else {}
    return StepRow(
        pipeline_id=pipeline_of(status),
        remote_id=str(status["STATUS_ID"]),
        name=str(status.get("NAME") or ""),
        entity=str(status.get("ENTITY_ID") or ""),
        color=str(status.get("COLOR") or (extra or {}).get("COLOR") or ""),
        kind={"S": "won", "F": "lost"}.get(str(status.get("SEMANTICS")), "open"),
        sort=number_of(status.get("SORT")),
        details={
            **status,
            "bitrixID": str(status.get("ID") or ""),
            "nameInit": str(status.get("NAME_INIT") or ""),
        },
    )


def pipeline_of(status: Row) -> str:
    """Empty for a directory that belongs to no pipeline; ``DEAL_STAGE`` is that of pipeline 0."""
    if status.get("CATEGORY_ID") not in (None, ""):
        return str(status["CATEGORY_ID"])
    entity = str(status.get("ENTITY_ID") or "")
    if entity == "DEAL_STAGE":
        return "0"
    tail = TAIL.search(entity) if "_STAGE_" in entity else None
    return tail[1] if tail else ""


def allowed(
    outcomes: Iterable[tuple[Any, Outcome]], needed: set[Any], tolerated: frozenset[str] = frozenset()
) -> Iterator[tuple[Any, Reply]]:
    """Those that were answered. A refused one is left out unless it is needed; other errors are raised."""
    for key, outcome in outcomes:
        if not isinstance(outcome, ConnectorError):
            yield key, outcome
        elif key in needed or not (isinstance(outcome, Refused) or outcome.code in tolerated):
            raise outcome


def number_of(value: Any) -> int:
    text = str(value or "0")
    return int(text) if text.lstrip("-").isdigit() else 0
