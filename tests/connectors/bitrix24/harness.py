from __future__ import annotations

from typing import Any, ClassVar

import responses

from connectors.bitrix24.connector import BitrixConnector
from connectors.sandbox.bitrix24 import BitrixSandbox
from tests.connectors.bitrix24.dentist import BITRIX_HOSTS, connect, options_of
from tests.connectors.bridge import serve
from tests.connectors.harness import Harness


class BitrixHarness(Harness):
    kind = "bitrix24"
    creation = r"/crm\.(deal|lead)\.add"
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

    def secrets(self) -> list[str]:
        tokens = self.dentist.store.tokens
        return [tokens.access, tokens.refresh, self.options.client_secret]
