"""What happened to an account, when, why and by whom: a row for each move and each refused attempt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accounts.models import Account, AccountEvent

By = AccountEvent.By


@dataclass(frozen=True, slots=True)
class Actor:
    """Who moved an account, or what it has; ``name`` is a staff user's."""

    by: By
    name: str = ""

    def called(self, owner: str) -> str:
        """Staff by their name, the owner by their quiz account."""
        return self.name or (owner if self.by == By.OWNER else "")


OWNER, CRM, SERVICE = Actor(By.OWNER), Actor(By.CRM), Actor(By.SERVICE)


def staff(user: Any) -> Actor:
    """Somebody at the admin's pages."""
    return Actor(By.STAFF, user.get_username())


def note(account: Account, before: str, after: str, reason: str, actor: Actor) -> None:
    """Write down a move. The caller holds its transaction."""
    AccountEvent.objects.create(
        account=account, before=before, after=after, reason=reason, by=actor.by, who=actor.name
    )


def note_refused(account: Account, reason: str, actor: Actor) -> None:
    """Write down what somebody tried in vain."""
    note(account, account.state, account.state, reason, actor)
