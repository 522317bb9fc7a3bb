"""A solOS account is opened by a pair of keys, sent with every request (reference 1).

solos.pro/api/v2/projects; github.com/artlevitan/solos-examples
"""

from __future__ import annotations

from typing import Any

from connectors.auth import Auth, Tokens


class KeyPair(Auth):
    """The token is kept as ``Tokens.access``, the secret as ``Tokens.refresh``; neither ever expires."""

    def sign(self, request: Any, tokens: Tokens) -> Any:
        request.headers["X-Crypto-Token"] = tokens.access
        request.headers["X-Crypto-Secret"] = tokens.refresh
        return request
