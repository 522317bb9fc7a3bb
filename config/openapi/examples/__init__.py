"""Examples of the bodies of every operation: a module for each part of the API, and one for each CRM.

A new operation gets a line in the ``EXAMPLES`` of its part, by its operation id; a new part a module here
and in ``PARTS``. What CRMs have at their own paths needs nothing (``per_crm``). ``tests/openapi`` names each
operation without examples, and sends and reads all of them.
"""

from __future__ import annotations

from config.openapi.examples import (
    accounts,
    answers,
    conversion,
    deliveries,
    events,
    inbound,
    people,
    per_crm,
    reconciliations,
    rules,
)
from config.openapi.examples.shown import Shown

PARTS = (accounts, answers, conversion, deliveries, events, inbound, people, reconciliations, rules)


def examples() -> dict[str, Shown]:
    """Of all operations, by operation id."""
    found = per_crm.examples()
    for part in PARTS:
        found |= part.EXAMPLES
    return found
