"""How a draft's story asks: it yields commands and is given their outcomes; many stories share a request."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TypeVar

from connectors.bitrix24.batch import Command, Outcome, Reply
from connectors.errors import ConnectorError

T = TypeVar("T")
Story = Generator[Sequence[Command], Sequence[Outcome], T]


def outcomes_of(commands: Sequence[Command]) -> Story[Sequence[Outcome]]:
    """What became of each command, errors among them."""
    return (yield commands) if commands else []


def replies_to(commands: Sequence[Command]) -> Story[list[Reply]]:
    """What the commands returned. Raises the first error."""
    replies = []
    for outcome in (yield from outcomes_of(commands)):
        if isinstance(outcome, ConnectorError):
            raise outcome
        replies.append(outcome)
    return replies


def reply_to(command: Command) -> Story[Reply]:
    (reply,) = yield from replies_to([command])
    return reply


def rows(reply: Reply) -> list[dict[str, object]]:
    """The rows of a list; an empty answer may have any shape (reference 2.2)."""
    return [row for row in reply.value if isinstance(row, dict)] if isinstance(reply.value, list) else []
