from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from connectors.registry import CONNECTORS
from tests.connectors.cast import Notebook, make_draft
from tests.connectors.harness import Harness, harness_class


@pytest.fixture
def mocked() -> Iterator[responses.RequestsMock]:
    """A closed network: what no sandbox serves is refused."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def journal() -> Notebook:
    return Notebook()


@pytest.fixture(name="draft")
def draft_maker():
    return make_draft


@pytest.fixture(params=sorted(CONNECTORS))
def crm(request: pytest.FixtureRequest, mocked: responses.RequestsMock) -> Harness:
    return harness_class(request.param)(mocked)
