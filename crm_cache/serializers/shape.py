"""How REST shows a cached list: each property is told once, for the rows and for the schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rest_framework import serializers
from rest_framework.serializers import Serializer

from accounts.models import Account
from accounts.rest.derived import Described


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


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a row: the column that it shows, its description and its type in the schema.

    ``write`` says how it is written where it does not go as it is, ``own``: the column is the row's, else the
    account's.
    """

    column: str
    text: str
    type: Callable[..., serializers.Field[Any, Any, Any, Any]] = serializers.CharField
    write: Callable[[Any], Any] | None = None
    own: bool = True


of_row, of_account = Property, partial(Property, own=False)
DELETED = of_row("deleted", "soft deletion flag", serializers.BooleanField)


def list_shape(
    what: str,
    row: str,
    properties: Mapping[str, Property],
    answer: str,
    ids: tuple[str, str],
    tag: str,
    *,
    count: Any = serializers.IntegerField,
    text: str = "",
    **more: Any,
) -> ListShape:
    """A list whose rows have these properties in this order. ``row`` and ``answer`` are names of components,
    ``text`` describes the row, ``ids`` are those of the operations that read and refresh it."""
    described = {name: one.type(help_text=one.text) for name, one in properties.items()}
    rows = Described.component(row, described, text)
    page = {
        "count": count(help_text="how many there are in all"),
        "items": rows(many=True, help_text="the rows of this page"),
    }
    # Lists are long: no more calls a value than these.
    columns = [(name, one.column, one.write, one.own) for name, one in properties.items()]

    def item(found: Any, account: Account) -> dict[str, Any]:
        told = {}
        for name, column, write, own in columns:
            value = getattr(found if own else account, column)
            told[name] = write(value) if write else value
        return told

    return ListShape(what, item, Described.component(answer, page), *ids, tag, **more)
