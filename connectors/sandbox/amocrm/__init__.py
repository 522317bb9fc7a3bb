"""A local amoCRM, written from the vendor's documentation and never from our connector."""

from connectors.sandbox.amocrm.model import Account, DupControl
from connectors.sandbox.amocrm.sandbox import AmoSandbox
from connectors.sandbox.amocrm.tokens import Integration

__all__ = ["Account", "AmoSandbox", "DupControl", "Integration"]
