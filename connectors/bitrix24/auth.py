"""Signing in to Bitrix24: the consent page on the portal, the exchange on the OAuth server (reference 1).

apidocs.bitrix24.com: settings/oauth
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from connectors.auth import Tokens
from connectors.base import Callback, Grant, Notice
from connectors.bitrix24.events import read_notice
from connectors.bitrix24.options import BitrixOptions
from connectors.bitrix24.token_answers import (
    TokenResponses,
    code_of,
    exchange_error,
    portal_of,
    read_facts,
    read_tokens,
    refresh_error,
)
from connectors.errors import BadCallback, OurMistake
from connectors.hosts import HostNotAllowed, HostPolicy, bare_host
from connectors.http import Answer, HttpClient

TOKEN_PATH = "/oauth/token/"  # noqa: S105
TIMEOUT = (5.0, 15.0)
NEEDED = ("code", "domain", "member_id", "server_domain")


def normalise_portal(typed: str, hosts: HostPolicy, options: BitrixOptions) -> str:
    """The portal's host out of what a person typed (contract D39). Raises ``HostNotAllowed``."""
    host = hosts.allow(bare_host(typed))
    if host in options.oauth_hosts and host not in hosts.sandbox:
        raise HostNotAllowed(f"{host!r} is Bitrix24's own server, not a portal")
    return host


class BitrixSignIn:
    """``base.SignIn`` for Bitrix24."""

    def __init__(self, options: BitrixOptions, hosts: HostPolicy) -> None:
        self.options = options
        self.hosts = hosts

    def authorize_url(self, state: str, portal: str = "") -> str:
        """The redirect address is on the application's card, not in the link (1.1)."""
        query = urlencode({"client_id": self.options.client_id, "state": state})
        base = self.hosts.base_url(self._portal(portal)) if portal else f"https://{self.options.oauth_host}"
        return f"{base}/oauth/authorize/?{query}"

    def read_callback(self, query: Mapping[str, str], portal: str = "") -> Callback:
        """What a browser brought and nobody vouches for: it only has to agree with what we asked (1.8)."""
        if missing := [name for name in NEEDED if not query.get(name)]:
            raise BadCallback(f"Bitrix24's answer is incomplete: {', '.join(missing)} missing.")
        host = self._portal(query["domain"])
        if portal and host != self._portal(portal):
            raise BadCallback(f"The answer is from {host}, but {portal} was to be connected.")
        if bare_host(query["server_domain"]) not in self.options.oauth_hosts:
            raise BadCallback("The answer names a sign-in server that is none of Bitrix24's.")
        return Callback(code=query["code"], host=host, remote_id=query["member_id"])

    def exchange(self, callback: Callback) -> Grant:
        """At our own OAuth server, whatever the browser said. The new tokens must be the portal's."""
        answer = self._post(self.options.oauth_host, "authorization_code", code=callback.code)
        if code_of(answer):
            raise exchange_error(answer)
        grant = self._grant(answer)
        if grant.host != callback.host or grant.remote_id != callback.remote_id:
            raise BadCallback("Bitrix24's tokens are for another portal. Start connecting again.")
        return grant

    def refresh(self, host: str, tokens: Tokens, facts: Mapping[str, Any] | None = None) -> Grant:
        """New tokens; ``Grant.host`` is new after the portal was renamed (1.7)."""
        answer = self._post(self._server(facts or {}), "refresh_token", refresh_token=tokens.refresh)
        if code_of(answer):
            raise refresh_error(answer)
        return self._grant(answer, fallback=host)

    def read_uninstall(self, query: Mapping[str, str]) -> str:
        """An uninstall comes as a notice (``events``)."""
        raise BadCallback("Bitrix24 tells of an uninstall by an event.")

    def read_notice(self, form: Mapping[str, str]) -> Notice | None:
        return read_notice(form)

    # -- the servants ---------------------------------------------------------------------------------

    def _portal(self, typed: str) -> str:
        try:
            return normalise_portal(typed, self.hosts, self.options)
        except HostNotAllowed as exc:
            raise BadCallback(str(exc)) from exc

    def _server(self, facts: Mapping[str, Any]) -> str:
        """The server that issued the tokens, if it is one of Bitrix24's; else ours."""
        host = urlsplit(str(facts.get("server_endpoint") or "")).netloc.lower()
        return host if host in self.options.oauth_hosts else self.options.oauth_host

    def _post(self, host: str, grant_type: str, **rest: str) -> Answer:
        """A form, so that no log of addresses sees the secret. Safe: the same token may be sent again."""
        body = {
            "grant_type": grant_type,
            "client_id": self.options.client_id,
            "client_secret": self.options.client_secret,
            **rest,
        }
        try:
            base_url = self.hosts.base_url(host)
        except HostNotAllowed as exc:
            raise OurMistake(str(exc), code="host_not_allowed", account_wide=True) from exc
        return HttpClient(base_url, TokenResponses(), timeout=TIMEOUT).ask(
            "POST", TOKEN_PATH, safe=True, data=body
        )

    def _grant(self, answer: Answer, fallback: str = "") -> Grant:
        body = answer.json
        tokens = read_tokens(body)
        try:
            host = self.hosts.allow(portal_of(body))
        except HostNotAllowed:
            host = fallback
        return Grant(tokens, host, remote_id=str(body.get("member_id") or ""), facts=read_facts(body))
