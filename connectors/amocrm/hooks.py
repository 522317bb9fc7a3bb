"""Changes of leads that amoCRM posts (reference 7). A notice is unsigned: it only says where to look.

amocrm.ru/developers/content/crm_platform/webhooks-api, .../webhooks-format
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connectors.amocrm.errors import NO_RIGHTS, NO_SCOPE
from connectors.amocrm.people import embedded
from connectors.errors import ConnectorError, Refused
from connectors.http import HttpClient
from connectors.lead_status import ChangeNotice

PATH = "/api/v4/webhooks"
SETTINGS = ("status_lead", "responsible_lead", "update_lead", "delete_lead", "restore_lead")
MOST_RECORDS = 200
LEAD_ID = re.compile(r"leads\[(?:add|update|delete|status|responsible|restore)\]\[[0-9]{1,6}\]\[id\]")
NUMBER = re.compile(r"[1-9][0-9]{0,17}")
SLOWER = "Without them changes are seen when amoCRM is asked the next time; nothing is lost."


def subscribe(http_client: HttpClient, url: str) -> None:
    """Have the lives of leads posted to ``url``. Raises ``Refused`` where right or tariff are missing.

    Asking first leaves a repeat without effect, and tells an unpaid account from a tariff without hooks.
    """
    hooks = embedded(http_client.call("GET", PATH, params={"filter[destination]": url}), "webhooks")
    if any(_serves(hook, url) for hook in hooks):
        return
    try:
        http_client.call("POST", PATH, safe=True, json={"destination": url, "settings": list(SETTINGS)})
    except ConnectorError as error:
        raise _no_hooks(error) from error


def unsubscribe(http_client: HttpClient, url: str) -> None:
    """Have nothing more posted to ``url``."""
    http_client.call("DELETE", PATH, safe=True, json={"destination": url})


def _serves(hook: Mapping[str, Any], url: str) -> bool:
    wanted = hook.get("destination") == url and not hook.get("disabled")
    return wanted and set(SETTINGS) <= set(hook.get("settings") or ())


def _no_hooks(error: ConnectorError) -> ConnectorError:
    if error.code == "unpaid":
        words = "This amoCRM's tariff has no webhooks: the extended and the professional one have"
        return Refused(words, code="no_hooks", remedy=SLOWER)
    if error.code in (NO_RIGHTS, NO_SCOPE):
        words = "amoCRM lets only an administrator subscribe to changes, on a tariff that has webhooks"
        return Refused(words, code=error.code, remedy=f"Connect as an administrator. {SLOWER}")
    return error


def read_hook(form: Mapping[str, str]) -> ChangeNotice:
    """The account and the leads of a form with PHP's bracket keys; whatever else it says is not believed."""
    account = str(form.get("account[id]") or "")
    ids: set[str] = set()
    for key, value in form.items():
        if len(ids) < MOST_RECORDS and LEAD_ID.fullmatch(str(key)) and NUMBER.fullmatch(str(value)):
            ids.add(str(value))
    return ChangeNotice(remote_id=account if NUMBER.fullmatch(account) else "", records=frozenset(ids))
