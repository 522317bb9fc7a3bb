"""The table of CRMs. Adding one is a line here, a folder, a sandbox and its URLs (``README.md``)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from importlib import import_module
from typing import Any

from connectors.base import Connector
from connectors.hosts import HostPolicy


@dataclass(frozen=True, slots=True)
class Entry:
    """What a person calls the CRM, and where its two classes are."""

    label: str
    connector: str
    options: str


CONNECTORS: dict[str, Entry] = {
    "amocrm": Entry(
        "amoCRM", "connectors.amocrm.connector.AmoConnector", "connectors.amocrm.options.AmoOptions"
    ),
    "bitrix24": Entry(
        "Bitrix24",
        "connectors.bitrix24.connector.BitrixConnector",
        "connectors.bitrix24.options.BitrixOptions",
    ),
    "envybox": Entry(
        "Envybox", "connectors.envybox.connector.EnvyConnector", "connectors.envybox.options.EnvyOptions"
    ),
    "solos": Entry(
        "solOS", "connectors.solos.connector.SolosConnector", "connectors.solos.options.SolosOptions"
    ),
}


def kinds() -> list[tuple[str, str]]:
    """(kind, label) of every CRM: a model's choices, called so that a new CRM needs no migration."""
    return [(kind, entry.label) for kind, entry in CONNECTORS.items()]


@cache
def connector_class(kind: str) -> type[Connector]:
    """The connector of a CRM. Raises ``KeyError`` for one that isn't in the table."""
    return _load(CONNECTORS[kind].connector)


@cache
def options_class(kind: str) -> type[Any]:
    """The dataclass of a CRM's options: each field with its default becomes ``<KIND>_<FIELD>``."""
    return _load(CONNECTORS[kind].options)


def read_options(kind: str, read: Any) -> Any:
    """A CRM's options, each read by ``read(name, default)`` under its upper-case name."""
    cls = options_class(kind)
    prefix = kind.upper()
    return cls(**{f.name: read(f"{prefix}_{f.name.upper()}", f.default) for f in fields(cls)})


def host_policy(kind: str, options: Any, sandbox: frozenset[str]) -> HostPolicy:
    """Where this CRM's secrets may go."""
    exact = frozenset(options.exact_hosts) | frozenset(getattr(options, "self_hosted", ()))
    return HostPolicy(tuple(options.host_suffixes), exact, sandbox)


def _load(path: str) -> Any:
    module, name = path.rsplit(".", 1)
    return getattr(import_module(module), name)
