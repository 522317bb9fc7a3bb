"""What the REST of CRMs without a contract is made of: names, texts and serializers out of the registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from connectors.base import Capabilities, RestShape
from connectors.registry import CONNECTORS, connector_class


@dataclass(frozen=True, slots=True)
class Described:
    """One CRM as its REST shows it: ``word`` begins the names of its components and operations."""

    kind: str
    label: str
    can: Capabilities
    rest: RestShape

    @property
    def word(self) -> str:
        return self.kind.capitalize()

    @property
    def id_name(self) -> str:
        """The property that has the CRM's own id."""
        return f"{self.kind}ID"

    def text(self, default: str, *names: str) -> str:
        """The CRM's own description under the first of ``names`` that it has, else ``default``."""
        return next((self.rest.texts[name] for name in names if name in self.rest.texts), default)

    @staticmethod
    def component(
        name: str,
        properties: Mapping[str, serializers.Field[Any, Any, Any, Any]],
        text: str = "",
        base: type[serializers.Serializer[Any]] = serializers.Serializer,
    ) -> type[serializers.Serializer[Any]]:
        """A serializer class called ``name``; its properties stand in the order in which they were made."""
        return type(name, (base,), {**properties, "__doc__": text, "__module__": __name__})


def described(kind: str) -> Described:
    """A CRM of the registry. Raises ``KeyError`` for one that isn't in it."""
    connector = connector_class(kind)
    return Described(kind, CONNECTORS[kind].label, connector.can, connector.rest)
