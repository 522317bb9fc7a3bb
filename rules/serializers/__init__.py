"""A rule on the wire, one file a CRM: its dialect."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def dialect_of(crm: str) -> ModuleType:
    """The spelling of a CRM's rules: ``read`` and ``write``."""
    return import_module(f"{__name__}.{crm}")


def mapped_records(crm: str) -> tuple[str, ...]:
    """The kinds of records whose fields a rule of this CRM may fill with questions, the lead's first."""
    dialect = dialect_of(crm)
    return tuple(entity.lower() for entity in getattr(dialect, "MAPPED", dialect.ENTITIES))


def takes_lists(crm: str) -> bool:
    """Has a record a list of maps (D25), in which a question may come again, or a single map?"""
    return bool(getattr(dialect_of(crm), "LISTS_OF_MAPS", False))
