"""The table of methods: verb, path, handler (reference 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connectors.sandbox.envybox import (
    clients,
    conversion,
    creation,
    deals,
    inputs,
    leads,
    logs,
    overview,
    tasks,
)
from connectors.sandbox.envybox.call import Handler
from connectors.sandbox.envybox.model import CLIENT, DEAL

METHODS: dict[str, tuple[str, Handler]] = {
    "main/data": ("GET", overview.main_data),
    "lead/set": ("POST", creation.set_lead),
    "lead/workset": ("POST", creation.queue_lead),
    "lead/get": ("POST", leads.get),
    "lead/search": ("POST", leads.search),
    "lead/list": ("POST", leads.list_leads),
    "lead/start": ("POST", conversion.start),
    "lead/log/list": ("GET", logs.lead_logs),
    "lead/log/create": ("POST", logs.add_lead_log),
    "lead/updateLeadValue": ("POST", leads.update_values),
    "lead/update_employee": ("POST", leads.update_employee),
    "deal/get": ("POST", deals.get),
    "deal/create": ("POST", deals.create),
    "deal/search": ("POST", deals.search),
    "deal/updateDealStage": ("POST", deals.update_stage),
    "deal/updateEmployee": ("POST", deals.update_employee),
    "deal/toInbox": ("POST", deals.to_inbox),
    "deal/list": ("POST", deals.list_deals),
    "deal/log/list": ("GET", logs.deal_logs),
    "deal/log/create": ("POST", logs.add_deal_log),
    "deal/createComment": ("POST", logs.comment_deal),
    "deal/updatetask": ("POST", tasks.update),
    "deal/getTask": ("POST", tasks.get),
    "deal/getTasks": ("POST", tasks.get_all),
    "deal/tag/addDealTags": ("POST", deals.add_tags),
    "deal/updateDealValue": ("POST", inputs.update_deal),
    "deal/getListInputs": ("GET", inputs.lister(DEAL)),
    "deal/getInput": ("GET", inputs.reader(DEAL)),
    "client/list": ("POST", clients.list_clients),
    "client/get": ("POST", clients.get),
    "client/create": ("POST", clients.create),
    "client/getContacts": ("POST", clients.contacts),
    "client/addContact": ("POST", clients.add_contact),
    "client/getListInputs": ("GET", inputs.lister(CLIENT)),
    "client/getInput": ("GET", inputs.reader(CLIENT)),
    "client/updateClientValue": ("POST", inputs.update_client),
    "client/{client_id}/getCompanies": ("GET", clients.companies),
    "client/{client_id}/addCompany": ("POST", clients.add_company),
    "task/list": ("POST", tasks.list_tasks),
    "stat/custom": ("POST", tasks.statistics),
}
# Methods that clients in public call, and whose answers nobody has described.
ELSEWHERE = ("stat/managers", "stat/stages", "stat/calls")
OF_A_CLIENT = re.compile(r"client/(\d+)/(getCompanies|addCompany)")


def find(path: str) -> tuple[str, Mapping[str, Any]]:
    """The table's name of a path, and the parameters that stand in it."""
    if matched := OF_A_CLIENT.fullmatch(path):
        return f"client/{{client_id}}/{matched[2]}", {"client_id": matched[1]}
    return path, {}
