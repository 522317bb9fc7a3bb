"""What the outcome of a try means for its delivery: the five errors, settled in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from connectors.draft import Receipt, UnplacedValue
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OurMistake,
    Refused,
    RuleNeedsFixing,
    Stopped,
    TryLater,
    Unclear,
)
from connectors.messages import message
from connectors.repeated import JOINED
from rules.delivery.retry import pause_after
from rules.models import Delivery

WAITING, DELIVERED, HELD = Delivery.State.WAITING, Delivery.State.DELIVERED, Delivery.State.HELD
Held = Delivery.Held
OUR_MISTAKE_PAUSE = 300  # seconds until a wrong client id or secret is tried again
LONGEST_ID = 100  # characters, as the columns of leads and contacts take them
OUR_BUG = "our_bug"
IN_COLUMNS = ("lead", "contact")  # steps whose ids are kept outside the journal, too
NEVER_SENT = message("The worker that was to send it died before it did")
REMEDIES: Mapping[str, str] = {  # where the error names none
    Held.FIX_RULE: message("Mend the rule and save it; its answers go on by themselves."),
    Held.LOOK_FIRST: message(
        "Look in the CRM whether the lead is there: if so, mark it as delivered; if not, try it again."
    ),
    Held.REFUSED: message(
        "Change what the CRM does not take and try again, or make the lead by hand and mark it as delivered."
    ),
    Held.GAVE_UP: message("See why the CRM takes nothing, then try it again."),
    Held.RECONNECT: message("Connect the account again."),
    Held.PAUSED: message("Resume the account."),
}
NOT_YET = ("preparing", "lists_unread", "made_anew")  # codes of ``NotYet``


class NotYet(TryLater):
    """Not tried: something of ours comes first. The lead waits a moment, which is nobody's failure."""


class StillPreparing(NotYet):
    """The rule's fields are being made."""


class ListsUnread(NotYet):
    """What stands in the way may be our lists, which were not read since the account was connected."""


class RuleIdle(NotYet):
    """Nothing goes by the rule: it is paused or deleted, or its condition leaves the answer out. ``because``
    is why its deliveries are held."""

    def __init__(self, message: str, *, because: str, remedy: str) -> None:
        super().__init__(message, code=because, remedy=remedy)
        self.because = because


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of one delivery after a try (``tries`` is 0 where none was made). ``strikes`` is how many
    steps of the plan it cost. ``version`` is the rule's that was used; none where no rule was. ``replayed``
    is how its replay ended (``Replay.State``), if that is over, ``complaint`` why in vain."""

    delivery_id: int
    claimed_at: datetime | None
    state: str = WAITING
    held_because: str = ""
    due_at: datetime = field(default_factory=timezone.now)
    tries: int = 1
    strikes: int = 1
    look_first: bool = False
    steps: Mapping[str, str] = field(default_factory=dict)
    losses: Sequence[UnplacedValue] = ()
    remote_id: str = ""
    remote_link: str = ""
    code: str = ""
    error: str = ""
    remedy: str = ""
    version: int | None = None
    replayed: str = ""
    complaint: str = ""


def losses_of(row: Delivery) -> tuple[UnplacedValue, ...]:
    """What an earlier try had no field for."""
    return tuple(
        UnplacedValue(
            one["question"], one["value"], one["reason"], one.get("entity", ""), one.get("field", "")
        )
        for one in row.losses
    )


def our_bug(error: Exception) -> TryLater:
    """What an exception of our own code means, where nothing was sent."""
    return TryLater(message("Our own code failed ({name})", name=type(error).__name__), code=OUR_BUG)


def storable_steps(steps: Mapping[str, str]) -> dict[str, str]:
    """The steps without ids that are too long for their columns; other steps hold words of any length."""
    return {step: what for step, what in steps.items() if step not in IN_COLUMNS or len(what) <= LONGEST_ID}


def believable(outcome: Receipt | ConnectorError) -> Receipt | ConnectorError:
    """An answer whose ids can't be stored is an error of this lead alone, which is looked up."""
    if not isinstance(outcome, Receipt) or len(storable_steps(outcome.journal)) == len(outcome.journal):
        return outcome
    return Unclear(
        message("The CRM answered with an id that is too long to be one"),
        code="id_too_long",
        remedy=message("Look in the CRM whether the lead is there."),
    )


