from __future__ import annotations

import pytest
import responses

from connectors.sandbox.envybox import EnvySandbox
from tests.connectors.bridge import serve
from tests.connectors.envybox.florist import ENVY_HOSTS, Florist, connect


@pytest.fixture
def envy(mocked: responses.RequestsMock) -> EnvySandbox:
    box = EnvySandbox()
    serve(mocked, box, ENVY_HOSTS)
    return box


@pytest.fixture
def florist(envy: EnvySandbox) -> Florist:
    return connect(envy, envy.add_account("demo7"))


@pytest.fixture
def deliver(florist: Florist, journal):
    """Deliver a draft, written down in the test's journal; its outcome."""
    return lambda draft: florist.connector.deliver([draft], journal)[0]
