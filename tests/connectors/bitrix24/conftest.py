from __future__ import annotations

import pytest
import responses

from connectors.bitrix24.auth import BitrixSignIn
from connectors.bitrix24.options import BitrixOptions
from connectors.sandbox.bitrix24 import BitrixSandbox
from tests.connectors.bitrix24.dentist import BITRIX_HOSTS, Dentist, connect, options_of, policy
from tests.connectors.bridge import serve


@pytest.fixture
def bitrix(mocked: responses.RequestsMock) -> BitrixSandbox:
    box = BitrixSandbox()
    serve(mocked, box, BITRIX_HOSTS)
    return box


@pytest.fixture
def options(bitrix: BitrixSandbox) -> BitrixOptions:
    return options_of(bitrix)


@pytest.fixture
def sign_in(options: BitrixOptions) -> BitrixSignIn:
    return BitrixSignIn(options, policy(options))


@pytest.fixture
def dentist(bitrix: BitrixSandbox, options: BitrixOptions) -> Dentist:
    """Connected as an administrator, with our fields for tags made."""
    found = connect(bitrix, bitrix.add_portal("demo7"), options)
    found.prepare()
    return found


@pytest.fixture
def deliver(dentist, journal):
    """Deliver drafts, written down in the test's journal."""
    return lambda *drafts: dentist.connector.deliver(drafts, journal)
