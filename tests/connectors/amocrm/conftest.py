from __future__ import annotations

import pytest
import responses

from connectors.amocrm.auth import AmoSignIn
from connectors.amocrm.options import AmoOptions
from connectors.sandbox.amocrm import AmoSandbox
from tests.connectors.amocrm.shop import AMO_HOSTS, HOSTS, FlowerShop, connect, options_of
from tests.connectors.bridge import serve


@pytest.fixture
def amo(mocked: responses.RequestsMock) -> AmoSandbox:
    box = AmoSandbox()
    serve(mocked, box, AMO_HOSTS)
    return box


@pytest.fixture
def options(amo: AmoSandbox) -> AmoOptions:
    return options_of(amo)


@pytest.fixture
def sign_in(options: AmoOptions) -> AmoSignIn:
    return AmoSignIn(options, HOSTS)


@pytest.fixture
def shop(amo: AmoSandbox, options: AmoOptions, sign_in: AmoSignIn) -> FlowerShop:
    """Connected as an administrator, with the field for our external id made."""
    account = amo.add_account("demo7")
    found = connect(amo, account, options, sign_in)
    found.prepare()
    return found


@pytest.fixture
def deliver(shop, journal):
    """Deliver drafts, written down in the test's journal."""
    return lambda *drafts: shop.connector.deliver(drafts, journal)
