"""The local Bitrix24: an OAuth server and portals (reference: whole).

Written from the vendor's documentation and sources as of November 2026; what is UNCONFIRMED there is a
switch here.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from connectors.sandbox.bitrix24 import controls, events, gate, simple_mode
from connectors.sandbox.bitrix24.call import Auth
from connectors.sandbox.bitrix24.duplicates import Communications
from connectors.sandbox.bitrix24.errors import system
from connectors.sandbox.bitrix24.ledger import ledger
from connectors.sandbox.bitrix24.limits import Limits
from connectors.sandbox.bitrix24.model import Portal, User
from connectors.sandbox.bitrix24.oauth import SESSION, token_answer
from connectors.sandbox.bitrix24.seed import seed
from connectors.sandbox.bitrix24.store import Record
from connectors.sandbox.bitrix24.switches import CHOICES, DEFAULTS
from connectors.sandbox.bitrix24.tokens import App, Install, TokenBook
from connectors.sandbox.core import Reply, Request, Sandbox

SUFFIXES = ("bitrix24.ru", "bitrix24.com", "bitrix24.eu", "bitrix24.de", "bitrix24.by", "bitrix24.kz")
DEMO_CLIENT = "local.5f0e5a1c7c1d48.12345678"
DEMO_SECRET = "sandbox-secret-of-the-quiz-application"
DEMO_REDIRECT = "http://127.0.0.1:8000/webhook/create"
HTML = {502: "Bad Gateway", 504: "Gateway Time-out"}


@dataclass(frozen=True)
class Addresses:
    """How a client that came one way reaches the portal and the OAuth server."""

    scheme: str
    portal: str
    oauth: str


class BitrixSandbox(Sandbox):
    kind = "bitrix24"
    title = "Битрикс24"
    base_port = 8130
    tls_names = (*(f"*.{suffix}" for suffix in SUFFIXES), *gate.OAUTH_HOSTS)
    switch_defaults: ClassVar[Mapping[str, Any]] = DEFAULTS
    switch_choices: ClassVar[Mapping[str, tuple[Any, ...]]] = CHOICES

    def __init__(
        self,
        client_id: str = DEMO_CLIENT,
        client_secret: str = DEMO_SECRET,
        redirect_uri: str = DEMO_REDIRECT,
        events_url: str | None = None,
        courier: events.Courier = events.call_out,
    ) -> None:
        super().__init__()
        self.app = self.integration = App(client_id, client_secret, redirect_uri, events_url=events_url)
        self.apps = {client_id: self.app}
        self.courier = courier
        self._empty()

    def _empty(self) -> None:
        self.tokens, self.limits, self.sender = TokenBook(), Limits(), events.Sender(self)
        self.portals: dict[int, Portal] = {}
        self.by_host: dict[str, Portal] = {}
        self.former: dict[str, Portal] = {}  # hosts and ports of renamed portals
        self._communications: dict[int, Communications] = {}
        self.ports = {}

    def reset(self) -> None:
        with self.lock:
            super().reset()
            self._empty()

    # -- portals ---------------------------------------------------------------------------------

    def add_portal(self, name: str = "", *, port: int | None = None, **options: Any) -> Portal:
        """Seeded, our app installed; options: installed, extra_fields, pipelines, any attribute of Portal."""
        with self.lock:
            number = len(self.portals) + 1
            sizes = {key: options.pop(key) for key in ("extra_fields", "pipelines") if key in options}
            installed = options.pop("installed", True)
            portal = Portal(number, name or f"demo{number}", port=port, **options)
            if portal.host in self.by_host:
                raise ValueError(f"the host {portal.host} is taken")
            self.portals[number] = self.by_host[portal.host] = portal
            self._communications[number] = Communications(self.switches)
            if port is not None:
                self.ports[port] = portal
            seed(portal, self.app.client_id, **sizes)
            if installed:
                self._put_in(portal, self.app)
            return portal

    def add_account(self, subdomain: str = "", *, port: int | None = None, **options: Any) -> Portal:
        return self.add_portal(subdomain, port=port, **options)

    def add_app(self, client_id: str, client_secret: str = DEMO_SECRET, **options: Any) -> App:
        options.setdefault("redirect_uri", DEMO_REDIRECT)
        self.apps[client_id] = made = App(client_id, client_secret, **options)
        return made

    def rename(self, portal: Portal, name: str, port: int | None = None) -> None:
        """The old host answers 302 from now on; tokens and member_id stay (1.7)."""
        with self.lock:
            self.former[portal.host] = self.by_host.pop(portal.host)
            portal.subdomain, portal.own_host = name, ""
            self.by_host[portal.host] = portal
            if port is not None and portal.port is not None:
                self.former[str(portal.port)] = portal
                self.ports.pop(portal.port, None)
                portal.port, self.ports[port] = port, portal

    def is_vendor_name(self, hostname: str) -> bool:
        return hostname in gate.OAUTH_HOSTS or hostname.endswith(tuple("." + suffix for suffix in SUFFIXES))

    def owns_host(self, hostname: str) -> bool:
        return self.is_vendor_name(hostname) or hostname in self.by_host or hostname in self.former

    def owner_of(self, request: Request) -> tuple[Portal, bool] | Literal["oauth"] | None:
        """The portal (and is it its former address), "oauth", or nobody."""
        host = request.hostname
        if host in gate.OAUTH_HOSTS:
            return "oauth"
        if not self.owns_host(host):
            if str(request.port) in self.former:
                return self.former[str(request.port)], True
            owner = self.ports.get(request.port or 80)
            return (owner, False) if owner else "oauth"
        if host in self.by_host:
            return self.by_host[host], False
        return (self.former[host], True) if host in self.former else None

    def addresses_of(self, portal: Portal, request: Request | None = None) -> Addresses:
        """Vendor names for who came by them, at the port they came by; host:port for who came by a port."""
        by_name = request is not None and self.owns_host(request.hostname)
        if by_name or portal.port is None:
            port = f":{request.port}" if by_name and request and request.port else ""
            return Addresses("https", f"{portal.host}{port}", f"{portal.oauth_host}{port}")
        here = request.hostname if request is not None else "127.0.0.1"
        scheme = request.scheme if request is not None else "http"
        www = next((port for port, owner in self.ports.items() if owner is None), self.base_port)
        return Addresses(scheme, f"{here}:{portal.port}", f"{here}:{www}")

    def communications(self, portal: Portal) -> Communications:
        return self._communications[portal.id]

    # -- a request -------------------------------------------------------------------------------

    def answer(self, request: Request) -> Reply:
        return gate.answer(self, request)

    def error_reply(self, status: int, request: Request) -> Reply:
        """The body for a bare error status; proxies in front of a portal answer HTML (2.3)."""
        codes = {401: "expired_token", 429: "OPERATION_TIME_LIMIT", 503: "QUERY_LIMIT_EXCEEDED"}
        codes |= {500: "INTERNAL_SERVER_ERROR", 403: "insufficient_scope", 404: "ERROR_METHOD_NOT_FOUND"}
        if status in codes:
            return Reply.json(status, system(self.switches, codes[status]).body())
        title = f"{status} {HTML.get(status, 'Error')}"
        return Reply.html(status, f"<html><head><title>{title}</title></head><body>{title}</body></html>")

    def route_of(self, request: Request) -> str:
        if not request.path.startswith("/rest/"):
            return f"{request.method} {request.path}"
        return f"{request.method} /rest/{gate.method_name(request.path)[0]}"

    def latency_of(self, request: Request) -> float:
        """A batch takes as long as its commands together."""
        each = self.switches["latency_per_command"]
        return super().latency_of(request) + (each * gate.commands_in(request) if each else 0.0)

    # -- what handlers ask of the world ----------------------------------------------------------

    def happened(self, portal: Portal, event: str, number: int, auth: Auth | None) -> None:
        if portal.bindings:
            events.happened(self, portal, event, number, auth)

    def lead_added(self, portal: Portal, lead: Record, auth: Auth) -> None:
        simple_mode.lead_added(self, portal, lead)

    def catch_up(self, portal: Portal) -> None:
        if portal.to_convert:
            simple_mode.catch_up(self, portal)

    # -- apps and tokens -------------------------------------------------------------------------

    def _put_in(self, portal: Portal, app: App, user: User | None = None) -> None:
        chosen = user or portal.admin
        install = Install(secrets.token_hex(16), app.scopes, chosen.id)
        portal.installed[app.client_id] = portal.known_apps[app.client_id] = install

    def install(self, portal: Portal, app: App | None = None, user: User | None = None) -> None:
        """An administrator installs the app: ONAPPINSTALL with full tokens."""
        with self.lock:
            chosen = app or self.app
            self._put_in(portal, chosen, user)
            events.installed(self, portal, chosen.client_id, self.issue_tokens(portal, user, chosen))

    def uninstall(self, portal: Portal, app: App | None = None, *, clean: bool = False) -> None:
        """REST and refresh stop, ONAPPUNINSTALL is sent by the next pump (1.6)."""
        with self.lock:
            client_id = (app or self.app).client_id
            gone = portal.installed.pop(client_id)
            portal.bindings = [row for row in portal.bindings if row.client_id != client_id]
            events.uninstalled(self, portal, client_id, gone.application_token, clean)

    def update_app(self, portal: Portal, *, new_token: bool = False) -> None:
        """A new version of our app comes to the portal: ONAPPUPDATE, event handlers are dropped (1.6)."""
        with self.lock:
            before, self.app.version = self.app.version, self.app.version + 1
            install = portal.installed[self.app.client_id]
            if new_token:
                install.application_token = secrets.token_hex(16)
            portal.bindings = [row for row in portal.bindings if row.client_id != self.app.client_id]
            events.updated(self, portal, self.app.client_id, before)

    def forge_uninstall(self, portal: Portal, token: str = "guessed") -> None:
        """What anybody can post: the right shape, a wrong application_token."""
        with self.lock:
            events.uninstalled(self, portal, self.app.client_id, token)

    def issue_tokens(
        self, portal: Portal, user: User | None = None, app: App | None = None
    ) -> dict[str, Any]:
        """A token pair as the token endpoint would answer it, without the consent."""
        with self.lock:
            chosen = app or self.app
            if chosen.client_id not in portal.installed:
                self._put_in(portal, chosen)
            number = (user or portal.admin).id
            grant = self.tokens.issue(portal.id, number, chosen.client_id, self.clock.now())
            return token_answer(self, portal, grant)

    def consent(
        self, authorize_url: str, portal: Portal, *, user: User | None = None, allow: bool = True
    ) -> str | None:
        """What the browser of a signed-in employee does. None: a page, no redirect, nobody is told (1.1)."""
        headers = {"Cookie": f"{SESSION}{(user or portal.admin).id}"}
        reply = self.handle("GET", authorize_url, headers)
        if reply.status == 200 and allow and self.switches["consent_page"]:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            reply = self.handle("POST", authorize_url, headers, b"decision=allow")
        return reply.headers.get("Location") if allow else None

    def expire(self, portal: Portal) -> None:
        """All access tokens of the portal run out now; refresh tokens stay."""
        with self.lock:
            for grant in self.tokens.of(portal.id):
                grant.access_until = min(grant.access_until, self.clock.now())

    def revoke(self, portal: Portal, client_id: str | None = None) -> int:
        with self.lock:
            gone = self.tokens.of(portal.id, client_id)
            for grant in gone:
                grant.revoked = True
            return len(gone)

    # -- what people see -------------------------------------------------------------------------

    def ledger(self) -> list[dict[str, Any]]:
        with self.lock:
            for portal in self.portals.values():
                self.catch_up(portal)
            return [row for portal in self.portals.values() for row in ledger(portal)]

    def pump(self) -> int:
        with self.lock:
            for portal in self.portals.values():
                self.catch_up(portal)
        return self.sender.pump()

    def control(self, operation: str, arguments: dict[str, Any]) -> Any:
        return controls.run(self, operation, arguments)
