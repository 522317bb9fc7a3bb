"""A CRM's rule on the wire: contracts have a module each, all others are derived."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from connectors.registry import without_contract
from rules.serializers import derived
from rules.serializers.dialect import RuleDialect


@cache
def dialect_of(kind: str) -> RuleDialect:
    """How the rules of a CRM are spelled."""
    if kind in without_contract():
        return derived.dialect_for(kind)
    dialect: RuleDialect = import_module(f"{__name__}.{kind}").DIALECT
    return dialect


def mapped_records(crm: str) -> tuple[str, ...]:
    """The kinds of records whose fields a rule of this CRM may fill with questions, the lead's first."""
    return dialect_of(crm).mapped
