"""Workers that need the same new pair at the same moment share the outcome of one exchange."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from accounts.models import Account
from accounts.tokens import AccountTokens
from connectors.errors import ConnectorError

EXCHANGE = "POST /oauth2/access_token"


def renewed_at_once(account: Account, count: int) -> Counter[str]:
    """The pair is stale to so many workers at the same moment: how each of them fared."""
    stale = AccountTokens(account.pk).current()
    together = Barrier(count)

    def renew(_: int) -> str:
        together.wait()
        try:
            AccountTokens(account.pk).renew(stale)
        except ConnectorError as error:
            return f"{error.code}: {error.message} {error.remedy}".strip()
        finally:
            connections.close_all()
        return "renewed"

    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(renew, range(count)))


@pytest.mark.django_db(transaction=True)
def test_workers_that_wait_share_a_refusal(amo, connected, flower_shop):
    amo.revoke(flower_shop)
    amo.faults.add("access_token", action="delay", delay=0.3, times=None)
    said = "token_revoked: amoCRM no longer accepts our token Connect amoCRM again."
    assert renewed_at_once(connected, 5) == {said: 5}
    assert amo.journal.counts[EXCHANGE] == 1


@pytest.mark.django_db(transaction=True)
def test_workers_that_wait_share_a_silence(amo, connected):
    amo.faults.add("access_token", action="reset", delay=0.3, times=None)
    assert renewed_at_once(connected, 5) == {"no_answer: The CRM did not answer (ConnectionError)": 5}
    assert amo.journal.counts[EXCHANGE] == 1
    amo.faults.clear()
    assert renewed_at_once(connected, 5) == {"renewed": 5}
