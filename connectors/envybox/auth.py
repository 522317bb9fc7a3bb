"""An account of Envybox is opened by a key, which travels in the address (reference 1.1).

So no address of a signed request may be written down: the door tells the path before it is signed.
"""

from __future__ import annotations

from connectors.auth import Auth, PreparedRequest, Tokens


class ApiKey(Auth):
    """The key is kept as ``Tokens.access``; it never expires, its owner may make a new one."""

    def sign(self, request: PreparedRequest, tokens: Tokens) -> PreparedRequest:
        request.prepare_url(request.url, {"api_key": tokens.access})
        return request
