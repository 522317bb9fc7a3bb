"""A local solOS CRM, written from the vendor's page and samples and never from our connector."""

from connectors.sandbox.solos.model import Account, Lead, Project
from connectors.sandbox.solos.sandbox import SolosSandbox

__all__ = ["Account", "Lead", "Project", "SolosSandbox"]
