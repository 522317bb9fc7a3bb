"""The README's table of capabilities says what the code does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import connectors
from connectors.base import Capabilities
from connectors.registry import CONNECTORS, connector_class

README = Path(connectors.__file__).parent / "README.md"


def words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {word}" for key, word in value.items()) or "none"
    if isinstance(value, tuple):
        return ", ".join(getattr(one, "key", one) for one in value) or "none"
    return str(value)


def written() -> list[list[str]]:
    """The rows of the table under "Capabilities", without the line below its head."""
    section = README.read_text().partition("## Capabilities")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if set(row[0]) != {"-"}]


def test_the_matrix_is_what_the_code_says():
    head = ["", *(entry.label for entry in CONNECTORS.values())]
    can = [connector_class(kind).can for kind in CONNECTORS]
    expected = [
        [field.name, *(words(getattr(one, field.name)) for one in can)] for field in fields(Capabilities)
    ]
    assert written() == [head, *expected]
