"""Those who look after accounts and held leads: owners who sign in again, staff who resume and look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

import requests

from config.demo.errors import DemoFailed
from config.demo.http import tell
from tests.torture.customers import Customer
from tests.torture.marks import Ledger, read_ledger
from tests.torture.watch import AccountRow, Waiting
from tests.torture.world import World

SECONDS = 10
FOUND = "leads found in the CRM"


class Staff:
    """A superuser at the admin's own pages."""

    def __init__(self, world: World) -> None:
        self.url = world.environment.url
        self.name, self.password = world.cast.login
        self.session: requests.Session | None = None

    def resume(self, account: AccountRow) -> bool:
        """The button of a paused account, and the question behind it."""
        page = f"{self.url}/admin/accounts/account/{account.pk}/resume/"
        try:
            self.session = self.session or self._signed_in()
            return self._post(self.session, page, confirmed="yes").ok
        except requests.RequestException:
            self.session = None
            return False

    def _signed_in(self) -> requests.Session:
        session = requests.Session()
        self._post(session, f"{self.url}/admin/login/", username=self.name, password=self.password)
        return session

    @staticmethod
    def _post(session: requests.Session, page: str, **values: str) -> requests.Response:
        session.get(page, timeout=SECONDS)
        token = {"csrfmiddlewaretoken": session.cookies.get("csrftoken", "")}
        return session.post(page, {**values, **token}, headers={"Referer": page}, timeout=SECONDS)


class People:
    """What persons did is counted in ``did``."""

    def __init__(self, world: World) -> None:
        self.world, self.staff = world, Staff(world)
        self.did: Counter[str] = Counter()

    def look_after_accounts(self) -> bool:
        """True where every account works."""
        resting = [account for account in self.world.watch.accounts() if account.state != "active"]
        for account in resting:
            if account.state == "paused":
                self.did["accounts resumed"] += self.staff.resume(account)
            elif account.state == "needs_reconnect":
                self.did["accounts connected again"] += self.connected(self.world.customers[account.customer])
        return not resting

    def connected(self, customer: Customer) -> bool:
        with suppress(OSError, DemoFailed):
            customer.connect(self.world.environment)
            return True
        return False

    def look_after_leads(self, undone: Iterable[Waiting]) -> None:
        """Where the CRM can't be asked: is the lead there? Tell the service, or let it send again."""
        unclear = [one for one in undone if one.because == "look_first"]
        ledgers = {crm: read_ledger(self.world.environment, crm) for crm in {one.crm for one in unclear}}
        for one in unclear:
            self._look(one, ledgers[one.crm])

    def _look(self, one: Waiting, ledger: Ledger) -> None:
        customer = self.world.customers[one.customer]
        with suppress(OSError):
            if leads := ledger.found(one.uid):
                self.did[FOUND] += customer.found(one.pk, leads[0]["id"])
            else:
                self.did["leads sent again after a look"] += customer.try_again(one.pk)

    def hurry(self, undone: Iterable[Waiting]) -> None:
        """The impatient press "try again" on whatever would wait."""
        for one in undone:
            if one.state == "waiting" and one.due_in > 1:
                with suppress(OSError):
                    self.did["leads hurried"] += self.world.customers[one.customer].try_again(one.pk)


def contacts_now(world: World, customer: Customer) -> int | None:
    """How many contact records a CRM account has; None where it does not say."""
    state = tell(world.environment.control_url, customer.kind, "state", account=customer.remote)
    counts = state.get("counts", {}) if isinstance(state, dict) else {}
    return next((int(counts[word]) for word in ("contacts", "contact") if word in counts), None)
