"""The keys of a rule as it is sent: in any case, with what only a rule that was read has; no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from rest_framework import serializers

# What a rule shows beyond what can be sent. ``Utms`` was never served (contract D30).
SHOWN_ONLY = frozenset({"id", "accountid", "quizid", "deleted", "createdat", "problems", "utms"})


def documented(
    body: Mapping[str, Any], shape: serializers.Serializer[Any], ignored: Iterable[str] = SHOWN_ONLY
) -> dict[str, Any]:
    """``body`` with the keys as ``shape`` spells them; the exact spelling counts where several came (D23).

    ``ignored`` are casefolded keys that are dropped on the top level. Raises DRF's ``ValidationError`` that
    names a key which nobody knows, and the nearest that somebody does.
    """
    fields: Mapping[str, Any] = shape.fields  # made once, when they are first asked for
    names = {name.casefold(): name for name in fields}
    read: dict[str, Any] = {}
    for key, value in body.items():
        name = names.get(str(key).casefold())
        if name is None and str(key).casefold() not in ignored:
            raise serializers.ValidationError({str(key): [_unknown(str(key), names)]})
        if name and (name not in read or key == name):
            read[name] = _within(value, fields[name], name)
    return read


def _within(value: Any, field: Any, name: str) -> Any:
    """The same for what is nested. Keys of a ``DictField`` are the caller's own."""
    try:
        if isinstance(field, serializers.ListSerializer) and isinstance(value, list):
            return [_within(one, field.child, str(number)) for number, one in enumerate(value)]
        if isinstance(field, serializers.Serializer) and isinstance(value, Mapping):
            return documented(value, field, ignored=())
    except serializers.ValidationError as error:
        raise serializers.ValidationError({name: error.detail}) from error
    return value


def _unknown(key: str, names: Mapping[str, str]) -> str:
    near = get_close_matches(key.casefold(), names, 1)
    known = f"did you mean {names[near[0]]}?" if near else f"known are {', '.join(names.values())}."
    return f"This key is not known; {known}"
