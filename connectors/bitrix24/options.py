"""What can be set for Bitrix24: by the operator, and by a rule beyond performer, pipeline and step."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.base import Choice
from connectors.messages import message

# The vendor publishes no full list (reference 1.8): a new country is added here or in the setting.
COUNTRIES = (
    *("ru", "by", "kz", "ua", "com", "eu", "de", "es", "fr", "it", "pl", "uk"),
    *("in", "cn", "id", "vn", "jp", "com.br", "com.tr"),
)

# The keys of ``Placement.choices``. ``Placement.pipeline`` and ``.step`` always are the deal's CATEGORY_ID
# and STAGE_ID, also where ``LEAD`` asks for a lead, so that LEAD can be switched without losing either (D34).
LEAD = "LeadFlag"  # bool: a lead instead of a deal
STATUS = "StatusID"  # the lead's STATUS_ID, an entry of the directory STATUS
TYPE = "TypeID"  # the deal's TYPE_ID, an entry of DEAL_TYPE
SOURCE = "SourceID"  # SOURCE_ID of either, an entry of SOURCE

OFFERED = (
    Choice(LEAD, message("A lead instead of a deal")),
    Choice(STATUS, message("Status of the lead"), "STATUS"),
    Choice(TYPE, message("Type of the deal"), "DEAL_TYPE"),
    Choice(SOURCE, message("Source"), "SOURCE"),
)


@dataclass(frozen=True, slots=True)
class BitrixOptions:
    """The application's keys, the hosts it may talk to, its rate (reference 1.2, 1.8, 2.7).

    Each field is an environment variable ``BITRIX24_<FIELD>``. ``self_hosted`` are portals under domains of
    their own, each allowed by name. ``operating_limit`` is how many seconds of the portal's work one method
    may take in ten minutes.
    """

    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    redirect_uri: str = "http://localhost:8000/webhook/create"
    oauth_host: str = "oauth.bitrix24.tech"
    exact_hosts: tuple[str, ...] = ("oauth.bitrix24.tech", "oauth.bitrix.info")
    host_suffixes: tuple[str, ...] = tuple(f"bitrix24.{country}" for country in COUNTRIES)
    self_hosted: tuple[str, ...] = ()
    requests_per_second: float = 2.0
    burst: int = 45  # of 50: late requests arrive together with the next ones, which costs a few
    operating_limit: float = 420.0
    connect_timeout: float = 5.0
    read_timeout: float = 65.0

    @property
    def oauth_hosts(self) -> frozenset[str]:
        """The servers that may see our secret."""
        return frozenset({*self.exact_hosts, self.oauth_host})
