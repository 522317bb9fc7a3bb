"""Local CRMs: stateful, strict and moody stand-ins, written from the vendors' documentation.

They import nothing of this project and no Django. SANDBOXES is the one list of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.sandbox.core import Sandbox

SANDBOXES: dict[str, str] = {
    "amocrm": "connectors.sandbox.amocrm.AmoSandbox",
    "bitrix24": "connectors.sandbox.bitrix24.BitrixSandbox",
    "envybox": "connectors.sandbox.envybox.EnvySandbox",
    "solos": "connectors.sandbox.solos.SolosSandbox",
}


def sandbox_class(kind: str) -> type[Sandbox]:
    module, _, name = SANDBOXES[kind].rpartition(".")
    found: type[Sandbox] = getattr(import_module(module), name)
    return found
