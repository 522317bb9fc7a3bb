"""The table of CRMs. Adding one is a line here, a folder and a sandbox (``README.md``)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from importlib import import_module
from typing import Any

from connectors.base import Connector
from connectors.hosts import HostPolicy


@dataclass(frozen=True, slots=True)
class Entry:
    """What a person calls the CRM, and where its two classes are.

    ``contract`` is where the paths of its HTTP contract begin. A CRM without one is served under its kind,
    and its REST paths, bodies and schema follow from its capabilities.
    """

    label: str
    connector: str
    options: str
    contract: str | None = None


CONNECTORS: dict[str, Entry] = {
    "amocrm": Entry(
        "amoCRM", "connectors.amocrm.connector.AmoConnector", "connectors.amocrm.options.AmoOptions", ""
    ),
    "bitrix24": Entry(
        "Bitrix24",
        "connectors.bitrix24.connector.BitrixConnector",
        "connectors.bitrix24.options.BitrixOptions",
        "bitrix/",
    ),
    "envybox": Entry(
        "Envybox", "connectors.envybox.connector.EnvyConnector", "connectors.envybox.options.EnvyOptions"
    ),
    "solos": Entry(
        "solOS", "connectors.solos.connector.SolosConnector", "connectors.solos.options.SolosOptions"
    ),
}


def rest_root(kind: str) -> str:
    """Where the CRM's REST paths begin, without a leading slash."""
    contract = CONNECTORS[kind].contract
    return f"{kind}/" if contract is None else contract


def without_contract() -> list[str]:
    """The CRMs whose REST paths, bodies and schema follow from their capabilities."""
    return [kind for kind, entry in CONNECTORS.items() if entry.contract is None]


def kinds() -> list[tuple[str, str]]:
    """(kind, label) of every CRM: a model's choices, called so that a new CRM needs no migration."""
    return [(kind, entry.label) for kind, entry in CONNECTORS.items()]


@cache
def connector_class(kind: str) -> type[Connector]:
    """The connector of a CRM. Raises ``KeyError`` for one that isn't in the table."""
    found: type[Connector] = _load(CONNECTORS[kind].connector)
    return found


@cache
def options_class(kind: str) -> type[Any]:
    """The dataclass of a CRM's options: each field with its default becomes ``<KIND>_<FIELD>``."""
    found: type[Any] = _load(CONNECTORS[kind].options)
    return found


def read_options(kind: str, read: Any) -> Any:
    """A CRM's options, each read by ``read(name, default)`` under its upper-case name."""
    cls = options_class(kind)
    prefix = kind.upper()
    return cls(**{f.name: read(f"{prefix}_{f.name.upper()}", f.default) for f in fields(cls)})


def host_policy(options: Any, sandbox: frozenset[str]) -> HostPolicy:
    """Where this CRM's secrets may go."""
    exact = frozenset(options.exact_hosts) | frozenset(getattr(options, "self_hosted", ()))
    return HostPolicy(tuple(options.host_suffixes), exact, sandbox)


def _load(path: str) -> Any:
    module, name = path.rsplit(".", 1)
    return getattr(import_module(module), name)
