"""Bitrix24's lists as rows for the cache, each in one batch where it can be (reference 3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from connectors.base import Named
from connectors.bitrix24.client import PAGE, Command, Portal, Reply, Row, allowed, rows
from connectors.bitrix24.errors import NO_SCOPE
from connectors.bitrix24.options import LEAD, SOURCE, STATUS, TYPE
from connectors.draft import Option, Placement
from connectors.messages import message
from connectors.rows import FieldRow, PipelineRow, StepRow, UserRow
from connectors.text import rows_in, whole_number

DEALS = 2
TYPES_WITH_PIPELINES = (1, DEALS, 3, 4, 5, 7, 8, 31)
KEPT_OF_USERS = (
    *("NAME", "LAST_NAME", "SECOND_NAME", "TITLE", "EMAIL", "WORK_POSITION"),
    *("UF_DEPARTMENT", "USER_TYPE", "ACTIVE", "IS_ADMIN"),
)
TAIL = re.compile(r"_(\d+)$")


def users(portal: Portal) -> Iterator[Sequence[UserRow]]:
    """Everybody, also who left: a rule may still name them."""
    (first,) = portal.ask([_users_from(0)])
    seen: set[str] = set()
    for page in _pages(portal, first, _users_from, rows):
        new = [row for row in page if row.get("ID") and str(row["ID"]) not in seen]
        seen |= {str(row["ID"]) for row in new}
        yield [user_row(row) for row in new]


def _pages(
    portal: Portal, first: Reply, from_: Callable[[int], Command], rows_of: Callable[[Reply], Sequence[Row]]
) -> list[Sequence[Row]]:
    """All pages of a list of which the first is there. It tells how many rows there are; where it doesn't, or
    there are more by now, another page follows each full one."""
    rest = [from_(start) for start in range(PAGE, first.total, PAGE)]
    pages = [rows_of(reply) for reply in (first, *portal.ask(rest))]
    while len(pages[-1]) >= PAGE:
        (reply,) = portal.ask([from_(len(pages) * PAGE)])
        pages.append(rows_of(reply))
    return pages


def _users_from(start: int) -> Command:
    return Command("user.get", {"sort": "ID", "order": "ASC", "start": start}, why=message("the users"))


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


def pipelines(portal: Portal) -> Iterator[Sequence[PipelineRow]]:
    """Of every record type. Most have none, and say so with an error; only deals must have them."""
    commands = [
        Command("crm.category.list", {"entityTypeId": number}, why=message("the pipelines"))
        for number in TYPES_WITH_PIPELINES
    ]
    outcomes = zip(TYPES_WITH_PIPELINES, portal.send(commands), strict=True)
    for number, reply in allowed(outcomes, needed={DEALS}):
        yield [pipeline_row(str(number), row) for row in categories(reply)]


def categories(reply: Reply) -> list[Row]:
    found = rows_in(reply.value.get("categories")) if isinstance(reply.value, dict) else []
    return [row for row in found if row.get("id") is not None]


def pipeline_row(entity: str, row: Row) -> PipelineRow:
    return PipelineRow(
        remote_id=str(row["id"]),
        name=str(row.get("name") or ""),
        entity=entity,
        is_main=row.get("isDefault") == "Y",
        sort=whole_number(row.get("sort")),
        details=dict(row),
    )


def steps(portal: Portal) -> Iterator[Sequence[StepRow]]:
    """All entries of all directories: the stages, and sources, types and whatever else there is."""
    (reply,) = portal.ask([Command("crm.status.list", {"order": {"SORT": "ASC"}}, why=message("the steps"))])
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
        sort=whole_number(status.get("SORT")),
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


# -- user fields of every record type (reference 3.4) ----------------------------------------------------

METHODS = {
    "CRM_LEAD": "lead",
    "CRM_DEAL": "deal",
    "CRM_CONTACT": "contact",
    "CRM_COMPANY": "company",
    "CRM_QUOTE": "quote",
    "CRM_REQUISITE": "requisite",
    "CRM_INVOICE": "invoice",
}
NEEDED = {"CRM_LEAD", "CRM_DEAL", "CRM_CONTACT", "CRM_COMPANY"}
SMART_INVOICE = "CRM_SMART_INVOICE"
STATUSES = "statuses"
Directories = Mapping[str, Sequence[Option]]


def fields(portal: Portal, lang: str) -> Iterator[Sequence[FieldRow]]:
    """One batch. Old invoices may be gone, smart ones need a scope of their own: neither spoils the rest."""
    keys = [*METHODS, SMART_INVOICE, STATUSES]
    commands = [
        *(list_command(entity, lang) for entity in METHODS),
        _smart_invoice(lang, 0),
        Command("crm.status.list", why=message("the choices of directory fields")),
    ]
    outcomes = zip(keys, portal.send(commands), strict=True)
    found = dict(allowed(outcomes, NEEDED, tolerated=frozenset({NO_SCOPE})))
    directories = _directories(rows(found.pop(STATUSES))) if STATUSES in found else {}
    invoice = found.pop(SMART_INVOICE, None)
    for entity, reply in found.items():
        yield [field_row(entity, row, directories) for row in rows(reply) if row.get("ID")]
    if invoice:
        pages = _pages(portal, invoice, lambda start: _smart_invoice(lang, start), _configs)
        yield from ([_config_row(row, lang) for row in page if row.get("id")] for page in pages)


def list_command(entity: str, lang: str) -> Command:
    """Without ``LANG`` a field has no label."""
    params = {"order": {"SORT": "ASC"}, "filter": {"LANG": lang}}
    return Command(
        f"crm.{METHODS[entity]}.userfield.list", params, why=message("the fields of {entity}", entity=entity)
    )


def field_row(entity: str, row: Row, directories: Directories | None = None) -> FieldRow:
    labels = (row.get(key) for key in ("EDIT_FORM_LABEL", "LIST_COLUMN_LABEL", "LIST_FILTER_LABEL"))
    kind = str(row.get("USER_TYPE_ID") or "")
    return FieldRow(
        entity=entity,
        remote_id=str(row["ID"]),
        name=str(next(filter(None, labels), None) or row.get("FIELD_NAME") or ""),
        type=kind,
        code=str(row.get("FIELD_NAME") or ""),
        multiple=row.get("MULTIPLE") == "Y",
        options=_options(kind, row, directories or {}),
        details=dict(row),
    )


def _options(kind: str, row: Row, directories: Directories) -> tuple[Option, ...]:
    """A list's own choices, or those of the directory that the field points to."""
    if kind == "crm_status":
        settings = row.get("SETTINGS")
        directory = settings.get("ENTITY_TYPE") if isinstance(settings, dict) else ""
        return tuple(directories.get(str(directory), ()))
    return tuple(
        Option(str(one.get("ID")), str(one.get("VALUE") or ""), str(one.get("XML_ID") or ""))
        for one in rows_in(row.get("LIST"))
    )


