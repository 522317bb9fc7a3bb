"""amoCRM's lists as rows for the cache (reference 3).

Every walk goes to its last page, since a short one need not be the last (3.4). The address of the next page
is never followed: it may name another host, which our token must not reach (1.10).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.amocrm.errors import CRM, NOT_ALLOWED
from connectors.draft import Option
from connectors.errors import Refused, unreadable
from connectors.http import HttpClient
from connectors.messages import message
from connectors.rows import FieldRow, PipelineRow, StepRow, TagRow, UserRow
from connectors.text import text_of

PAGE, MOST_PAGES = 250, 10_000
ENTITIES = ("leads", "contacts", "companies", "customers")
NOISE = frozenset({"_links", "_embedded", "account_id", "rights"})
SEVERAL = frozenset({"multiselect", "multitext"})
INCOMING_TYPE, WON, LOST = 1, 142, 143
Row = Mapping[str, Any]


def users(http_client: HttpClient) -> Iterator[Sequence[UserRow]]:
    """Everybody, also who left. Raises ``Refused`` for a connection without an administrator's rights."""
    try:
        for page in walk(http_client, "/api/v4/users", "users", **{"with": "role,group"}):
            yield [user_row(user) for user in page]
    except Refused as refusal:
        if refusal.code in NOT_ALLOWED:
            raise only_admins(refusal) from refusal
        raise


def only_admins(refusal: Refused) -> Refused:
    return Refused(
        message("amoCRM shows its users only to an administrator's connection"),
        code=refusal.code,
        remedy=message("Connect amoCRM again as an administrator of the account."),
        trace=refusal.trace,
    )


def user_row(user: Row) -> UserRow:
    rights = user.get("rights") or {}
    roles, groups = embedded(user, "roles"), embedded(user, "groups")
    group = rights.get("group_id") if rights.get("group_id") is not None else _first(groups, "id")
    return UserRow(
        remote_id=str(user["id"]),
        name=str(user.get("name") or ""),
        email=str(user.get("email") or ""),
        role=str(_first(roles, "name") or ("admin" if rights.get("is_admin") else "")),
        group_id="" if group is None else str(group),
        active=bool(rights.get("is_active", True)) and not rights.get("is_free"),
        details={
            **trimmed(user),
            **{key: rights.get(key) for key in ("is_admin", "is_free", "role_id") if key in rights},
        },
    )


def pipelines(http_client: HttpClient) -> Iterator[Sequence[PipelineRow]]:
    yield [
        PipelineRow(
            remote_id=str(pipeline["id"]),
            name=str(pipeline.get("name") or ""),
            is_main=bool(pipeline.get("is_main")),
            archived=bool(pipeline.get("is_archive")),
            sort=int(pipeline.get("sort") or 0),
            details=trimmed(pipeline),
        )
        for pipeline in raw_pipelines(http_client)
    ]


def steps(http_client: HttpClient) -> Iterator[Sequence[StepRow]]:
    """The stages of every pipeline; won and lost have the same ids in all of them (3.3)."""
    for pipeline in raw_pipelines(http_client):
        yield [
            StepRow(
                pipeline_id=str(pipeline["id"]),
                remote_id=str(status["id"]),
                name=str(status.get("name") or ""),
                color=str(status.get("color") or ""),
                kind=step_kind(status),
                sort=int(status.get("sort") or 0),
                details=trimmed(status),
            )
            for status in unique(embedded(pipeline, "statuses"))
        ]


def step_kind(status: Row) -> str:
    if status.get("type") == INCOMING_TYPE:
        return "incoming"
    return {WON: "won", LOST: "lost"}.get(status["id"], "open")


def fields(http_client: HttpClient, entities: Sequence[str]) -> Iterator[Sequence[FieldRow]]:
    return per_entity(http_client, entities, "custom_fields", field_row)


