"""A CRM's lists on the wire: contracts have a module each, all others are derived."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from connectors.registry import without_contract
from crm_cache.serializers import derived
from crm_cache.serializers.shape import ListShape


def lists_of(kind: str) -> Sequence[ListShape]:
    """The lists that REST shows of a CRM."""
    if kind in without_contract():
        return derived.lists_for(kind)
    lists: Sequence[ListShape] = import_module(f"{__name__}.{kind}").LISTS
    return lists
