"""Life-cycle events that a portal posts (reference 1.6). Who keeps the secrets has to prove them.

apidocs.bitrix24.com: api-reference/events/safe-event-handlers
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.base import Grant, Notice
from connectors.bitrix24.token_answers import portal_of, read_facts, read_tokens
from connectors.errors import TryLater

INSTALLED = frozenset({"ONAPPINSTALL", "ONAPPUPDATE"})
UNINSTALLED = "ONAPPUNINSTALL"
MEMBER = re.compile(r"[0-9A-Za-z_-]{1,100}")


def read_notice(form: Mapping[str, str]) -> Notice | None:
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


def _auth(form: Mapping[str, str]) -> dict[str, str]:
    prefix = "auth["
    return {key[len(prefix) : -1]: value for key, value in form.items() if key.startswith(prefix)}


def _grant(auth: Mapping[str, str]) -> Grant | None:
    """The tokens that came along, good at the host that the event names: to be checked, like all of it."""
    try:
        return Grant(read_tokens(auth), portal_of(auth), auth["member_id"], read_facts(auth))
    except (TryLater, ValueError):
        return None
