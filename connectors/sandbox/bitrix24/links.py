"""Contacts of a deal or lead, and companies of a contact (reference 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.sandbox.bitrix24.call import Call
from connectors.sandbox.bitrix24.classic import one
from connectors.sandbox.bitrix24.store import Record
from connectors.sandbox.php import to_int, values_of

Handler = Callable[[Call], Any]


def methods(kind: str) -> dict[str, Handler]:
    base = f"crm.{kind}.contact"
    return {
        f"{base}.items.get": lambda call: get(call, kind),
        f"{base}.items.set": lambda call: put(call, kind),
        f"{base}.items.delete": lambda call: clear(call, kind),
        f"{base}.add": lambda call: add(call, kind),
        f"{base}.delete": lambda call: take_away(call, kind),
    }


def get(call: Call, kind: str) -> list[dict[str, Any]]:
    return [
        {
            "CONTACT_ID": number,
            "SORT": 10 * (index + 1),
            "ROLE_ID": 0,
            "IS_PRIMARY": "N" if index else "Y",
        }
        for index, number in enumerate(one(call, kind).people)
    ]


def _changed(call: Call, record: Record, people: list[int]) -> bool:
    record.people = [number for number in dict.fromkeys(people) if number in call.portal.contacts]
    call.portal.tables[record.kind].touched(record)
    call.box.happened(call.portal, f"ONCRM{record.kind.upper()}UPDATE", record.id, call.auth)
    return True


def put(call: Call, kind: str) -> bool:
    rows = [row for row in values_of(call.param("items")) if isinstance(row, dict)]
    rows.sort(key=lambda row: (row.get("IS_PRIMARY") != "Y", to_int(row.get("SORT"))))
    return _changed(call, one(call, kind), [to_int(row.get("CONTACT_ID")) for row in rows])


def clear(call: Call, kind: str) -> bool:
    return _changed(call, one(call, kind), [])


def add(call: Call, kind: str) -> bool:
    record, row = one(call, kind), call.required_array("fields")
    number = to_int(row.get("CONTACT_ID"))
    people = [number, *record.people] if row.get("IS_PRIMARY") == "Y" else [*record.people, number]
    return _changed(call, record, people)


def take_away(call: Call, kind: str) -> bool:
    record, gone = one(call, kind), to_int(call.required_array("fields").get("CONTACT_ID"))
    return _changed(call, record, [number for number in record.people if number != gone])
