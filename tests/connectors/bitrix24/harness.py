from __future__ import annotations

import re
from typing import Any, ClassVar

import responses

from connectors.bitrix24.connector import BitrixConnector
from connectors.draft import Placement
from connectors.sandbox.bitrix24 import BitrixSandbox
from connectors.sandbox.journal import Entry
from tests.connectors.bitrix24.dentist import BITRIX_HOSTS, connect, options_of
from tests.connectors.bridge import serve
from tests.connectors.harness import Harness

READ = re.compile(r"\.(list|get)$")


def methods_of(entry: Entry) -> list[str]:
    """The commands of a batch, or the one method of the request."""
    if not entry.path.endswith("/batch"):
        return [entry.path]
    return [command.partition("?")[0] for command in entry.json["cmd"].values()]


class BitrixHarness(Harness):
    kind = "bitrix24"
    creation = r"/crm\.(deal|lead)\.add"
    tasks = r"/crm\.activity\.todo\.add"
    busy: ClassVar[dict[str, Any]] = {"status": 503}

    def __init__(self, mocked: responses.RequestsMock) -> None:
        self.box: BitrixSandbox = BitrixSandbox()
        serve(mocked, self.box, BITRIX_HOSTS)
        self.options = options_of(self.box)
        self.portal = self.box.add_portal("demo7")
        self.dentist = connect(self.box, self.portal, self.options)
        self.dentist.prepare()

    @property
    def connector(self) -> BitrixConnector:
        return self.dentist.connector

    def revoke(self) -> None:
        self.box.revoke(self.portal)

    def expire(self) -> None:
        self.box.expire(self.portal)

    def move(self, lead_id: str, status: str) -> None:
        self.dentist.move("deal", lead_id, {"won": "WON", "lost": "LOSE"}[status])

    def erase(self, lead_id: str) -> None:
        self.dentist.forget("deal", lead_id)

    @property
    def place(self) -> Placement:
        people = self.portal.users.values()
        return Placement(str(next(one.id for one in people if one.active and not one.admin)))

    @property
    def person(self) -> str:
        return str(self.portal.admin.id)

    def refuse_tasks(self) -> None:
        self.box.switches["todo"] = "gone"

    def hide_tasks(self) -> None:
        self.box.switches["method_errors"] = {"crm.activity.list": "ERROR_METHOD_NOT_FOUND"}

    def is_read(self, entry: Entry) -> bool:
        return all(READ.search(method) for method in methods_of(entry))

    def secrets(self) -> list[str]:
        tokens = self.dentist.store.tokens
        return [tokens.access, tokens.refresh, self.options.client_secret]
