"""The journal that connectors write while a batch is under way (``connectors.delivery``): steps go to the
deliveries, contacts to the memory, at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from django.db import connection

from accounts.database import patiently
from accounts.models import Account
from connectors.draft import LeadDraft
from crm_cache.contacts import remember
from rules.delivery import outbox
from rules.delivery.assignment import Asking, assign_met
from rules.delivery.settlement import storable_steps
from rules.models import Delivery


class LaneJournal:
    """``asking``: by external id, whose contact is to be known before somebody is chosen to look after it."""

    def __init__(
        self,
        account: Account,
        deliveries: Sequence[Delivery],
        drafts: Sequence[LeadDraft],
        asking: Mapping[str, Asking],
    ) -> None:
        self.account, self.asking = account, asking
        self.people = {draft.uid: draft.person.keys for draft in drafts}
        self.placed = {draft.uid: draft.placement.performer for draft in drafts}
        self.claims = {row.uid: row.claimed_at for row in deliveries}

    def record(self, done: Mapping[str, Mapping[str, str]]) -> None:
        done = {uid: storable_steps(steps) for uid, steps in done.items()}
        patiently(partial(outbox.record_steps, done, self.claims))
        patiently(partial(remember, self.account, self._contacts(done)))
        connection.close()  # this thread goes back to waiting for the CRM

    def assign(self, owners: Mapping[str, str]) -> Mapping[str, str]:
        asking = [self.asking[uid] for uid in owners]
        patiently(partial(assign_met, asking, owners))
        connection.close()
        return {one.row.uid: one.row.performer or self.placed[one.row.uid] for one in asking}

    def _contacts(self, done: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        met = ((uid, steps["contact"]) for uid, steps in done.items() if steps.get("contact"))
        return {key: contact for uid, contact in met for key in self.people.get(uid, ())}
