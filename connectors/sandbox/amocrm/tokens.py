"""Codes and token pairs: what lives how long and what may be used once (reference 1.4 to 1.7)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

CODE_LIFE = 20 * 60
ACCESS_LIFE = 24 * 3600
REFRESH_LIFE = 92 * 24 * 3600  # "3 months"


@dataclass
class Integration:
    """kind: public | private | external; external ones may not read users (reference 1.1)."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    name: str = "Квизы"
    kind: str = "public"
    scopes: tuple[str, ...] = ("crm", "notifications")
    uninstall_url: str | None = None


@dataclass
class Code:
    text: str = field(repr=False)
    account_id: int
    user_id: int
    client_id: str
    until: float
    used: bool = False


@dataclass
class Grant:
    """A token pair: who gave it, for which account, and until when."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    account_id: int
    user_id: int
    client_id: str
    scopes: tuple[str, ...]
    access_until: float
    refresh_until: float
    revoked: bool = False
    spent: bool = False  # the refresh token was exchanged
    parent: Grant | None = None  # the pair this one came from, until it is used first

    def first_use(self) -> None:
        if self.parent is not None:
            self.parent.spent, self.parent = True, None


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _opaque() -> str:
    return "def502" + secrets.token_hex(320)


class TokenBook:
    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self.codes: dict[str, Code] = {}
        self.by_access: dict[str, Grant] = {}
        self.by_refresh: dict[str, Grant] = {}

    def new_code(self, account_id: int, user_id: int, client_id: str, now: float) -> Code:
        code = Code(_opaque(), account_id, user_id, client_id, now + CODE_LIFE)
        self.codes[code.text] = code
        return code

    def issue(
        self, integration: Integration, account_id: int, user_id: int, now: float, domains: dict[str, str]
    ) -> Grant:
        until = int(now) + ACCESS_LIFE
        claims = self._claims(integration, account_id, user_id, int(now), until) | domains
        grant = Grant(
            access=self._jwt(claims),
            refresh=_opaque(),
            account_id=account_id,
            user_id=user_id,
            client_id=integration.client_id,
            scopes=integration.scopes,
            access_until=until,
            refresh_until=now + REFRESH_LIFE,
        )
        self.by_access[grant.access] = self.by_refresh[grant.refresh] = grant
        return grant

    @staticmethod
    def _claims(
        integration: Integration, account_id: int, user_id: int, now: int, until: int
    ) -> dict[str, Any]:
        return {
            "aud": integration.client_id,
            "jti": secrets.token_hex(32),
            "iat": now,
            "nbf": now,
            "exp": until,
            "sub": str(user_id),
            "grant_type": "",
            "account_id": account_id,
            "version": 2,
            "scopes": list(integration.scopes),
            "hash_uuid": secrets.token_hex(16),
        }

    def _jwt(self, claims: dict[str, Any]) -> str:
        """Signed with a key of our own: clients can't verify the vendor's either."""
        head = _b64(json.dumps({"typ": "JWT", "alg": "RS256"}).encode())
        body = _b64(json.dumps(claims, separators=(",", ":")).encode())
        seal = hmac.new(self._key, f"{head}.{body}".encode(), hashlib.sha512).digest() * 4
        return f"{head}.{body}.{_b64(seal)}"

    def accepted(self, access: str, now: float) -> Grant | None:
        grant = self.by_access.get(access)
        if grant is None or grant.revoked or grant.access_until <= now:
            return None
        grant.first_use()
        return grant

    def revoke(self, account_id: int, client_id: str | None = None) -> int:
        grants = [grant for grant in self.by_access.values() if grant.account_id == account_id]
        gone = [grant for grant in grants if client_id in (None, grant.client_id)]
        for grant in gone:
            grant.revoked = True
        return len(gone)
