"""Writing a record whatever the portal thinks of some of its values (D54)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.bitrix24.client import Command, Reply, Story, reply_to
from connectors.bitrix24.errors import is_demand
from connectors.bitrix24.records import Record
from connectors.bitrix24.requests import BitrixItem
from connectors.errors import NO_RIGHTS, Refused
from connectors.messages import message

INDISPENSABLE = frozenset({NO_RIGHTS, "error_method_not_found"})  # no value is to blame for these
MOST_TRIES = 3


def without_refused_values(
    item: BitrixItem, record: Record, command_of: Callable[[], Command | None]
) -> Story[Reply]:
    """The reply to the record's command, if it has one. What the portal refuses is taken out and told (D54).

    Raises ``Refused`` where it refuses the whole record, or misses a value in a new one.
    """
    for tries_left in reversed(range(MOST_TRIES)):
        if not (command := command_of()):
            return Reply(None)
        try:
            return (yield from reply_to(command))
        except Refused as refusal:
            missing = not command.safe and is_demand(refusal)
            if refusal.code in INDISPENSABLE or missing or not tries_left:
                raise
            if not (losses := record.strip(refusal.message)):
                raise
            item.lose(*losses)
    raise AssertionError("unreachable")


def write(item: BitrixItem, record: Record, remote_id: str) -> Story[None]:
    """Write what there is; what the portal refuses is taken out and told."""

    def command() -> Command | None:
        params: Mapping[str, Any] = {"id": remote_id, "fields": record.values}
        return (
            Command(f"crm.{record.word}.update", params, why=message("the {word}", word=record.word))
            if record.values
            else None
        )

    yield from without_refused_values(item, record, command)
