"""Signing in to Bitrix24: the consent page on the portal, the exchange on the OAuth server (reference 1).

apidocs.bitrix24.com: settings/oauth, api-reference/events/safe-event-handlers
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from connectors.auth import Tokens, seconds_told, token_pair
from connectors.base import Callback, Grant, Notice
from connectors.bitrix24.errors import CRM, code_of, unpaid
from connectors.bitrix24.options import BitrixOptions
from connectors.errors import BadCallback, ConnectorError, NeedsReconnect, OurMistake, TryLater
from connectors.hosts import HostNotAllowed, HostPolicy, bare_host
from connectors.http import Answer, HttpClient
from connectors.messages import message

TOKEN_PATH = "/oauth/token/"  # noqa: S105
TIMEOUT = (5.0, 15.0)
NEEDED = ("code", "domain", "member_id", "server_domain")


def normalise_portal(typed: str, hosts: HostPolicy, options: BitrixOptions) -> str:
    """The portal's host out of what a person typed (contract D39). Raises ``HostNotAllowed``."""
    host = hosts.allow(bare_host(typed))
    if host in options.oauth_hosts and host not in hosts.sandbox:
        raise HostNotAllowed(message("{host} is Bitrix24's own server, not a portal", host=repr(host)))
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
            raise BadCallback(
                message("Bitrix24's answer is incomplete: {names} missing.", names=", ".join(missing))
            )
        host = self._portal(query["domain"])
        if portal and host != self._portal(portal):
            raise BadCallback(
                message(
                    "The answer is from {host}, but {portal} was to be connected.", host=host, portal=portal
                )
            )
        if bare_host(query["server_domain"]) not in self.options.oauth_hosts:
            raise BadCallback(message("The answer names a sign-in server that is none of Bitrix24's."))
        return Callback(code=query["code"], host=host, remote_id=query["member_id"])

    def exchange(self, callback: Callback) -> Grant:
        """At our own OAuth server, whatever the browser said. The new tokens must be the portal's."""
        answer = self._post(self.options.oauth_host, "authorization_code", code=callback.code)
        if code_of(answer):
            raise exchange_error(answer)
        grant = self._grant(answer)
        if grant.host != callback.host or grant.remote_id != callback.remote_id:
            raise BadCallback(message("Bitrix24's tokens are for another portal. Start connecting again."))
        return grant

    def refresh(self, host: str, tokens: Tokens, facts: Mapping[str, Any] | None = None) -> Grant:
        """New tokens; ``Grant.host`` is new after the portal was renamed (1.7)."""
        answer = self._post(self._server(facts or {}), "refresh_token", refresh_token=tokens.refresh)
        if code_of(answer):
            raise refresh_error(answer)
        return self._grant(answer, fallback=host)

    def read_uninstall(self, query: Mapping[str, str]) -> str:
        """Raises ``BadCallback``: an uninstall comes as a notice."""
        raise BadCallback(message("Bitrix24 tells of an uninstall by an event."))

    def read_notice(self, form: Mapping[str, str]) -> Notice | None:
        """Read a form with PHP's bracket keys; None for an event of another kind."""
        name, auth = form.get("event", "").upper(), _auth(form)
        member_id, token = auth.get("member_id", ""), auth.get("application_token", "")
        if not MEMBER.fullmatch(member_id) or not token:
            return None
        if name == UNINSTALLED:
            return Notice(member_id, token, removed=True)
        if name in INSTALLED and (grant := _grant(auth)):
            return Notice(member_id, token, grant=grant)
        return None

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
            raise OurMistake(str(exc), code="host_not_allowed") from exc
        return HttpClient(base_url, TokenResponses(), timeout=TIMEOUT).ask(
            "POST", TOKEN_PATH, safe=True, data=body
        )

    def _grant(self, answer: Answer, fallback: str = "") -> Grant:
        body = answer.json
        host = self.hosts.allowed(portal_of(body)) or fallback
        return Grant(read_tokens(body), host, str(body.get("member_id") or ""), read_facts(body))


# -- what the OAuth server's answers mean: ``error`` in the body, whatever the status says (1.4) -----------

