"""A local Bitrix24, written from the vendor's documentation and never from our connector."""

from connectors.sandbox.bitrix24.model import Portal, User
from connectors.sandbox.bitrix24.sandbox import BitrixSandbox
from connectors.sandbox.bitrix24.tokens import App

__all__ = ["App", "BitrixSandbox", "Portal", "User"]
