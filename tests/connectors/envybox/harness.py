from __future__ import annotations

import responses

from connectors.envybox.connector import EnvyConnector
from connectors.sandbox.envybox import EnvySandbox
from connectors.sandbox.journal import Entry
from tests.connectors.bridge import serve
from tests.connectors.envybox.florist import ENVY_HOSTS, connect
from tests.connectors.harness import Harness

READS = {f"{record}/{verb}" for record in ("lead", "deal", "client") for verb in ("get", "search", "list")}


class EnvyHarness(Harness):
    kind = "envybox"
    creation = r"/lead/(set|workset)"

    def __init__(self, mocked: responses.RequestsMock) -> None:
        self.box: EnvySandbox = EnvySandbox()
        serve(mocked, self.box, ENVY_HOSTS)
        self.florist = connect(self.box, self.box.add_account("demo7"))

    @property
    def connector(self) -> EnvyConnector:
        return self.florist.connector

    def revoke(self) -> None:
        self.box.revoke(self.florist.crm)

    def move(self, lead_id: str, status: str) -> None:
        self.florist.end(lead_id, status)

    def erase(self, lead_id: str) -> None:
        self.florist.erase(lead_id)

    def is_read(self, entry: Entry) -> bool:
        return entry.method == "GET" or entry.route.split(" ")[1] in READS

    def secrets(self) -> list[str]:
        return [self.florist.store.tokens.access]
