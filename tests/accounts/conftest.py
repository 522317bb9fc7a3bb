"""A connected account of the flower shop, as rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts import tokens
from accounts.models import Account
from connectors.auth import Tokens


@pytest.fixture
def connected(amo: Any, flower_shop: Any, db: None) -> Account:
    """Active, with a pair that amoCRM has just given out."""
    account = Account.objects.create(
        account_id="shop",
        crm="amocrm",
        remote_id=str(flower_shop.id),
        host=flower_shop.host,
        subdomain="flowers",
        state=Account.State.ACTIVE,
        connected_at=timezone.now(),
    )
    given = amo.issue_tokens(flower_shop)
    until = timezone.now().timestamp() + given["expires_in"]
    tokens.put(account, Tokens(given["access_token"], given["refresh_token"], until))
    return account


@pytest.fixture(autouse=True)
def own_redis_keys(settings: Any, request: Any) -> None:
    """No pause of one test reaches another."""
    settings.REDIS_PREFIX = f"test:{request.node.nodeid}:{timezone.now().timestamp()}:"
