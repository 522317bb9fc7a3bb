"""Was the lead made after all? Reading leads back is UNCONFIRMED and done only where allowed (5.2)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from connectors.errors import Refused, TryLater
from connectors.solos.client import Client
from connectors.solos.shapes import Row, number

PAGE = 50
PAGES = 4


def find(client: Client, uids: Iterable[str]) -> dict[str, str]:
    """``{uid: lead id}`` of the marks among the newest leads. Raises like any call."""
    return {uid: str(number(row.get("id")) or "") for uid, row in rows(client, uids).items()}


def rows(client: Client, uids: Iterable[str]) -> dict[str, Row]:
    """The same leads as solOS shows them."""
    wanted = {uid: mark_of(uid) for uid in uids}
    found: dict[str, Row] = {}
    for row in _newest(client):
        words = words_in(row)
        found |= {uid: row for uid, mark in wanted.items() if uid not in found and mark.search(words)}
        if len(found) == len(wanted):
            break
    return found


def mark_of(uid: str) -> re.Pattern[str]:
    """Our mark in a text, whole."""
    return re.compile(rf"(?<![\w-]){re.escape(uid)}(?![\w-])")


def words_in(row: Row | list[Row]) -> str:
    """All texts of an answer as one."""
    return json.dumps(row, ensure_ascii=False, default=str)


def readable(client: Client) -> bool:
    """Does this account let us read leads? A refusal is an answer."""
    try:
        client.read(client.options.create_module, count=1)
    except Refused:
        return False
    except TryLater as error:
        if error.repeatable:
            raise
        return False
    return True


def _newest(client: Client) -> Iterator[Row]:
    for number_of_page in range(PAGES):
        page = client.read(client.options.create_module, PAGE, number_of_page * PAGE, order="desc")
        yield from page
        if len(page) < PAGE:
            return
