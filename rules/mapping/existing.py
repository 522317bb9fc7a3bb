"""What a rule writes into contacts and companies that the CRM has already. Pure.

    {"contact": {"mode": "fill", "append": True, "fields": {"5000": "overwrite", "name": "leave"}}}

Fields are named by id or code, as everywhere in a rule, ``name`` is the record's own name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from connectors.draft import FILL, LEAVE, OVERWRITE, Target, WriteMode
from connectors.messages import joined, message

MODES = (LEAVE, FILL, OVERWRITE)
USUAL = (LEAVE, FILL)  # only named fields are overwritten
REACH = ("PHONE", "EMAIL", "IM")  # what several values are added to, by the code that CRMs have for it
BY_NAME = (WriteMode.NAME, *REACH)  # may be named though no list has them
WORDS = {
    LEAVE: message("left as it is"),
    FILL: message("filled where it is empty"),
    OVERWRITE: message("overwritten"),
}
NAMED = {
    WriteMode.NAME: message("name"),
    "PHONE": message("phone"),
    "EMAIL": message("e-mail"),
    "IM": message("messenger"),
}
RECORDS = {"contact": message("A contact that is there"), "company": message("A company that is there")}


def read_modes(
    said: Mapping[str, Any],
    entities: Mapping[str, str],
    fields: Mapping[tuple[str, str], Target],
    able: Collection[str],
) -> dict[str, WriteMode]:
    """As ``Rule.extra`` has it, which was checked when it was saved; of the kinds of record that the CRM is
    ``able`` to write. A field goes by its id and its code."""
    return {
        record: WriteMode(
            one.get("mode", LEAVE),
            bool(one.get("append")),
            dict(_named(one, entities.get(record, ""), fields)),
        )
        for record, one in said.items()
        if record in able
    }


def _named(
    one: Mapping[str, Any], entity: str, fields: Mapping[tuple[str, str], Target]
) -> Iterator[tuple[str, str]]:
    for key, mode in one.get("fields", {}).items():
        target = fields.get((entity, key))
        for name in filter(None, (target.remote_id, target.code) if target else (key,)):
            yield name, mode


def fields_named(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(our word for the record, field) of each that the CRM's list has to have."""
    for record, one in said.items():
        yield from ((record, key) for key in one.get("fields", {}) if key not in BY_NAME)


def words_of(
    modes: Mapping[str, WriteMode], fields: Mapping[tuple[str, str], Target], entities: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """(whom it is about, what becomes of it) in words. ``fields`` are by the CRM's word for the record and by
    id or code, ``entities`` the CRM's words by ours."""
    for record, one in modes.items():
        parts: list[str] = [WORDS[one.usual]]
        if one.append:
            parts.append(message("phones, e-mails and messengers that it lacks are added"))
        named: dict[str, str] = {}
        for key, mode in one.fields.items():
            field = fields.get((entities.get(record, ""), key))
            named[field.name if field else NAMED.get(key, key)] = mode
        parts += [joined(": ", name, WORDS[mode]) for name, mode in named.items()]
        yield RECORDS.get(record, record), joined("; ", *parts)
