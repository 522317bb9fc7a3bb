"""How a CRM's contract wants a cached list to look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rest_framework.serializers import Serializer

from accounts.models import Account


@dataclass(frozen=True, slots=True)
class ListShape:
    """One list of one CRM.

    ``item`` builds a row's answer; ``answer`` describes the whole of it in the schema. ``filters`` maps a
    whole number of the query to the column it picks by; ``only`` leaves out the rows that the contract has
    no word for; ``reads`` names the bulky columns that ``item`` needs. ``missing`` is the sentence of the 404
    for an empty list, where the contract has one (D7); ``lenient`` takes a bad page for the first one (D5).
    """

    what: str
    item: Callable[[Any, Account], dict[str, Any]]
    answer: type[Serializer]
    read_id: str
    refresh_id: str
    tag: str
    filters: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, Any] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    missing: str = ""
    lenient: bool = False
