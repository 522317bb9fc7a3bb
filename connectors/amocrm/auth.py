"""Signing in to amoCRM: the consent page, the exchange, the refresh, the uninstall call (reference 1).

amocrm.ru/developers/content/oauth/step-by-step
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from connectors.amocrm.errors import CRM, error_body, retry_after
from connectors.amocrm.options import AmoOptions
from connectors.auth import Tokens, seconds_told, token_pair
from connectors.base import Callback, Grant, Notice
from connectors.errors import BadCallback, ConnectorError, NeedsReconnect, OurMistake, TryLater
from connectors.hosts import HostNotAllowed, HostPolicy
from connectors.http import Answer, HttpClient
from connectors.messages import message

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
            raise BadCallback(message("Access was not granted in amoCRM. Start again and press “Allow”."))
        if not query.get("code") or not query.get("referer"):
            raise BadCallback(message("amoCRM's answer is incomplete: code and referer are needed."))
        host = self._host(query["referer"])
        if query.get("client_id", self.options.client_id) != self.options.client_id:
            raise BadCallback(message("This answer is for another integration."))
        if not self._fits(host, query.get("platform", "")):
            raise BadCallback(message("The platform in amoCRM's answer doesn't fit the account's address."))
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
        signed = f"{self.options.client_id}|{account}".encode()
        expected = hmac.new(self.options.client_secret.encode(), signed, hashlib.sha256).hexdigest()
        genuine = hmac.compare_digest(expected.encode(), signature.lower().encode())
        ours = hmac.compare_digest(client.encode(), self.options.client_id.encode())
        if not (self.options.client_secret and genuine and ours and re.fullmatch(r"[0-9]{1,20}", account)):
            raise BadCallback(message("The signature is not amoCRM's."))
        return account

    def read_notice(self, form: Mapping[str, str]) -> Notice | None:
        """amoCRM posts none: it calls an address (``read_uninstall``)."""
        return None

    # -- helpers ---------------------------------------------------------------------------------

    def _host(self, referer: str) -> str:
        try:
            host = self.hosts.allow(referer)
        except HostNotAllowed as exc:
            raise BadCallback(str(exc)) from exc
        if VENDORS_OWN.fullmatch(host) and host not in self.hosts.sandbox:
            raise BadCallback(message("{host} is no account's address.", host=repr(host)))
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
        return self._client(host).ask("POST", TOKEN_PATH, safe=True, json=dict(body))

    def _client(self, host: str) -> HttpClient:
        try:
            base_url = self.hosts.base_url(host)
        except HostNotAllowed as exc:
            raise our_mistake(str(exc)) from exc
        return HttpClient(base_url, TokenResponses(), timeout=TIMEOUT)

    def _grant(self, answer: Answer, host: str) -> Grant:
        tokens = read_tokens(answer)
        return Grant(tokens, host, remote_id=str(jwt_claims(tokens.access).get("account_id") or ""))

    def _renamed_to(self, refusal: Answer, host: str, tokens: Tokens) -> str:
        """Ask the vendor where the account lives now; the same host where it did not move.

        Raises ``NeedsReconnect`` where the vendor says that the refresh token is dead, ``TryLater`` where
        the look-up fails and the refusal did not name the token, or the new address is none of the vendor's.
        """
        domain = api_domain(tokens.access, self.hosts)
        if not domain:
            return host
        try:
            headers = {"X-Refresh-Token": tokens.refresh}
            answer = self._client(domain).ask("GET", SUBDOMAIN_PATH, headers=headers)
        except ConnectorError:
            if is_token_refusal(refusal) or is_client_error(refusal):
                return host
            raise
        if answer.status == 401 and not is_client_error(refusal):
            raise not_alive()
        return self._new_host(answer) or host

    def _new_host(self, answer: Answer) -> str:
        domain = str(error_body(answer).get("domain") or "") if answer.ok else ""
        try:
            return self.hosts.allow(domain) if domain else ""
        except HostNotAllowed as exc:
            raise TryLater(exc.args[0], code="host_not_allowed", account_wide=True) from exc

    def _refresh_error(self, answer: Answer) -> ConnectorError:
        if is_client_error(answer):
            return our_mistake(REFUSES_US)
        if is_token_refusal(answer):
            return not_alive()
        return TryLater(
            message("amoCRM did not refresh the token ({status})", status=answer.status),
            code=f"http_{answer.status}",
            account_wide=True,
        )


# -- what the token endpoint's answers mean: status and ``hint``, never the localised words (1.5) ---------

# Pieces of hints that name the refresh token. Statuses differ: 401 in most reports, 400 in some.
TOKEN_HINTS = (
    "token has been revoked",
    "decrypt the refresh token",
    "invalid refresh token",
    "token has expired",
)
CODE_HINTS = {
    "has expired": message("The code from amoCRM has expired. Start connecting again."),
    "has been revoked": message("The code from amoCRM was used already. Start connecting again."),
    "decrypt the authorization code": message("The code from amoCRM is damaged. Start connecting again."),
}
CLIENT_HINTS = (
    "client_id",
    "client_secret",
    "redirect_uri",
    "send request to account",
    "client authentication",
)
OAUTH_TYPE = "OAuthProblemJson"
MARGIN = 60.0


class TokenResponses:
    """Answers that speak of a code or a token come back as they are; the rest means: not now."""

    def is_expired(self, answer: Answer) -> bool:
        return False

    def failure(self, answer: Answer, safe: bool) -> ConnectorError | None:
        if answer.ok or (answer.status in (400, 401, 404) and (error_body(answer) or answer.status == 404)):
            return None
        words = message("amoCRM's sign-in server is not available ({status})", status=answer.status)
        return TryLater(words, code=f"http_{answer.status}", after=retry_after(answer), account_wide=True)


def hint(answer: Answer) -> str:
    return str(error_body(answer).get("hint") or "")


def is_token_refusal(answer: Answer) -> bool:
    """Does the answer name the refresh token as the culprit?"""
    return answer.status in (400, 401) and any(words in hint(answer).lower() for words in TOKEN_HINTS)


def is_client_error(answer: Answer) -> bool:
    """Our id, our secret or our redirect address; hits every account at once."""
    if any(words in hint(answer).lower() for words in CLIENT_HINTS):
        return True
    nameless = answer.status == 401 and not hint(answer)
    return nameless and OAUTH_TYPE in str(error_body(answer).get("type") or "")


def exchange_error(answer: Answer) -> Exception:
    if is_client_error(answer):
        return our_mistake(REFUSES_US)
    if answer.status == 404:
        return BadCallback(message("There is no such amoCRM account."))
    words = hint(answer).lower()
    known = (text for entry, text in CODE_HINTS.items() if entry in words)
    return BadCallback(next(known, message("amoCRM did not accept the code. Start connecting again.")))


def not_alive() -> NeedsReconnect:
    words = message("amoCRM no longer accepts our token")
    return NeedsReconnect(words, code="token_revoked", remedy=message("Connect amoCRM again."))


REFUSES_US = message("amoCRM refuses our client id, secret or redirect address")


def our_mistake(words: str) -> OurMistake:
    return OurMistake(
        words,
        code="client_refused",
        remedy=message(
            "Compare AMOCRM_CLIENT_ID, AMOCRM_CLIENT_SECRET and AMOCRM_REDIRECT_URI with the integration."
        ),
    )


def read_tokens(answer: Answer) -> Tokens:
    """The pair, with the vendor's own clock (1.4). Raises ``TryLater`` where there is none."""
    body = error_body(answer)
    pair = token_pair(CRM, body)
    now = seconds_told(body.get("server_time"), time.time() - MARGIN)
    return Tokens(*pair, expires_at=now + seconds_told(body.get("expires_in"), 0.0))


def jwt_claims(access: str) -> Mapping[str, Any]:
    """The payload of a JWT, unverified; empty for anything else."""
    parts = access.split(".")
    if len(parts) != 3:
        return {}
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def api_domain(access: str, hosts: HostPolicy) -> str:
    """The host that knows where an account moved to, if it is one of the vendor's; else empty."""
    return hosts.allowed(str(jwt_claims(access).get("api_domain") or ""))
