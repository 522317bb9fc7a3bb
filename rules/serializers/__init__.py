"""A rule on the wire, one file a CRM: its dialect."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def dialect_of(crm: str) -> ModuleType:
    """The spelling of a CRM's rules: ``read`` and ``write``."""
    return import_module(f"{__name__}.{crm}")
