"""Which hosts a secret or a token may be sent to.

Every host that a browser or a customer brings passes here: an exact pattern of one label before a listed
suffix. Local CRMs enter through ``sandbox`` addresses, a setting that a deploy check forbids in production.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.messages import message

# No vendor gives names of other alphabets: such a label only looks like somebody's.
LABEL = r"(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
RESERVED = frozenset({"www", "api", "oauth", "login", "static", "cdn"})


SCHEME = re.compile(r"(?i)https?://")


def bare_host(typed: str) -> str:
    """The host in what a person typed or copied: without scheme, path, query and case (contract D39).

    Whether it may be talked to is for ``HostPolicy`` to say.
    """
    return re.split(r"[/?#]", SCHEME.sub("", typed.strip(), count=1), maxsplit=1)[0].lower()


class HostNotAllowed(ValueError):
    """The host is none of the CRM's. The text is fit for a browser page."""


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """``suffixes`` are the CRM's cloud domains, ``exact`` further hosts (its OAuth servers),
    ``sandbox`` ``host:port`` addresses reached over plain http."""

    suffixes: tuple[str, ...]
    exact: frozenset[str] = frozenset()
    sandbox: frozenset[str] = frozenset()

    def allow(self, host: str) -> str:
        """The host in its normal form. Raises ``HostNotAllowed``."""
        plain = host.strip().lower()
        plain = plain.removeprefix("https://").removeprefix("http://").rstrip("/")
        if plain in self.sandbox or plain in self.exact or self._is_customer(plain):
            return plain
        raise HostNotAllowed(message("{host} is not an address of this CRM", host=repr(host[:80])))

    def allowed(self, host: str) -> str:
        """The same, empty where it is not allowed."""
        try:
            return self.allow(host)
        except HostNotAllowed:
            return ""

    def base_url(self, host: str) -> str:
        """Where an allowed host is reached."""
        allowed = self.allow(host)
        return f"http://{allowed}" if allowed in self.sandbox else f"https://{allowed}"

    def _is_customer(self, host: str) -> bool:
        label, _, suffix = host.partition(".")
        return suffix in self.suffixes and label not in RESERVED and bool(re.fullmatch(LABEL, label))
