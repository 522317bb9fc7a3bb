"""One request that was let in, and readers of what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.core import Request
from connectors.sandbox.solos.errors import wrong
from connectors.sandbox.solos.model import Account


@dataclass(frozen=True)
class Call:
    """``params`` are the query of a GET and the JSON body of a POST."""

    switches: Mapping[str, Any]
    account: Account
    request: Request
    params: Mapping[str, Any]
    now: float

    def text(self, name: str, default: str = "") -> str:
        value = self.params.get(name)
        return default if value is None else str(value)

    def number(self, name: str, default: int = 0) -> int:
        """uint, as a number or a string; nothing and "" are the default."""
        return uint(self.params.get(name), name, default)

    def flag(self, name: str, default: str = "") -> str:
        """ "0", "1", or the default where it isn't given."""
        value = self.text(name) or default
        if value not in ("", "0", "1"):
            raise wrong(f"{name} is 0 or 1")
        return value

    def ids(self, name: str) -> set[int]:
        """``1_2_3``: numbers joined by an underscore (reference 1)."""
        return {uint(part, name) for part in self.text(name).split("_") if part}


def uint(value: Any, name: str, default: int = 0) -> int:
    if value is None or value == "":
        return default
    if isinstance(value, bool) or not str(value).isascii() or not str(value).isdigit():
        raise wrong(f"{name} is not a number")
    return int(str(value))
