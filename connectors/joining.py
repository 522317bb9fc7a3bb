"""Several answers for one field: one value, or the first of them and losses. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from connectors.draft import FieldValue, Target, UnplacedValue
from connectors.messages import message

TAKEN = message("another answer already fills the field")


def one_per_field(
    values: Iterable[FieldValue], holds_several: Callable[[Target], bool]
) -> tuple[list[FieldValue], list[UnplacedValue]]:
    """One value for each field, in their order, and what had no room beside it.

    ``holds_several`` is ``Connector.holds_several``.
    """
    found: dict[tuple[str, str], FieldValue] = {}
    losses: list[UnplacedValue] = []
    for value in values:
        target = value.target
        first = found.setdefault((target.entity, target.remote_id), value)
        if first is value:
            continue
        if holds_several(target):
            both = f"{first.question}; {value.question}"
            found[target.entity, target.remote_id] = replace(
                first, question=both, value=(*first.texts, *value.texts)
            )
        else:
            losses.append(value.unplaced(TAKEN))
    return list(found.values()), losses
