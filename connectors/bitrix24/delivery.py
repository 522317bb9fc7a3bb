"""A batch of drafts on its way into Bitrix24: their stories share requests.

Each request takes what fits of what the stories want next, whoever is how far. The longest stories begin, so
that the last requests are full as well.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from connectors.bitrix24.asking import Story
from connectors.bitrix24.batch import Command, Outcome
from connectors.bitrix24.creation import story
from connectors.bitrix24.facts import Facts
from connectors.bitrix24.placing import read_back
from connectors.bitrix24.talk import Talk
from connectors.bitrix24.update import update
from connectors.bitrix24.work import Work
from connectors.draft import LeadDraft, Receipt
from connectors.errors import ConnectorError, TryLater, Unclear

log = logging.getLogger(__name__)
Wants = dict[Work, Sequence[Command]]


class Delivery:
    """One call of ``BitrixConnector.deliver``."""

    def __init__(self, talk: Talk, facts: Facts, base_url: str) -> None:
        self.talk = talk
        self.facts = facts
        self.base_url = base_url
        self.stories: dict[Work, Story[None]] = {}

    def run(self, drafts: Sequence[LeadDraft]) -> list[Receipt | ConnectorError]:
        begun = [self._begin(draft) for draft in drafts]
        works = [one for one in begun if isinstance(one, Work)]
        works.sort(key=lambda work: -len(work.parcel.cards))
        self.stories = {work: self._story(work) for work in works}
        try:
            self._tell()
        except Exception as exc:
            log.exception("bitrix24: %s", ", ".join(work.uid for work in self.stories))
            for work in self.stories:
                if not work.error and (work.unsettled or not work.lead):
                    work.fail_unexpectedly(type(exc).__name__)
        read_back(self.talk, works)
        return [one.outcome(self.base_url) if isinstance(one, Work) else one for one in begun]

    def _story(self, work: Work) -> Story[None]:
        return update(work, self.facts) if work.draft.formers else story(work)

    def _begin(self, draft: LeadDraft) -> Work | ConnectorError:
        try:
            return Work.begin(draft, self.facts)
        except Exception as exc:
            log.exception("bitrix24: delivery=%s can't be laid out", draft.uid)
            return TryLater(f"The answer can't be laid out ({type(exc).__name__})", code="unexpected")

    def _tell(self) -> None:
        """Request by request: ask, go on with who was answered, write down, share an account's fate."""
        wants = self._go_on(dict.fromkeys(self.stories))
        while wants:
            part = self.talk.fill(wants)
            for work, commands in part.items():
                work.unsettled = any(not command.safe for command in commands)
            answers = self.talk.ask(part)
            later = {work: commands for work, commands in wants.items() if work not in part}
            wants = {**later, **self._go_on(answers)}
            self.talk.record(list(answers))
            for work in answers:
                work.unsettled = False
            wants = self._spare(wants)

    def _go_on(self, answers: dict[Work, list[Outcome]] | dict[Work, None]) -> Wants:
        """Each story up to its next commands. One that ends wants nothing more."""
        wants: Wants = {}
        for work, outcomes in answers.items():
            try:
                own = self.stories[work]
                wants[work] = next(own) if outcomes is None else own.send(outcomes)
            except StopIteration:
                continue
            except ConnectorError as error:
                work.fail(error)
            except Exception as exc:
                log.exception("bitrix24: delivery=%s", work.uid)
                work.fail_unexpectedly(type(exc).__name__)
        return wants

    def _spare(self, wants: Wants) -> Wants:
        """After an account-wide error the drafts that go on would only meet it again."""
        error = next((w.error for w in self.stories if w.error and w.error.account_wide), None)
        if error is None:
            return wants
        for work in wants:
            work.fail(for_the_others(error))
        return {}


def for_the_others(error: ConnectorError) -> ConnectorError:
    """What an account-wide error means for a draft of which nothing more was sent."""
    if not isinstance(error, Unclear):
        return error
    return TryLater(error.message, code=error.code, account_wide=True)
