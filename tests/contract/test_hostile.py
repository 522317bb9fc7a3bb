"""The whole schema under generated input, good and bad: a client's mistake is never our 500."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import Any

import jwt
import pytest
import schemathesis
from django.conf import settings
from hypothesis import HealthCheck
from hypothesis import settings as generated
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.generation.hypothesis import builder
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.python._constants.orchestrator import make_constants_value_source
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    missing_required_header,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
    use_after_free,
)

from accounts.models import Account
from config.wsgi import application
from rules.models import Rule
from tests.contract.worlds import bitrix24
from tests.openapi.reading import Written, written

pytestmark = pytest.mark.django_db(transaction=True)  # the WSGI door closes connections

# All that schemathesis has but two: the contract takes more than its schema says (numbers as texts), and no
# schema says which ids exist, so whether good data is taken and bad data refused is for our own tests.
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    response_schema_conformance,
    content_type_conformance,
    response_headers_conformance,
    ignored_auth,
    missing_required_header,
    unsupported_method,
    use_after_free,
)
# What any server may answer before a view is reached, and no document lists.
FRAMEWORK = {400, 401, 404, 405, 413, 415}
# What schemathesis says of an operation of which it could not try something.
LEFT_OUT = (
    builder.InvalidHeadersExampleMark,
    builder.InvalidRegexMark,
    builder.MissingPathParameters,
    builder.NonSerializableMark,
    builder.UnsatisfiableExampleMark,
    builder.UnserializablePayloadMark,
)


def checks_of(case: schemathesis.Case) -> list[Any]:
    """By a contract a saved rule is a string; that it comes itself where asked for is in words alone."""
    asked = {"include", "Prefer"} & {*(case.query or {}), *(case.headers or {})}
    if asked and case.path.startswith(("/rules/", "/bitrix/rules/")):
        return [check for check in CHECKS if check is not response_schema_conformance]
    return list(CHECKS)


@cache
def document() -> Any:
    """As served; the WSGI door looks after connections, which a test alone may have."""
    load_all_checks()
    return schemathesis.openapi.from_wsgi("/schema?format=json", application)


@pytest.fixture
def headers() -> dict[str, str]:
    claims = {settings.JWT_ACCOUNT_CLAIM: "shop", "exp": time.time() + 3600}
    token = jwt.encode(claims, settings.JWT_KEY, algorithm="HS256")
    return {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}


@pytest.fixture
def shop(transactional_db: None) -> Account:
    account = Account.objects.create(
        account_id="shop",
        crm="amocrm",
        state="active",
        host="shop.amocrm.ru",
        connected_at="2026-01-01T00:00Z",
    )
    Rule.objects.create(account=account, quiz_id=1)
    bitrix24()
    Rule.objects.create(account=Account.objects.get(crm="bitrix24"), quiz_id=1, pipeline="0")
    solos = Account.objects.create(
        account_id="shop",
        crm="solos",
        state="active",
        host="demo7.solos.pro",
        connected_at="2026-01-01T00:00Z",
    )
    Rule.objects.create(account=solos, quiz_id=1)
    return account


@pytest.mark.parametrize("one", written(), ids=lambda one: f"{one.method.upper()} {one.path}")
def test_no_input_makes_a_server_error(one: Written, headers: dict[str, str], shop: Account) -> None:
    """As ``schemathesis.parametrize`` does it, which makes the cases of all operations while tests are
    collected: a quarter of a minute in every process."""
    ours = FeedbackSources(constants_value_source=make_constants_value_source(document()))
    operation = document()[one.path][one.method.upper()]
    test = build_operation_test(
        config=document().config, operation=operation, test_func=send, given_kwargs={}, feedback=ours
    )
    assert [mark for mark in LEFT_OUT if mark.is_set(test)] == []
    test(headers=headers)


@generated(
    max_examples=int(os.environ.get("PROPERTY_EXAMPLES", "10")),
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],
)
def send(case: schemathesis.Case, headers: dict[str, str]) -> None:
    response = case.call(headers=headers)
    assert response.status_code < 500, response.text
    if response.status_code not in FRAMEWORK:
        known = {"headers": headers, "transport_kwargs": {"headers": headers}}
        case.validate_response(response, checks=checks_of(case), **known)
