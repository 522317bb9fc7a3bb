"""What the operator sets for amoCRM; each field is an environment variable ``AMOCRM_<FIELD>``."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AmoOptions:
    """The integration's keys, its addresses and its rate limit (reference 1, 6.1)."""

    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    redirect_uri: str = "http://localhost:8000/webhook/create"
    authorize_url: str = "https://www.amocrm.ru/oauth"
    host_suffixes: tuple[str, ...] = ("amocrm.ru", "amocrm.com", "kommo.com")
    exact_hosts: tuple[str, ...] = ()
    requests_per_second: float = 5.3  # of 7: those that come late meet the next ones in the same second
    connect_timeout: float = 5.0
    read_timeout: float = 20.0
