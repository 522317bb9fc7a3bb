from __future__ import annotations

import responses

from connectors.amocrm.auth import AmoSignIn
from connectors.amocrm.connector import AmoConnector
from connectors.draft import Placement
from connectors.sandbox.amocrm import AmoSandbox
from tests.connectors.amocrm.shop import AMO_HOSTS, HOSTS, connect, options_of
from tests.connectors.bridge import serve
from tests.connectors.harness import Harness


class AmoHarness(Harness):
    kind = "amocrm"
    creation = "/leads/complex"
    tasks = "/api/v4/tasks$"

    def __init__(self, mocked: responses.RequestsMock) -> None:
        self.box: AmoSandbox = AmoSandbox()
        serve(mocked, self.box, AMO_HOSTS)
        self.options = options_of(self.box)
        self.account = self.box.add_account("demo7")
        self.shop = connect(self.box, self.account, self.options, AmoSignIn(self.options, HOSTS))
        self.shop.prepare()

    @property
    def connector(self) -> AmoConnector:
        return self.shop.connector

    def revoke(self) -> None:
        self.box.revoke(self.account)

    def expire(self) -> None:
        self.box.expire(self.account)

    def move(self, lead_id: str, status: str) -> None:
        self.box.control("move_lead", {"lead_id": int(lead_id), "step_id": {"won": 142, "lost": 143}[status]})

    def erase(self, lead_id: str) -> None:
        self.box.control("delete_lead", {"lead_id": int(lead_id)})

    @property
    def place(self) -> Placement:
        return Placement(self.shop.user("Игорь"), *self.shop.step())

    @property
    def person(self) -> str:
        return str(self.account.admin.id)

    def refuse_tasks(self) -> None:
        self.box.switches["tasks_allowed"] = False

    def hide_tasks(self) -> None:
        self.box.faults.add(self.tasks, method="GET", status=403, body='{"title": "Forbidden"}', times=None)

    def secrets(self) -> list[str]:
        tokens = self.shop.store.tokens
        return [tokens.access, tokens.refresh, self.options.client_secret]
