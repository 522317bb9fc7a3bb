"""What can go wrong with a CRM, said as what to do next.

    ConnectorError
    |-- TryLater          the work was not done; the same request may be sent again later
    |-- Unclear           the work may have been done; look before sending again
    |-- NeedsReconnect    the CRM no longer knows us; the account's owner signs in again
    |   `-- Stopped       the CRM (or a person) stopped this account's traffic; a person resumes it
    |-- RuleNeedsFixing   the CRM or its lists refuse what the rule asks for
    `-- Refused           the CRM said no to this lead, with words

Every failure becomes one of these before it leaves ``connectors``; callers settle them and never look
at a vendor's code. Each carries a sentence for a person, a short machine word, and what to do about it.
"""

from __future__ import annotations

import copy
from typing import TypeVar

from connectors.draft import Exchange, Problem
from connectors.messages import message
from connectors.text import storable


class ConnectorError(Exception):
    """Base of all errors of a connector.

    ``code`` is the vendor's code or our own word for the cause, ``remedy`` a sentence for a person,
    ``account_wide`` says that the next delivery of the same account would meet the same fate, as it does
    with every error that ``is_of_account``; ``trace`` holds the exchanges that led here (redacted), newest
    last. ``after`` is the CRM's own wish in seconds, which ``TryLater`` alone may have.
    """

    next_step = "give_up"
    is_of_account = False
    after: float | None = None

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        remedy: str = "",
        account_wide: bool = False,
        trace: tuple[Exchange, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = storable(message)  # the words are mostly the CRM's
        self.code = storable(code) or type(self).__name__
        self.remedy = storable(remedy)
        self.account_wide = account_wide or self.is_of_account
        self.trace = trace


class TryLater(ConnectorError):
    """The request did no work: busy, unreachable, unpaid.

    ``repeatable`` is false where the same connector would meet the same fate (the account has moved).
    """

    next_step = "wait"

    def __init__(
        self, message: str, *, after: float | None = None, repeatable: bool = True, **rest: object
    ) -> None:
        super().__init__(message, **rest)  # type: ignore[arg-type]
        self.after = after
        self.repeatable = repeatable


LOOK_INCOMPLETE = "look_incomplete"  # the code of an ``Unclear`` for a look that saw only a part


class Unclear(ConnectorError):
    """The answer was lost or meaningless after a write was sent: it may have happened.

    ``look_again`` is false where another look would see no more than this one did: a person decides.
    """

    next_step = "look_first"

    def __init__(self, message: str, *, look_again: bool = True, **rest: object) -> None:
        super().__init__(message, **rest)  # type: ignore[arg-type]
        self.look_again = look_again


class NeedsReconnect(ConnectorError):
    """The CRM refuses our credentials for good: the whole account waits for its owner."""

    next_step = "reconnect"
    is_of_account = True


class Stopped(NeedsReconnect):
    """The account's traffic must stop at once and stay stopped until a person resumes it."""

    next_step = "resume"


class RuleNeedsFixing(ConnectorError):
    """The rule asks for something the CRM does not have. ``problem`` says what, and where."""

    next_step = "edit_rule"

    def __init__(self, message: str, *, problem: Problem | None = None, **rest: object) -> None:
        super().__init__(message, **rest)  # type: ignore[arg-type]
        self.problem = problem or Problem(code=self.code, message=self.message)


class Refused(ConnectorError):
    """The CRM said no to this very lead and will say so again."""


class BadCallback(Exception):
    """What a browser brought back from the consent page can't be used; the text says why."""


class OurMistake(ConnectorError):
    """Our own client id, secret or redirect address is wrong: no account is to blame."""

    next_step = "fix_settings"
    is_of_account = True


E = TypeVar("E", bound=ConnectorError)

# -- what all CRMs say; ``crm`` is what a person calls it ---------------------------------------------------

NO_RIGHTS, BUSY, UNREADABLE = "no_rights", "busy", "unreadable"  # codes
# The statuses by which HTTP says that nothing was done. Behind any other that is no success (1xx, 303, 408,
# 418, 499, a gateway's 5xx) a write may have happened.
NOT_DONE = frozenset({
    *(301, 307, 308),
    *(*range(400, 408), *range(409, 418), *range(421, 427), 428, 429, 431, 451),
})  # fmt: skip


REDIRECTS = frozenset({301, 302, 303, 307, 308})


def lost(words: str, code: str, safe: bool, account_wide: bool = True) -> ConnectorError:
    """An answer that says nothing about the work: a ``safe`` request is repeated, a write is looked for."""
    return (TryLater if safe else Unclear)(words, code=code, account_wide=account_wide)


def failed(crm: str, status: int | str, safe: bool, account_wide: bool = True) -> ConnectorError:
    """``status`` is HTTP's, or the CRM's own code."""
    code = status if isinstance(status, str) else f"http_{status}"
    return lost(message("{crm} failed ({status})", crm=crm, status=status), code, safe, account_wide)


def redirected(crm: str, status: int, safe: bool) -> ConnectorError:
    """Never followed: a POST would become a GET. 302 and 303 are also what a form answers when it is done."""
    words = message("{crm} sends us elsewhere: its address may have changed", crm=crm)
    if safe or status in NOT_DONE:
        return TryLater(words, code="redirected", account_wide=True, repeatable=False)
    return Unclear(words, code="redirected", account_wide=True)


def unreadable(crm: str, safe: bool) -> ConnectorError:
    return lost(message("{crm}'s answer can't be read", crm=crm), UNREADABLE, safe)


def busy(crm: str, after: float | None) -> TryLater:
    return TryLater(message("{crm} asks us to slow down", crm=crm), code=BUSY, after=after, account_wide=True)


PERSON_WAIT = 900  # seconds until it is seen that somebody has paid for or allowed what we ask for


def no_rights(crm: str, words: str) -> Refused:
    """Permanent for the method. Whether the account or only one list stands still, the caller knows."""
    return Refused(
        message("{crm} allows this only to somebody with more rights ({words})", crm=crm, words=words),
        code=NO_RIGHTS,
        remedy=message(
            "Give the user who connected these rights in {crm}, or connect as an administrator.", crm=crm
        ),
    )


def of_account(refusal: ConnectorError) -> NeedsReconnect:
    """What is refused at the heart of a delivery is refused to the whole account, which waits for a sign-in:
    nobody asks before whether the rights are there."""
    remedy = refusal.remedy
    if refusal.code == NO_RIGHTS:
        remedy = message(
            "Give the user who connected these rights in the CRM and connect the account again, or connect as"
            " an administrator."
        )
    return NeedsReconnect(refusal.message, code=refusal.code, remedy=remedy, trace=refusal.trace)


def of_one(error: E) -> E:
    """The same where it speaks of one lead alone, and the account's others go on."""
    own = copy.copy(error)
    own.account_wide = False
    return own


def unexpected(exc: Exception, *, unclear: bool = False) -> ConnectorError:
    """What an exception of our own making means for a lead; ``unclear`` where a write may have arrived."""
    kind = Unclear if unclear else TryLater
    return kind(
        message("Something unexpected happened on our side ({name})", name=type(exc).__name__),
        code="unexpected",
    )
