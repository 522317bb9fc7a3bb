"""The operator's desk: what is stuck and why, trying it again, and what became of what was delivered."""

from rules.admin import (  # noqa: F401 - each registers its pages
    accounts,
    answers,
    bulk,
    deliveries,
    incidents,
    outcomes,
    people,
    reconciliations,
    rules,
)
