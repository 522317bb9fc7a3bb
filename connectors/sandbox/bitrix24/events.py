"""Events: handlers, deliveries, the offline queue (reference 1.6, 6)."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from connectors.sandbox.bitrix24.call import Auth
from connectors.sandbox.bitrix24.model import Binding, Portal
from connectors.sandbox.bitrix24.tokens import Install
from connectors.sandbox.php import flatten

if TYPE_CHECKING:
    from connectors.sandbox.bitrix24.sandbox import BitrixSandbox

# (method, url, headers, body, timeout) -> status; 0 when there was no answer in time
Courier = Callable[[str, str, dict[str, str], bytes, float], int]
TIMEOUT = 2.0
HEADERS = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "Bitrix24 Webhook Engine"}


def call_out(method: str, url: str, headers: dict[str, str], body: bytes, timeout: float) -> int:
    request = urllib.request.Request(url, data=body or None, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError):
        return 0


@dataclass(frozen=True)
class Delivery:
    url: str
    body: bytes


class Sender:
    """One try each: Bitrix24 does not repeat a delivery. Nothing leaves until somebody pumps."""

    def __init__(self, box: BitrixSandbox) -> None:
        self._box = box
        self.queue: deque[Delivery] = deque()
        self.statuses: deque[int] = deque(maxlen=1000)  # what the handlers answered

    def pump(self) -> int:
        with self._box.lock:
            due, self.queue = list(self.queue), deque()
        for delivery in due:
            status = self._box.courier("POST", delivery.url, dict(HEADERS), delivery.body, TIMEOUT)
            self.statuses.append(status)
        return len(due)

    def plan(self, url: str, payload: dict[str, Any]) -> None:
        """Form-encoded, every value a string."""
        pairs = [pair for name, value in payload.items() for pair in flatten(name, value)]
        self.queue.append(Delivery(url, urlencode(pairs).encode()))


def happened(box: BitrixSandbox, portal: Portal, event: str, number: int, auth: Auth | None) -> None:
    for binding in portal.bindings:
        install = portal.installed.get(binding.client_id)
        if binding.event != event or install is None:
            continue
        if binding.offline:
            _enqueue(box, portal, binding, number)
        else:
            payload = {"event": event, "event_handler_id": binding.id, "data": {"FIELDS": {"ID": number}}}
            extra = _tokens(box, portal, binding) if box.switches["event_tokens"] and auth else {}
            payload |= {"ts": box.clock.unix(), "auth": extra | _identity(box, portal, install)}
            box.sender.plan(binding.handler, payload)


def _identity(box: BitrixSandbox, portal: Portal, install: Install) -> dict[str, Any]:
    """What every event carries; all else is optional (6)."""
    here = box.addresses_of(portal, None)
    return {
        "domain": here.portal,
        "client_endpoint": f"{here.scheme}://{here.portal}/rest/",
        "server_endpoint": f"{here.scheme}://{here.oauth}/rest/",
        "member_id": portal.member_id,
        "application_token": install.application_token,
    }


def _tokens(box: BitrixSandbox, portal: Portal, binding: Binding) -> dict[str, Any]:
    """A token of the user who changed the record, or of the binding's; no refresh token."""
    user = binding.auth_type or binding.user_id
    grant = box.tokens.issue(portal.id, user, binding.client_id, box.clock.now())
    scopes = ",".join(portal.installed[binding.client_id].scopes)
    shown = {"access_token": grant.access, "expires": int(grant.access_until), "expires_in": 3600}
    return shown | {"scope": scopes, "status": portal.status, "user_id": user}


def _enqueue(box: BitrixSandbox, portal: Portal, binding: Binding, number: int) -> None:
    """Repeated changes of one record collapse."""
    row = {"client_id": binding.client_id, "EVENT_NAME": binding.event, "number": number, "process": ""}
    known = ("client_id", "EVENT_NAME", "number", "process")
    portal.offline = [old for old in portal.offline if any(old[name] != row[name] for name in known)]
    portal.offline.append(row | {"ID": portal.next("offline"), "at": box.clock.now(), "error": 0})


# -- life of an app (1.6) -----------------------------------------------------------------------------


def installed(box: BitrixSandbox, portal: Portal, client_id: str, tokens: dict[str, Any]) -> None:
    """ONAPPINSTALL: full tokens and the application_token."""
    app, install = box.apps[client_id], portal.installed[client_id]
    if app.events_url:
        data = {"VERSION": app.version, "ACTIVE": "Y", "INSTALLED": "Y", "LANGUAGE_ID": "ru"}
        auth = tokens | _identity(box, portal, install)
        payload = {"event": "ONAPPINSTALL", "event_handler_id": 0, "data": data, "ts": box.clock.unix()}
        box.sender.plan(app.events_url, payload | {"auth": auth})


def updated(box: BitrixSandbox, portal: Portal, client_id: str, before: int) -> None:
    """ONAPPUPDATE: may carry a new application_token; subscriptions are gone, bind again."""
    app, install = box.apps[client_id], portal.installed[client_id]
    if app.events_url:
        data = {"VERSION": app.version, "PREVIOUS_VERSION": before, "LANGUAGE_ID": "ru"}
        payload = {"event": "ONAPPUPDATE", "event_handler_id": 0, "data": data, "ts": box.clock.unix()}
        box.sender.plan(app.events_url, payload | {"auth": _identity(box, portal, install)})


def uninstalled(box: BitrixSandbox, portal: Portal, client_id: str, token: str, clean: bool = False) -> None:
    """ONAPPUNINSTALL: no tokens; the application_token is the only proof, and may be forged by a test."""
    app = box.apps[client_id]
    if app.events_url:
        auth = _identity(box, portal, portal.known_apps[client_id]) | {"application_token": token}
        data = {"LANGUAGE_ID": "ru", "CLEAN": int(clean)}
        payload = {"event": "ONAPPUNINSTALL", "event_handler_id": 0, "data": data, "ts": box.clock.unix()}
        box.sender.plan(app.events_url, payload | {"auth": auth})
