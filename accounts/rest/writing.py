"""How rows are written as their serializers describe them, without what DRF does for each value."""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from rest_framework.serializers import Serializer

Told = str | Callable[[Any], Any]


def writer(shape: type[Serializer[Any]], **own: Told) -> Callable[[Any], dict[str, Any]]:
    """What writes a row with the properties of ``shape``: its columns of those names (``createdAt`` is
    ``created_at``), or of other names (``delivery.quiz_id``), or what a function says of it, by ``own``."""
    names = shape().get_fields()
    if unknown := own.keys() - names.keys():
        raise TypeError(f"{shape.__name__} has no {unknown}")
    told = [(name, _reader(own.get(name) or _column(name))) for name in names]
    return lambda row: {name: read(row) for name, read in told}


def _column(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z]+)", r"_\1", name).lower()


def _reader(told: Told) -> Callable[[Any], Any]:
    return attrgetter(told) if isinstance(told, str) else told
