"""Drafts on their way into Envybox, one after the other: the queue's promise is the only one it makes (5)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from connectors.base import Journal
from connectors.draft import Exchange, LeadDraft, Receipt
from connectors.envybox.entry import bring_in
from connectors.envybox.taking import take
from connectors.envybox.update import update
from connectors.envybox.work import Talk, Work
from connectors.errors import ConnectorError, TryLater, Unclear

log = logging.getLogger(__name__)
MakeTalk = Callable[[Callable[[Exchange], None]], Talk]


class Delivery:
    """One call of ``EnvyConnector.deliver``."""

    def __init__(
        self, make_talk: MakeTalk, journal: Journal, base_url: str, money_fields: Sequence[str] = ()
    ) -> None:
        self.make_talk = make_talk
        self.money_fields = money_fields
        self.journal = journal
        self.base_url = base_url
        self.account_error: ConnectorError | None = None

    def run(self, drafts: Sequence[LeadDraft]) -> list[Receipt | ConnectorError]:
        return [self._one(draft) for draft in drafts]

    def _one(self, draft: LeadDraft) -> Receipt | ConnectorError:
        if self.account_error:
            return for_the_others(self.account_error)
        try:
            work = Work.begin(draft, self.journal, self.money_fields)
        except Exception as exc:
            log.exception("envybox: delivery=%s can't be laid out", draft.uid)
            return TryLater(f"The answer can't be laid out ({type(exc).__name__})", code="unexpected")
        tell(self.make_talk(work.trace.append), work, self.money_fields)
        if work.error and work.error.account_wide:
            self.account_error = work.error
        return work.outcome(self.base_url)


def tell(talk: Talk, work: Work, money_fields: Sequence[str] = ()) -> None:
    """The whole story of one draft; whatever goes wrong is in ``work.error``."""
    try:
        if work.draft.formers:
            update(talk, work, money_fields)
        else:
            bring_in(talk, work)
            take(talk, work)
    except ConnectorError as error:
        work.fail(error)
    except Exception as exc:
        log.exception("envybox: delivery=%s", work.uid)
        work.fail_unexpectedly(type(exc).__name__)


def for_the_others(error: ConnectorError) -> ConnectorError:
    """What an account-wide error means for a draft of which nothing was sent."""
    if not isinstance(error, Unclear):
        return error
    return TryLater(error.message, code=error.code, account_wide=True)