def settlement_of(
    delivery: Delivery, outcome: Receipt | ConnectorError, can_look: bool, send_again: bool
) -> Settlement:
    """What an outcome means for a delivery. Pure but for the clock and the luck of the retry plan.

    ``can_look``: the CRM can be asked for an external id; ``send_again``: the account wants unclear leads
    sent anew.
    """
    if isinstance(outcome, Receipt):
        return _delivered(delivery, outcome)
    plain = Settlement(
        delivery.pk,
        delivery.claimed_at,
        look_first=delivery.look_first,
        code=outcome.code,
        error=outcome.message,
        remedy=outcome.remedy,
    )
    match outcome:
        case Stopped():
            return _held(plain, Held.PAUSED, strikes=0)
        case NeedsReconnect():
            return _held(plain, Held.RECONNECT, strikes=0)
        case RuleNeedsFixing():
            return _held(plain, Held.FIX_RULE, strikes=0)
        case Refused():
            return _held(plain, Held.REFUSED)
        case OurMistake():
            return _later(replace(plain, strikes=0), delivery, OUR_MISTAKE_PAUSE)
        case RuleIdle():
            return _held(replace(plain, tries=0), outcome.because, strikes=0)
        case NotYet():
            return replace(
                plain, tries=0, strikes=0, due_at=timezone.now() + timedelta(seconds=outcome.after or 0)
            )
        case TryLater() if outcome.account_wide:
            return _with_its_lane(plain, delivery)
        case TryLater():
            return _later(plain, delivery, outcome.after)
    again = not isinstance(outcome, Unclear) or outcome.look_again
    return _unclear(plain, delivery, can_look and again, send_again)


def worker_died() -> Unclear:
    """What the end of its worker means for what may have been sent."""
    return Unclear(message("The worker that was sending it died"), code="worker_died")


def died(delivery: Delivery, can_look: bool, send_again: bool) -> Settlement:
    """The worker that was sending it is gone: like a lost answer, where anything may have been sent."""
    error = worker_died()
    if delivery.write_begun_at is None:
        unsent = Settlement(delivery.pk, delivery.claimed_at, look_first=delivery.look_first)
        return replace(unsent, tries=0, strikes=0, code=error.code, error=NEVER_SENT)
    return settlement_of(delivery, error, can_look, send_again)


def _delivered(delivery: Delivery, receipt: Receipt) -> Settlement:
    return Settlement(
        delivery.pk,
        delivery.claimed_at,
        DELIVERED,
        steps=receipt.journal,
        losses=receipt.losses,
        remote_id=receipt.journal.get("lead") or receipt.journal.get(JOINED, ""),
        remote_link=receipt.link,
    )


def _held(plain: Settlement, because: str, strikes: int = 1) -> Settlement:
    remedy = plain.remedy or REMEDIES.get(because, "")
    return replace(plain, state=HELD, held_because=because, strikes=strikes, remedy=remedy)


def _later(plain: Settlement, delivery: Delivery, asked: float | None) -> Settlement:
    now = timezone.now()
    pause = pause_after(delivery.strikes + 1, now - (delivery.first_failed_at or now), asked)
    if pause is None:
        return _held(plain, Held.GAVE_UP)
    return replace(plain, due_at=now + pause)


def _with_its_lane(plain: Settlement, delivery: Delivery) -> Settlement:
    """The whole account waits: its lane's rest sets the pace, and no delivery is blamed for it."""
    later = _later(replace(plain, strikes=0), delivery, None)
    return later if later.state == HELD else replace(later, due_at=timezone.now())


def _unclear(plain: Settlement, delivery: Delivery, can_look: bool, send_again: bool) -> Settlement:
    """It may have happened. Look in a minute (searches lag behind writes); a person where we can't look."""
    if not (can_look or send_again):
        return replace(_held(plain, Held.LOOK_FIRST), look_first=True)
    return _later(replace(plain, look_first=can_look), delivery, settings.UNCLEAR_PAUSE.total_seconds())
