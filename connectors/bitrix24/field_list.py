"""User fields of every record type (reference 3.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.bitrix24.asking import rows
from connectors.bitrix24.batch import Budget, Command, Reply, ask, send
from connectors.bitrix24.errors import NO_SCOPE
from connectors.bitrix24.lists import PAGE, allowed
from connectors.draft import Option
from connectors.http import HttpClient
from connectors.rows import FieldRow

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
Row = Mapping[str, Any]
Directories = Mapping[str, Sequence[Option]]


def fields(http_client: HttpClient, budget: Budget, lang: str) -> Iterator[Sequence[FieldRow]]:
    """One batch. Old invoices may be gone, smart ones need a scope of their own: neither spoils the rest."""
    keys = [*METHODS, SMART_INVOICE, STATUSES]
    commands = [
        *(list_command(entity, lang) for entity in METHODS),
        _smart_invoice(lang, 0),
        Command("crm.status.list", why="the choices of directory fields"),
    ]
    outcomes = zip(keys, send(http_client, commands, budget), strict=True)
    found = dict(allowed(outcomes, NEEDED, tolerated=frozenset({NO_SCOPE})))
    directories = _directories(rows(found.pop(STATUSES))) if STATUSES in found else {}
    invoice = found.pop(SMART_INVOICE, None)
    for entity, reply in found.items():
        yield [field_row(entity, row, directories) for row in rows(reply) if row.get("ID")]
    if invoice:
        yield from _smart_invoice_rows(http_client, budget, lang, invoice)


def list_command(entity: str, lang: str) -> Command:
    """Without ``LANG`` a field has no label."""
    params = {"order": {"SORT": "ASC"}, "filter": {"LANG": lang}}
    return Command(f"crm.{METHODS[entity]}.userfield.list", params, why=f"the fields of {entity}")


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
    choices = row.get("LIST")
    return tuple(
        Option(str(one.get("ID")), str(one.get("VALUE") or ""), str(one.get("XML_ID") or ""))
        for one in (choices if isinstance(choices, list) else [])
        if isinstance(one, dict)
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
    return Command("userfieldconfig.list", params, why=f"the fields of {SMART_INVOICE}")


def _smart_invoice_rows(
    http_client: HttpClient, budget: Budget, lang: str, first: Reply
) -> Iterator[Sequence[FieldRow]]:
    rest = [_smart_invoice(lang, start) for start in range(PAGE, first.total, PAGE)]
    for page in (first, *ask(http_client, rest, budget)):
        found = page.value.get("fields") if isinstance(page.value, dict) else None
        yield [_config_row(row, lang) for row in found or [] if isinstance(row, dict) and row.get("id")]


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
            for one in row.get("enum") or []
            if isinstance(one, dict)
        ),
        details=dict(row),
    )
