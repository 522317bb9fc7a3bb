"""What an example is: bodies by what they show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts.rest.paging import cursor

# What a body shows, in words -> the body as JSON has it. A request and the response that it gets have the
# same words; a request without such a response gets any of the operation's successes.
Bodies = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """The bodies of one operation: what is sent, and what comes back by status.

    Errors need not be told unless they teach something: each status has a general one (``errors``). ``files``
    shows what an operation says in another form than JSON.
    """

    responses: Mapping[int, Bodies]
    request: Bodies = field(default_factory=dict)
    files: Bodies = field(default_factory=dict)


def listed(last: int, *items: Mapping[str, Any]) -> dict[str, Any]:
    """A whole list, whose last row has this key."""
    return {"count": len(items), "next": cursor(last), "more": False, "items": list(items)}


SUCCESS = {200: {"Done": "Success"}}
