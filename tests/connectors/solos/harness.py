from __future__ import annotations

import responses

from connectors.sandbox.solos import SolosSandbox
from connectors.solos.connector import SolosConnector
from tests.connectors.bridge import serve
from tests.connectors.harness import Harness
from tests.connectors.solos.keeper import SOLOS_HOSTS, Keeper


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

    def secrets(self) -> list[str]:
        tokens = self.keeper.store.tokens
        return [tokens.access, tokens.refresh]
