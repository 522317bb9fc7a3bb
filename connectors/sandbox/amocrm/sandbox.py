"""The local amoCRM: hosts, accounts, tokens, and the way of a request (reference: whole).

Written from the vendor's documentation as of January 2026; what is UNCONFIRMED there is a switch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from connectors.sandbox.amocrm import controls, gate, limits
from connectors.sandbox.amocrm.hal import nginx, problem
from connectors.sandbox.amocrm.hooks import Courier, Sender, call_out, uninstall_request
from connectors.sandbox.amocrm.ledger import ledger
from connectors.sandbox.amocrm.model import SINGULAR, Account, Card, Ids, Note, Tag, User
from connectors.sandbox.amocrm.routes import pattern_of
from connectors.sandbox.amocrm.seed import seed
from connectors.sandbox.amocrm.switches import CHOICES, DEFAULTS
from connectors.sandbox.amocrm.tokens import Grant, Integration, TokenBook
from connectors.sandbox.core import Reply, Request, Sandbox

SUFFIXES = ("amocrm.ru", "amocrm.com", "kommo.com")
DEMO_CLIENT = "3f0e5a1c-7c1d-4b8e-9a52-1d2c3b4a5f60"
DEMO_SECRET = "sandbox-secret-of-the-quiz-integration"
LISTED = {"add": "added", "delete": "deleted", "restore": "restored"}
DEMO_REDIRECT = "http://127.0.0.1:8000/webhook/create"


class AmoSandbox(Sandbox):
    kind = "amocrm"
    title = "amoCRM"
    base_port = 8110
    tls_names = tuple(f"*.{suffix}" for suffix in SUFFIXES)
    switch_defaults: ClassVar[Mapping[str, Any]] = DEFAULTS
    switch_choices: ClassVar[Mapping[str, tuple[Any, ...]]] = CHOICES

    def __init__(
        self,
        client_id: str = DEMO_CLIENT,
        client_secret: str = DEMO_SECRET,
        redirect_uri: str = DEMO_REDIRECT,
        uninstall_url: str | None = None,
        courier: Courier = call_out,
    ) -> None:
        super().__init__()
        self.integration = Integration(client_id, client_secret, redirect_uri, uninstall_url=uninstall_url)
        self.integrations = {client_id: self.integration}
        self.courier = courier
        self._empty()

    def _empty(self) -> None:
        self.ids = Ids()
        self.tokens = TokenBook()
        self.limits = limits.Limits()
        self.sender = Sender(self)
        self.accounts: dict[int, Account] = {}
        self.by_subdomain: dict[str, Account] = {}
        self.ports = {}
        self.former: set[str] = set()  # netlocs of renamed accounts

    def reset(self) -> None:
        with self.lock:
            super().reset()
            self._empty()

    # -- accounts --------------------------------------------------------------------------------

    def add_account(self, subdomain: str = "", *, port: int | None = None, **options: Any) -> Account:
        """Seeded; options: domain, extra_fields, pipelines, and any attribute of Account."""
        with self.lock:
            number = self.ids.next("accounts")
            sizes = {name: options.pop(name) for name in ("extra_fields", "pipelines") if name in options}
            domain = options.pop("domain", SUFFIXES[0])
            account = Account(number, subdomain or f"demo{number}", domain, port=port, **options)
            if account.subdomain in self.by_subdomain:
                raise ValueError(f"the subdomain {account.subdomain} is taken")
            self.accounts[number] = self.by_subdomain[account.subdomain] = account
            if port is not None:
                self.ports[port] = account
            return seed(account, self.ids, **sizes)

    def add_integration(self, client_id: str, **options: Any) -> Integration:
        defaults = {"client_secret": DEMO_SECRET, "redirect_uri": DEMO_REDIRECT}
        self.integrations[client_id] = made = Integration(client_id, **{**defaults, **options})
        return made

    def rename(self, account: Account, subdomain: str, port: int | None = None) -> None:
        with self.lock:
            self.former.add(account.host)
            self.by_subdomain.pop(account.subdomain)
            account.subdomain = subdomain
            self.by_subdomain[subdomain] = account
            if port is not None and account.port is not None:
                self.former.add(str(account.port))
                account.port, self.ports[port] = port, account

    def customers_mode(self, account: Account) -> str:
        return account.customers_mode

    # -- a request -------------------------------------------------------------------------------

    def owns_host(self, hostname: str) -> bool:
        return hostname.endswith(tuple("." + suffix for suffix in SUFFIXES))

    def address_of(self, account: Account, request: Request | None = None) -> str:
        """How a client that came this way reaches the account: a vendor name, or host:port."""
        if request is None or self.owns_host(request.hostname) or account.port is None:
            return account.host
        return f"{request.hostname}:{account.port}"

    def answer(self, request: Request) -> Reply:
        return gate.answer(self, request)

    def error_reply(self, status: int, request: Request) -> Reply:
        if status == 429:
            return limits.busy(self.switches)
        if status == 500:
            trace = f"{self.clock.unix():032x}"
            return problem(500, "Internal server error", trace_id=trace)
        if status in (400, 401, 402, 422):
            return problem(status, {402: "Payment required"}.get(status, "Request refused"))
        titles = {403: "Forbidden", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Time-out"}
        return nginx(status, titles.get(status, "Error"))

    def route_of(self, request: Request) -> str:
        return f"{request.method} {pattern_of(request.path)[0] or '/'}"

    # -- what handlers ask of the world ----------------------------------------------------------

    def tag(self, account: Account, kind: str, name: str, color: Any = None) -> Tag:
        """Colours exist on lead tags only (reference 3.5)."""
        known = account.tags[kind].by_name.get(name)
        if known is not None:
            return known
        colour = color if kind == "leads" and isinstance(color, str) else None
        return account.tags[kind].add(Tag(self.ids.next("tags"), name, colour))

    def note(self, account: Account, card: Any, note_type: str, params: dict[str, Any], author: int) -> Note:
        number = self.ids.next("notes")
        note = Note(number, card.kind, card.id, note_type, params, author, self.clock.unix())
        account.notes[number] = note
        account.notes_of.setdefault((card.kind, card.id), []).append(number)
        return note

    def happened(
        self, account: Account, event: str, card: Card, author: int, before: dict[str, Any] | None = None
    ) -> None:
        verb, entity = event.split("_", 1)
        if verb in LISTED:
            self.list_event(account, f"{entity}_{LISTED[verb]}", card, author)
        if account.hooks:
            self.sender.plan(account, event, card, before)

    def list_event(self, account: Account, name: str, card: Card, author: int, **values: Any) -> None:
        """``values``: value_before, value_after."""
        row = {"id": f"{self.ids.next('events'):032x}", "type": name, "entity_id": card.id}
        row |= {"entity_type": SINGULAR[card.kind], "created_by": author, "created_at": self.clock.unix()}
        row |= {"value_after": [], "value_before": [], "account_id": account.id}
        account.events.append(row | values)

    # -- tokens ----------------------------------------------------------------------------------

    def issue(
        self, account: Account, user_id: int, integration: Integration, request: Request | None = None
    ) -> Grant:
        by_name = request is None or self.owns_host(request.hostname) or account.port is None
        www = "" if by_name or request is None else f"{request.hostname}:{self._www_port()}"
        domains = {"base_domain": www or account.domain, "api_domain": www or f"api-b.{account.domain}"}
        return self.tokens.issue(integration, account.id, user_id, self.clock.now(), domains)

    def _www_port(self) -> int:
        return next((port for port, owner in self.ports.items() if owner is None), self.base_port)

    def token_reply(self, grant: Grant) -> dict[str, Any]:
        now = self.clock.unix()
        body = {"token_type": "Bearer", "expires_in": int(grant.access_until) - now, "server_time": now}
        return body | {"access_token": grant.access, "refresh_token": grant.refresh}

    def issue_tokens(
        self, account: Account, user: User | None = None, integration: Integration | None = None
    ) -> dict[str, Any]:
        """A token pair as the token endpoint would answer it, without the consent."""
        with self.lock:
            chosen = integration or self.integration
            account.installed.add(chosen.client_id)
            grant = self.issue(account, (user or account.admin).id, chosen)
            return self.token_reply(grant)

    def consent(
        self, authorize_url: str, account: Account, *, allow: bool = True, user: User | None = None
    ) -> str:
        """What the browser does: opens the consent page, presses a button, is sent to the redirect URI."""
        shown = self.handle("GET", authorize_url)
        if shown.status != 200:
            raise ValueError(f"no consent page: {shown.status}")
        query = Request.make("GET", authorize_url).params
        form: dict[str, str] = {n: query[n] for n in ("client_id", "state", "mode") if n in query}
        form |= {"account": account.subdomain, "decision": "allow" if allow else "deny"}
        if user is not None:
            form["user"] = str(user.id)
        url = "{0.scheme}://{0.netloc}/oauth".format(urlsplit(authorize_url))
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        reply = self.handle("POST", url, headers, urlencode(form))
        if reply.status != 302:
            raise ValueError(f"the consent was refused: {reply.status}")
        return reply.headers["Location"]

    def revoke(self, account: Account, client_id: str | None = None) -> int:
        with self.lock:
            return self.tokens.revoke(account.id, client_id)

    def expire(self, account: Account) -> None:
        """All access tokens of the account run out now; refresh tokens stay."""
        with self.lock:
            for grant in self.tokens.by_access.values():
                if grant.account_id == account.id:
                    grant.access_until = min(grant.access_until, self.clock.now())

    def uninstall(self, account: Account, integration: Integration | None = None) -> int | None:
        """Revokes, then tells the hook; the reply's status, None when there is no hook."""
        chosen = integration or self.integration
        with self.lock:
            self.tokens.revoke(account.id, chosen.client_id)
            account.installed.discard(chosen.client_id)
        if chosen.uninstall_url is None:
            return None
        url, headers = (
            uninstall_request(chosen, account.id),
            {"User-Agent": "amoService-oAuth-Code-Sender/1.0"},
        )
        status = 0
        for _ in range(1 + self.switches["uninstall_retries"]):
            status = self.courier("GET", url, headers, b"", 2.0)
            if 200 <= status < 300:
                break
        return status

    # -- what people see -------------------------------------------------------------------------

    def ledger(self) -> list[dict[str, Any]]:
        with self.lock:
            return [row for account in self.accounts.values() for row in ledger(account)]

    def pump(self) -> int:
        return self.sender.pump()

    def control(self, operation: str, arguments: dict[str, Any]) -> Any:
        return controls.run(self, operation, arguments)