def field_row(entity: str, field: Row) -> FieldRow:
    return FieldRow(
        entity=entity,
        remote_id=str(field["id"]),
        name=str(field.get("name") or ""),
        type=str(field.get("type") or ""),
        code=str(field.get("code") or ""),
        multiple=field.get("type") in SEVERAL,
        options=tuple(
            Option(str(enum["id"]), str(enum.get("value") or ""), str(enum.get("code") or ""))
            for enum in field.get("enums") or []
        ),
        details=trimmed(field),
    )


def tags(http_client: HttpClient, entities: Sequence[str]) -> Iterator[Sequence[TagRow]]:
    return per_entity(http_client, entities, "tags", tag_row)


def tag_row(entity: str, tag: Row) -> TagRow:
    name, color = str(tag.get("name") or ""), str(tag.get("color") or "")
    return TagRow(entity, str(tag["id"]), name, color, trimmed(tag))


# -- walking ----------------------------------------------------------------------------------------------


def embedded(body: Any, name: str) -> list[dict[str, Any]]:
    """The rows of a HAL page; none for the empty answer that stands for an empty list (3.1)."""
    rows: Iterable[Any] = ((body or {}).get("_embedded") or {}).get(name) or []
    return [row for row in rows if isinstance(row, dict)]


def page_of(body: Any, name: str) -> list[dict[str, Any]]:
    """The rows of an answer to a list. Raises ``TryLater`` for one that is no list of these: nothing would be
    found in it, and be made twice or count as gone."""
    parts = body.get("_embedded") if isinstance(body, dict) else None
    is_list = name in parts if isinstance(parts, dict) and parts else parts in ([], {})
    if body and not is_list:
        raise unreadable(CRM, safe=True)
    return embedded(body, name)


def field_texts(row: Row, field: Any) -> Iterator[str]:
    """What a record has in a custom field, by its id or code."""
    for one in row.get("custom_fields_values") or []:
        if field in (one.get("field_id"), one.get("field_code")):
            yield from (text_of(value.get("value")) for value in one.get("values") or [])


def per_entity(
    http_client: HttpClient, entities: Sequence[str], what: str, to_row: Callable[[str, Row], Any]
) -> Iterator[Sequence[Any]]:
    """The same list of several record types, each a directory of its own."""
    for entity in entities:
        for page in walk(http_client, f"/api/v4/{entity}/{what}", what):
            yield [to_row(entity, row) for row in page]


def walk(http_client: HttpClient, path: str, name: str, **params: Any) -> Iterator[list[dict[str, Any]]]:
    """The rows of each page, none twice: a row inserted meanwhile shifts the pages after it (3.1)."""
    seen: set[Any] = set()
    for number in range(1, MOST_PAGES + 1):
        page = http_client.call("GET", path, params={**params, "page": number, "limit": PAGE})
        if page is None:
            return
        rows = [row for row in unique(page_of(page, name)) if row["id"] not in seen]
        seen |= {row["id"] for row in rows}
        yield rows
        if not has_next(page):
            return


def has_next(page: Any) -> bool:
    links = page.get("_links") if isinstance(page, dict) else None
    return bool(((links or {}).get("next") or {}).get("href"))


def unique(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({row["id"]: row for row in rows if "id" in row}.values())


def trimmed(row: Row) -> dict[str, Any]:
    """The vendor's row without links, owners and what we read into columns of its own."""
    return {key: value for key, value in row.items() if key not in NOISE}


def raw_pipelines(http_client: HttpClient) -> list[dict[str, Any]]:
    return unique(page_of(http_client.call("GET", "/api/v4/leads/pipelines"), "pipelines"))


def _first(rows: Sequence[Row], key: str) -> Any:
    return rows[0].get(key) if rows else None


def moment(value: Any) -> datetime | None:
    """Seconds since 1970, aware; None for what is no moment."""
    try:
        return datetime.fromtimestamp(int(value), UTC) if value else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None
