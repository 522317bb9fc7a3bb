"""Why a delivery is held: in a word for programs, in sentences for people, with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accounts import db_clock
from accounts.models import Account
from connectors.messages import joined, message
from rules.models import Delivery, Rule

Held = Delivery.Held


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a delivery is held, in words, and what a person does about it."""

    because: str
    error: str
    remedy: str


AWAY = {
    Account.State.NEEDS_RECONNECT: Hold(
        Held.RECONNECT,
        message("The CRM no longer accepts our sign-in"),
        message("Connect the account again."),
    ),
    Account.State.CONNECTING: Hold(
        Held.RECONNECT, message("The account is not connected yet"), message("Finish connecting it.")
    ),
    Account.State.DISCONNECTED: Hold(
        Held.DISCONNECTED,
        message("The account was disconnected"),
        message("Connect it again: what waits goes on by itself."),
    ),
    Account.State.PAUSED: Hold(Held.PAUSED, message("The account is paused"), message("Resume the account.")),
}
RULE_PAUSED = Hold(
    Held.RULE_PAUSED,
    message("The rule is paused"),
    message("Resume it: what waits goes on by itself. Or cancel this delivery."),
)
RULE_DELETED = Hold(
    Held.RULE_DELETED,
    message("The rule was deleted"),
    message("Make a rule for the quiz again: what waits goes on by it. Or cancel this delivery."),
)
OVER = (Held.CANCELLED, Held.ERASED, Held.LEFT_OUT)  # nothing is to be sent any more
FOR_RULE = (Held.FIX_RULE, Held.RULE_PAUSED, Held.RULE_DELETED)
CANCELLED = Hold(Held.CANCELLED, message("It was cancelled"), message("Nothing; a retry sends it after all."))
ERASED = Hold(
    Held.ERASED, message("The person asked to be forgotten"), message("Nothing is left to be sent.")
)
CHANGES = ("current_id", "prepare_at", "prepared_at", "paused_at", "deleted")  # of a rule that lets leads go
FOR_RETURN = (Held.DISCONNECTED, Held.RECONNECT, Held.PAUSED)  # what an account's return ends


def hold_of(account: Account) -> Hold | None:
    """Why deliveries of an account can't go now; None where they can. Its state and reason are read."""
    if account.usable:
        return None
    state = Account.State.DISCONNECTED if account.deleted else Account.State(account.state)
    away = AWAY[state]
    return Hold(away.because, joined(": ", away.error, account.state_reason), away.remedy)


def hold_of_rule(rule: Rule) -> Hold | None:
    """Why nothing goes by this rule; None where it works."""
    if rule.deleted:
        return RULE_DELETED
    return RULE_PAUSED if rule.paused_at else None


def release_if_changed(rows: Sequence[Delivery], because: Sequence[str]) -> None:
    """Deliveries have just been settled, some of them held for their rule as it was read before. Whoever
    saved it, resumed it or made it again meanwhile has released what was held then, and not these: they are
    to be released, too (``rules.delivery.sweep``)."""
    used = {row.rule_id: row.rule for row, why in zip(rows, because, strict=True) if why in FOR_RULE}
    for rule in Rule.objects.filter(pk__in=used).only(*CHANGES) if used else ():
        if rule.deleted or any(getattr(rule, name) != getattr(used[rule.pk], name) for name in CHANGES):
            Rule.objects.filter(pk=rule.pk).update(release_at=db_clock.now())


def held_by(hold: Hold) -> dict[str, str]:
    """The columns of a delivery that is held."""
    return {
        "state": Delivery.State.HELD,
        "held_because": hold.because,
        "error_code": hold.because,
        "error": hold.error,
        "remedy": hold.remedy,
    }
