"""A local Envybox CRM."""

from __future__ import annotations

from connectors.sandbox.envybox.model import Crm
from connectors.sandbox.envybox.sandbox import EnvySandbox

__all__ = ["Crm", "EnvySandbox"]
