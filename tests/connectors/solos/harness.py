from __future__ import annotations

import responses

from connectors.sandbox.journal import Entry
from connectors.sandbox.solos import SolosSandbox
from connectors.solos.connector import SolosConnector
from tests.connectors.bridge import serve
from tests.connectors.harness import Harness
from tests.connectors.solos.keeper import SOLOS_HOSTS, Keeper

ENDS = {"won": 15, "lost": 13}  # steps to which an owner may have given these meanings


class SolosHarness(Harness):
    kind = "solos"
    creation = "/api/post/"

    def __init__(self, mocked: responses.RequestsMock) -> None:
        self.box: SolosSandbox = SolosSandbox()
        serve(mocked, self.box, SOLOS_HOSTS)
        self.account = self.box.add_account("demo7")
        self.keeper = Keeper(self.box, self.account)
        self.keeper.learn()

    @property
    def connector(self) -> SolosConnector:
        return self.keeper.connector

    def revoke(self) -> None:
        self.box.revoke(self.account)

    def take_up(self, lead_id: str) -> None:
        """A lead is seen once a project was made of it."""
        self.keeper.convert(lead_id)

    def move(self, lead_id: str, status: str) -> None:
        self.keeper.act("move", project_id=self.keeper.project_of(lead_id), step_id=ENDS[status])

    def erase(self, lead_id: str) -> None:
        self.keeper.act("delete", project_id=self.keeper.project_of(lead_id))

    def is_read(self, entry: Entry) -> bool:
        return entry.method == "GET" or entry.path.endswith(("/projects/filter", "/api/get/"))

    def secrets(self) -> list[str]:
        tokens = self.keeper.store.tokens
        return [tokens.access, tokens.refresh]
