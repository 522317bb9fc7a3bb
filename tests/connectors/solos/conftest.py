from __future__ import annotations

import pytest
import responses

from connectors.sandbox.solos import SolosSandbox
from tests.connectors.bridge import serve
from tests.connectors.solos.keeper import SOLOS_HOSTS, Keeper


@pytest.fixture
def solos(mocked: responses.RequestsMock) -> SolosSandbox:
    box = SolosSandbox()
    serve(mocked, box, SOLOS_HOSTS)
    return box


@pytest.fixture
def keeper(solos: SolosSandbox) -> Keeper:
    """Connected, nothing learned yet."""
    return Keeper(solos, solos.add_account("demo7"))


@pytest.fixture
def deliver(keeper, journal):
    """Deliver one draft, written down in the test's journal."""
    return lambda draft: keeper.connector.deliver([draft], journal)[0]
