"""Changes of deals and leads that a portal posts (reference 6). An event names an id, and proves nothing.

apidocs.bitrix24.com: api-reference/events/event-bind, api-reference/events/safe-event-handlers
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.bitrix24.asking import rows
from connectors.bitrix24.batch import Budget, Command, Outcome, ask, send
from connectors.bitrix24.errors import NO_RIGHTS
from connectors.bitrix24.events import MEMBER
from connectors.errors import ConnectorError, Refused
from connectors.http import HttpClient
from connectors.lead_status import ChangeNotice

EVENTS = ("ONCRMDEALUPDATE", "ONCRMDEALDELETE", "ONCRMLEADUPDATE", "ONCRMLEADDELETE")
BOUND = ("error_event_binding_exists", "unable to set event handler")
NUMBER = re.compile(r"[1-9][0-9]{0,17}")
SECRET = re.compile(r"[0-9A-Za-z_-]{1,200}")
SLOWER = "Without events changes are seen when Bitrix24 is asked the next time; nothing is lost."


def subscribe(http_client: HttpClient, budget: Budget, url: str) -> None:
    """Bind what is not bound to ``url`` yet. Raises ``Refused`` where rights or plan don't allow it."""
    (reply,) = ask(http_client, [Command("event.get", why="what is posted already?")], budget)
    bound = {str(row.get("event")).upper() for row in rows(reply) if row.get("handler") == url}
    binds = [
        Command("event.bind", {"event": event, "handler": url}, why="tell us of changes")
        for event in EVENTS
        if event not in bound
    ]
    for outcome in send(http_client, binds, budget):
        _settle(outcome)


def unsubscribe(http_client: HttpClient, budget: Budget, url: str) -> None:
    """Unbind all events from ``url``; what is not bound counts as unbound."""
    ask(http_client, [Command("event.unbind", {"event": event, "handler": url}) for event in EVENTS], budget)


def _settle(outcome: Outcome) -> None:
    """Somebody may have bound it in between: that is what we wanted."""
    if not isinstance(outcome, ConnectorError):
        return
    if outcome.code in BOUND or any(words in outcome.message.lower() for words in BOUND):
        return
    if outcome.code in (NO_RIGHTS, "plan"):
        words = f"Bitrix24 does not let us listen to changes: {outcome.message}"
        raise Refused(words, code=outcome.code, remedy=f"{outcome.remedy} {SLOWER}".strip())
    raise outcome


def read_hook(form: Mapping[str, str]) -> ChangeNotice:
    """The portal, its proof and the record of a form with PHP's bracket keys. Its tokens are never used."""
    event = str(form.get("event") or "").upper()
    number = str(form.get("data[FIELDS][ID]") or "")
    records = {number} if event in EVENTS and NUMBER.fullmatch(number) else set()
    return ChangeNotice(
        remote_id=_told(form, "auth[member_id]", MEMBER),
        secret=_told(form, "auth[application_token]", SECRET),
        records=frozenset(records),
    )


def _told(form: Mapping[str, str], key: str, shape: re.Pattern[str]) -> str:
    value = str(form.get(key) or "")
    return value if shape.fullmatch(value) else ""