OUR_OWN = frozenset({"wrong_client", "invalid_client", "invalid_request", "invalid_scope"})
GONE = frozenset(
    {"invalid_grant", "expired_token", "not_installed", "application_not_found", "no_auth_found"}
)
UNPAID = "payment_required"
BAD_CODES = {
    "invalid_grant": message(
        "The code from Bitrix24 was used already or is too old. Start connecting again."
    ),
    "expired_token": message("The code from Bitrix24 is older than 30 seconds. Start connecting again."),
    "not_installed": message(
        "The application is not installed in this Bitrix24. Install it, then connect again."
    ),
    UNPAID: message("The subscription of this Bitrix24 has ended. Renew it, then connect again."),
    "insufficient_scope": message(
        "The application has fewer rights than it needs. Check its card in Bitrix24."
    ),
}


class TokenResponses:
    """Answers with an object come back as they are; the rest means: not now."""

    def is_expired(self, answer: Answer) -> bool:
        return False

    def failure(self, answer: Answer, safe: bool) -> ConnectorError | None:
        if isinstance(answer.json, dict) and (answer.ok or code_of(answer)):
            return None
        words = message("Bitrix24's sign-in server is not available ({status})", status=answer.status)
        return TryLater(words, code=f"http_{answer.status}", account_wide=True)


def exchange_error(answer: Answer) -> Exception:
    """A code was refused."""
    code = code_of(answer)
    if code in OUR_OWN:
        return our_mistake(code)
    return BadCallback(
        BAD_CODES.get(code, message("Bitrix24 did not accept the code ({code}).", code=code[:60]))
    )


def refresh_error(answer: Answer) -> ConnectorError:
    """A refresh token was refused. Only what names this account is held against it."""
    code = code_of(answer)
    if code == UNPAID:
        return unpaid()
    if code in GONE or (code == "invalid_client" and "not installed" in _said(answer)):
        return not_alive(code)
    if code in OUR_OWN:
        return our_mistake(code)
    return TryLater(
        message("Bitrix24 did not refresh the token ({code})", code=code[:60]),
        code=code[:60],
        account_wide=True,
    )


def not_alive(code: str) -> NeedsReconnect:
    again = message("Connect Bitrix24 again.")
    if code == "not_installed":
        again = message("Install the application again, then connect Bitrix24 again.")
    return NeedsReconnect(message("Bitrix24 no longer accepts our token"), code=code, remedy=again)


def our_mistake(code: str) -> OurMistake:
    return OurMistake(
        message("Bitrix24's sign-in server refuses our application ({code})", code=code),
        code="client_refused",
        remedy=message("Compare BITRIX24_CLIENT_ID and BITRIX24_CLIENT_SECRET with the application's card."),
    )


def read_tokens(body: Mapping[str, Any]) -> Tokens:
    """The pair. Raises ``TryLater`` where there is none."""
    pair = token_pair(CRM, body)
    ends = time.time() + seconds_told(body.get("expires_in"), 3600)
    return Tokens(*pair, expires_at=seconds_told(body.get("expires"), ends))


def portal_of(body: Mapping[str, Any]) -> str:
    """The portal's host. ``domain`` of a token answer is the OAuth server's (reference 1.2)."""
    return urlsplit(str(body.get("client_endpoint") or "")).netloc.lower()


def read_facts(body: Mapping[str, Any]) -> dict[str, str]:
    """What the next refresh and every call need to know."""
    path = urlsplit(str(body.get("client_endpoint") or "")).path
    facts = {
        "rest_path": path,
        "server_endpoint": body.get("server_endpoint"),
        "user_id": body.get("user_id"),
        "status": body.get("status"),
    }
    return {name: str(value) for name, value in facts.items() if value}


def _said(answer: Answer) -> str:
    return str((answer.json or {}).get("error_description") or "").lower()


# -- installation events that a portal posts; who keeps the secrets has to prove them (1.6) ---------------

INSTALLED = frozenset({"ONAPPINSTALL", "ONAPPUPDATE"})
UNINSTALLED = "ONAPPUNINSTALL"
MEMBER = re.compile(r"[0-9A-Za-z_-]{1,100}")


def _auth(form: Mapping[str, str]) -> dict[str, str]:
    prefix = "auth["
    return {key[len(prefix) : -1]: value for key, value in form.items() if key.startswith(prefix)}


def _grant(auth: Mapping[str, str]) -> Grant | None:
    """The tokens that came along, good at the host that the event names: to be checked, like all of it."""
    try:
        return Grant(read_tokens(auth), portal_of(auth), auth["member_id"], read_facts(auth))
    except (TryLater, ValueError):
        return None
