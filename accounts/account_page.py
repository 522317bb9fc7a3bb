"""What an account's page shows beside its columns: where its CRM tells us of changes, and how it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from accounts import hooks
from accounts.models import Account, Hook
from connectors.redact import redact
from connectors.registry import connector_class


@dataclass(frozen=True, slots=True)
class HookShown:
    """``address`` is for whoever may operate, and only where a person has to enter it in the CRM."""

    row: Hook | None
    by_hand: bool
    address: str


def hook_of(account: Account, for_operator: bool) -> HookShown | None:
    """None where no notice would be of use."""
    can = connector_class(account.crm).can
    if account.deleted or not can.follow:
        return None
    by_hand = not can.hooks
    address = hooks.address_of(account) if by_hand and for_operator and not account.pending else ""
    return HookShown(Hook.objects.filter(account=account).defer("secret").first(), by_hand, address)


def shapes_of(account: Account) -> list[tuple[str, str]]:
    """The forms of first answers, which connectors of unclear CRMs keep among their facts: no values."""
    held = account.facts.get("shapes")
    if not isinstance(held, dict):
        return []
    return [(name.replace("_", " "), _readable(form)) for name, form in sorted(held.items()) if form]


def _readable(form: Any) -> str:
    return redact(json.dumps(form, ensure_ascii=False, indent=2))