def _directories(statuses: Sequence[Row]) -> dict[str, list[Option]]:
    found: dict[str, list[Option]] = {}
    for row in statuses:
        option = Option(str(row.get("STATUS_ID") or ""), str(row.get("NAME") or ""))
        found.setdefault(str(row.get("ENTITY_ID")), []).append(option)
    return found


# -- smart invoices: another method, other names --------------------------------------------------------


def _smart_invoice(lang: str, start: int) -> Command:
    params = {
        "moduleId": "crm",
        "select": {"0": "*", "language": lang},
        "filter": {"entityId": SMART_INVOICE},
        "start": start,
    }
    return Command(
        "userfieldconfig.list",
        params,
        why=message("the fields of {smart_invoice}", smart_invoice=SMART_INVOICE),
    )


def _configs(reply: Reply) -> list[dict[str, Any]]:
    return rows_in(reply.value.get("fields")) if isinstance(reply.value, dict) else []


def _config_row(row: Row, lang: str) -> FieldRow:
    label = row.get("editFormLabel")
    label = label.get(lang) or next(iter(label.values()), "") if isinstance(label, dict) else label
    return FieldRow(
        entity=SMART_INVOICE,
        remote_id=str(row["id"]),
        name=str(label or row.get("fieldName") or ""),
        type=str(row.get("userTypeId") or ""),
        code=str(row.get("fieldName") or ""),
        multiple=row.get("multiple") in ("Y", True),
        options=tuple(
            Option(str(one.get("id")), str(one.get("value") or ""), str(one.get("xmlId") or ""))
            for one in rows_in(row.get("enum"))
        ),
        details=dict(row),
    )


# -- what a rule names of these lists (reference 3.2, 3.3) -----------------------------------------------

GENERAL = "0"  # the general pipeline of deals: its stages' directory bears no number


def named(place: Placement, simple: bool) -> tuple[Named, ...]:
    """Of a lead its status, of a deal its pipeline, stage and type; ``simple`` portals have no leads."""
    said = {key: str(place.choices.get(key) or "") for key in (STATUS, TYPE, SOURCE)}
    if place.choices.get(LEAD) is True and not simple:
        own = [_entry(message("Status"), STATUS, said[STATUS], "STATUS", vital=True)]
    else:
        pipeline = place.pipeline or GENERAL
        stages = "DEAL_STAGE" if pipeline == GENERAL else f"DEAL_STAGE_{pipeline}"
        own = [
            Named("pipelines", pipeline, message("Pipeline"), "PipelineID", entity=str(DEALS)),
            _entry(message("Stage"), "StageID", place.step, stages, vital=True),
            _entry(message("Type"), TYPE, said[TYPE], "DEAL_TYPE"),
        ]
    found = [*own, _entry(message("Source"), SOURCE, said[SOURCE], "SOURCE")]
    return tuple(one for one in found if one.remote_id)


def _entry(word: str, field: str, code: str, directory: str, vital: bool = False) -> Named:
    return Named("steps", code, word, field, entity=directory, vital=vital)
