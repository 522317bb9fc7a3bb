"""What an account's lists hold, all of it out of one main/data (reference 4.1, 7.4). Pure.

The answer is trusted only whole: a half of it would look as if all the rest had been deleted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from connectors.draft import Option
from connectors.envybox.client import Row, at, flag_of, id_of
from connectors.envybox.options import INBOXES
from connectors.errors import TryLater
from connectors.messages import message
from connectors.rows import FieldRow, PipelineRow, StepRow, UserRow
from connectors.rows import Row as ListRow
from connectors.text import rows_in, whole_number

ADMINISTRATOR = "0"  # an employee id to Envybox, of nobody in its list
KINDS = {"2003": "won", "2004": "lost"}
RGB = re.compile(r"rgba?\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})")
ELEMENTS = ("lead", "client", "deal")
PIPELINES = ("deal", "lead")
# Details are for people: what is nobody's business stays with Envybox.
PRIVATE = frozenset({"api_key", "crm_phone_number", "user_logo"})


def users(data: Row) -> list[UserRow]:
    """The staff, and the administrator, who is named by 0."""
    administrator = UserRow(
        ADMINISTRATOR, "Администратор", role="administrator", details={"user_id": id_of(data.get("user_id"))}
    )
    return [administrator, *(_user(row) for row in employees(data) if id_of(row.get("id")))]


def _user(row: Row) -> UserRow:
    names = (str(row.get(part) or "").strip() for part in ("name", "surname"))
    return UserRow(
        id_of(row["id"]),
        " ".join(filter(None, names)),
        email=str(row.get("email") or ""),
        role=str(row.get("profession") or ""),
        active=alive(row),
        details=_public(row),
    )


def pipelines(data: Row) -> list[PipelineRow]:
    """Deals' first; a lead's are flagged by their entity. What was deleted is left out."""
    return [
        PipelineRow(
            id_of(row["id"]),
            str(row.get("name") or ""),
            entity=element,
            is_main=flag_of(row.get("primary")),
            sort=index,
            details={key: value for key, value in _public(row).items() if key != "stages"},
        )
        for element in PIPELINES
        for index, row in enumerate(_living(pipelines_of(data, element)))
    ]


def steps(data: Row) -> list[StepRow]:
    """Stages by pipeline in their order, and the kinds of incoming request as a directory."""
    stages = [
        _step(row, id_of(line["id"]), element)
        for element in PIPELINES
        for line in _living(pipelines_of(data, element))
        for row in _living(rows_in(line.get("stages")))
    ]
    sources = [
        StepRow(
            "", id_of(row["id"]), str(row.get("name") or ""), entity=INBOXES, sort=index, details=_public(row)
        )
        for index, row in enumerate(_living(rows_in(data.get("inbox_types"))))
    ]
    return sorted(stages, key=lambda step: step.sort) + sources


def _step(row: Row, pipeline: str, element: str) -> StepRow:
    status = id_of(row.get("status_id"))
    return StepRow(
        pipeline,
        id_of(row["id"]),
        str(row.get("name") or ""),
        entity=element,
        color=hex_color(str(row.get("color") or "")),
        kind=KINDS.get(status, "open"),
        sort=whole_number(row.get("position")),
        details=_public(row),
    )


def custom_fields(data: Row) -> list[FieldRow]:
    """Fields by record; ``type`` is Envybox's number, whose table nobody has seen whole."""
    return [_field(row, element) for element in ELEMENTS for row in _living(fields_of(data, element))]


def _field(row: Row, element: str) -> FieldRow:
    return FieldRow(
        element,
        id_of(row["id"]),
        str(row.get("name") or ""),
        id_of(row.get("type_id")),
        code=str(row.get("name_id") or ""),
        options=tuple(_options(row)),
        details=_public(row),
    )


def _options(row: Row) -> list[Option]:
    """Nobody has seen the options of a list field: they are taken where they might stand (reference 9)."""
    for name in ("options", "variants", "list_values"):
        found = [(id_of(one.get("id")), _text(one)) for one in rows_in(row.get(name))]
        if options := [Option(number, text) for number, text in found if number and text]:
            return options
    return []


def _text(one: Row) -> str:
    return str(one.get("name") or one.get("value") or one.get("text") or "")


def _living(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if alive(row) and id_of(row.get("id"))]


def _public(row: Row) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in PRIVATE}


def hex_color(color: str) -> str:
    """``rgb(35, 148, 254)`` as ``#2394fe``."""
    found = RGB.match(color.strip())
    return "#{:02x}{:02x}{:02x}".format(*(min(255, int(part)) for part in found.groups())) if found else color


ALL: Mapping[str, Callable[[Row], Sequence[ListRow]]] = {
    "users": users,
    "pipelines": pipelines,
    "steps": steps,
    "fields": custom_fields,
}

# -- main/data, read --------------------------------------------------------------------------------------


def checked(data: Row) -> Row:
    """The answer, if it is whole. Raises ``TryLater``."""
    whole = id_of(data.get("id")) and isinstance(data.get("lead"), dict) and pipelines_of(data, "deal")
    if not whole:
        words = message("Envybox's description of the account is not whole")
        raise TryLater(words, code="unreadable", account_wide=True)
    return data


def pipelines_of(data: Row, element: str) -> list[dict[str, Any]]:
    """The pipelines of leads or deals."""
    return rows_in(at(data, element, "pipelines"))


def fields_of(data: Row, element: str) -> list[dict[str, Any]]:
    return rows_in(at(data, element, "custom_fields"))


def employees(data: Row) -> list[dict[str, Any]]:
    """Under the name that nobody could read: the first array of people (reference 6.3)."""
    if "employees" in data:
        return rows_in(data["employees"])
    arrays = (rows_in(value) for value in data.values() if isinstance(value, list))
    return next((rows for rows in arrays if rows and all("surname" in row for row in rows)), [])


def alive(row: Row) -> bool:
    return not row.get("deleted_at")
