"""Apps, codes and token pairs: what lives how long and what may be used once (reference 1.1 to 1.3)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

CODE_LIFE = 30
ACCESS_LIFE = 3600
REFRESH_LIFE = 180 * 24 * 3600


@dataclass
class App:
    """An app card. The redirect URI is what the card says, whatever a request asks for."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    name: str = "Квизы"
    scopes: tuple[str, ...] = ("crm", "user", "userfieldconfig")
    events_url: str | None = None  # gets ONAPPINSTALL and ONAPPUNINSTALL
    version: int = 1


@dataclass
class Install:
    """An app on a portal."""

    application_token: str = field(repr=False)
    scopes: tuple[str, ...]
    user_id: int


@dataclass
class Code:
    text: str = field(repr=False)
    portal_id: int
    user_id: int
    client_id: str
    until: float
    used: bool = False


@dataclass
class Grant:
    """A token pair. `spent_at`: when the refresh token was exchanged; the access token dies with it."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    portal_id: int
    user_id: int
    client_id: str
    access_until: float
    refresh_until: float
    spent_at: float | None = None
    revoked: bool = False

    def is_spent(self, now: float, grace: float) -> bool:
        return self.spent_at is not None and now - self.spent_at >= grace


class TokenBook:
    def __init__(self) -> None:
        self.codes: dict[str, Code] = {}
        self.by_access: dict[str, Grant] = {}
        self.by_refresh: dict[str, Grant] = {}

    def new_code(self, portal_id: int, user_id: int, client_id: str, now: float) -> Code:
        code = Code(secrets.token_hex(35), portal_id, user_id, client_id, now + CODE_LIFE)
        self.codes[code.text] = code
        return code

    def issue(self, portal_id: int, user_id: int, client_id: str, now: float) -> Grant:
        until = int(now) + ACCESS_LIFE
        texts = secrets.token_hex(35), secrets.token_hex(35)
        grant = Grant(*texts, portal_id, user_id, client_id, until, now + REFRESH_LIFE)
        self.by_access[grant.access] = self.by_refresh[grant.refresh] = grant
        return grant

    def of(self, portal_id: int, client_id: str | None = None) -> list[Grant]:
        ours = (grant for grant in self.by_access.values() if grant.portal_id == portal_id)
        return [grant for grant in ours if client_id in (None, grant.client_id)]
