"""Signing in to amoCRM: the consent page, the exchange, the refresh, the uninstall call (reference 1).

amocrm.ru/developers/content/oauth/step-by-step
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from connectors.amocrm.claims import api_domain, claims
from connectors.amocrm.options import AmoOptions
from connectors.amocrm.token_answers import (
    TokenResponses,
    exchange_error,
    is_client_error,
    is_token_refusal,
    not_alive,
    our_mistake,
    read_tokens,
)
from connectors.auth import Tokens
from connectors.base import Callback, Grant, Notice
from connectors.errors import BadCallback, ConnectorError, TryLater
from connectors.hosts import HostNotAllowed, HostPolicy
from connectors.http import Answer, HttpClient

TOKEN_PATH = "/oauth2/access_token"  # noqa: S105
SUBDOMAIN_PATH = "/oauth2/account/current/subdomain"
TIMEOUT = (5.0, 15.0)
SUFFIX_OF_PLATFORM = {"1": ("amocrm.ru",), "2": ("amocrm.com", "kommo.com")}
VENDORS_OWN = re.compile(r"(?:api|shard|drive|notifications|amojo)[-\d.].*|api\d*\..*")


class AmoSignIn:
    """``base.SignIn`` for amoCRM."""

    def __init__(self, options: AmoOptions, hosts: HostPolicy) -> None:
        self.options = options
        self.hosts = hosts

    def authorize_url(self, state: str, portal: str = "") -> str:
        """``post_message`` redirects in the very window that was opened (1.2)."""
        query = urlencode({"client_id": self.options.client_id, "state": state, "mode": "post_message"})
        return f"{self.options.authorize_url}?{query}"

    def read_callback(self, query: Mapping[str, str], portal: str = "") -> Callback:
        """The code, and the account's host, which a browser brought and nobody vouches for (1.10)."""
        if query.get("error"):
            raise BadCallback("Access was not granted in amoCRM. Start again and press “Allow”.")
        if not query.get("code") or not query.get("referer"):
            raise BadCallback("amoCRM's answer is incomplete: code and referer are needed.")
        host = self._host(query["referer"])
        if query.get("client_id", self.options.client_id) != self.options.client_id:
            raise BadCallback("This answer is for another integration.")
        if not self._fits(host, query.get("platform", "")):
            raise BadCallback("The platform in amoCRM's answer doesn't fit the account's address.")
        return Callback(code=query["code"], host=host)

    def exchange(self, callback: Callback) -> Grant:
        body = self._body("authorization_code", code=callback.code)
        answer = self._post(callback.host, body)
        if not answer.ok:
            raise exchange_error(answer)
        return self._grant(answer, callback.host)

    def refresh(self, host: str, tokens: Tokens, facts: Mapping[str, Any] | None = None) -> Grant:
        """New tokens, also after the account's subdomain was renamed: then ``Grant.host`` is new (1.8)."""
        answer = self._refresh_at(host, tokens)
        if answer.ok:
            return self._grant(answer, host)
        if answer.status not in (401, 404):
            raise self._refresh_error(answer)
        new_host = self._renamed_to(answer, host, tokens)
        if new_host == host:
            raise self._refresh_error(answer)
        again = self._refresh_at(new_host, tokens)
        if not again.ok:
            raise self._refresh_error(again)
        return self._grant(again, new_host)

    def read_uninstall(self, query: Mapping[str, str]) -> str:
        """The account that removed us, proven by a signature with our secret (1.9)."""
        account, client = query.get("account_id", ""), query.get("client_uuid", "")
        signature = query.get("signature", "")
        message = f"{self.options.client_id}|{account}".encode()
        expected = hmac.new(self.options.client_secret.encode(), message, hashlib.sha256).hexdigest()
        genuine = hmac.compare_digest(expected.encode(), signature.lower().encode())
        ours = hmac.compare_digest(client.encode(), self.options.client_id.encode())
        if not (self.options.client_secret and genuine and ours and re.fullmatch(r"[0-9]{1,20}", account)):
            raise BadCallback("The signature is not amoCRM's.")
        return account

    def read_notice(self, form: Mapping[str, str]) -> Notice | None:
        """amoCRM posts none: it calls an address (``read_uninstall``)."""
        return None

    # -- the servants ---------------------------------------------------------------------------------

    def _host(self, referer: str) -> str:
        try:
            host = self.hosts.allow(referer)
        except HostNotAllowed as exc:
            raise BadCallback(str(exc)) from exc
        if VENDORS_OWN.fullmatch(host) and host not in self.hosts.sandbox:
            raise BadCallback(f"{host!r} is no account's address.")
        return host

    def _fits(self, host: str, platform: str) -> bool:
        if host in self.hosts.sandbox or not platform:
            return True
        return host.endswith(tuple(f".{suffix}" for suffix in SUFFIX_OF_PLATFORM.get(platform, ())))

    def _body(self, grant_type: str, **rest: str) -> dict[str, str]:
        """The redirect address is compared to the letter in both grants (1.4)."""
        return {
            "client_id": self.options.client_id,
            "client_secret": self.options.client_secret,
            "grant_type": grant_type,
            **rest,
            "redirect_uri": self.options.redirect_uri,
        }

    def _refresh_at(self, host: str, tokens: Tokens) -> Answer:
        return self._post(host, self._body("refresh_token", refresh_token=tokens.refresh))

    def _post(self, host: str, body: Mapping[str, str]) -> Answer:
        """The secret leaves only for an allowed host. Safe: the same token may be sent again (1.6)."""
        return self._door(host).ask("POST", TOKEN_PATH, safe=True, json=dict(body))

    def _door(self, host: str) -> HttpClient:
        try:
            base_url = self.hosts.base_url(host)
        except HostNotAllowed as exc:
            raise our_mistake(str(exc)) from exc
        return HttpClient(base_url, TokenResponses(), timeout=TIMEOUT)

    def _grant(self, answer: Answer, host: str) -> Grant:
        tokens = read_tokens(answer)
        known: Mapping[str, Any] = claims(tokens.access)
        account = known.get("account_id")
        return Grant(tokens, host, remote_id=str(account) if account else "")

    def _renamed_to(self, refusal: Answer, host: str, tokens: Tokens) -> str:
        """Ask the vendor where the account lives now; the same host where it did not move.

        Raises ``NeedsReconnect`` where the vendor says that the refresh token is dead, ``TryLater`` where
        the look-up fails and the refusal did not name the token.
        """
        domain = api_domain(tokens.access, self.hosts)
        if not domain:
            return host
        try:
            headers = {"X-Refresh-Token": tokens.refresh}
            answer = self._door(domain).ask("GET", SUBDOMAIN_PATH, headers=headers)
        except ConnectorError:
            if is_token_refusal(refusal) or is_client_error(refusal):
                return host
            raise
        if answer.status == 401 and not is_client_error(refusal):
            raise not_alive(refusal)
        return self._new_host(answer) or host

    def _new_host(self, answer: Answer) -> str:
        domain = str(answer.json.get("domain") or "") if answer.ok and isinstance(answer.json, dict) else ""
        try:
            return self.hosts.allow(domain) if domain else ""
        except HostNotAllowed:
            return ""

    def _refresh_error(self, answer: Answer) -> ConnectorError:
        if is_client_error(answer):
            return our_mistake("amoCRM refuses our client id, secret or redirect address")
        if is_token_refusal(answer):
            return not_alive(answer)
        return TryLater(f"amoCRM did not refresh the token ({answer.status})", code=f"http_{answer.status}")
