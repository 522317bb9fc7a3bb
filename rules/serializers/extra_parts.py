"""What the parts of ``Extra`` are read with, each part a module of its own or a function of ``extra``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.messages import message
from rules.mapping.conditions import Malformed, unknown_key
from rules.serializers.dialect import RuleDialect


def known(sent: Any, at: str, names: tuple[str, ...]) -> dict[str, Any]:
    """The object's keys as they are documented, whatever their case. Raises ``Malformed``."""
    if not isinstance(sent, Mapping):
        raise Malformed(at, message("an object is needed, with keys out of {names}", names=", ".join(names)))
    spelled = {name.casefold(): name for name in names}
    for key in sent:
        if str(key).casefold() not in spelled:
            raise Malformed(f"{at}.{key}".strip("."), unknown_key(str(key), names))
    return {spelled[str(key).casefold()]: value for key, value in sent.items()}


def listed(sent: Any, at: str, most: int) -> list[Any]:
    """A list of at most ``most``. Raises ``Malformed``."""
    if not isinstance(sent, list) or len(sent) > most:
        raise Malformed(at, message("a list of at most {most} is needed", most=most))
    return sent


def shown_id(remote_id: str, dialect: RuleDialect) -> int | str:
    """In the type that this contract uses for ids of the CRM."""
    return int(remote_id) if dialect.lists_of_maps and remote_id.isdecimal() else remote_id
