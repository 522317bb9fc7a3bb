"""What a rule wants where the person has an open lead already: another one, a note on it, or a mention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts.models import Account
from connectors.draft import Repeated
from connectors.messages import message
from connectors.repeated import LINK, NOTE
from crm_cache.models import Pipeline, Step

NEW = "new"
WAYS = (NEW, NOTE, LINK)
USUAL_DAYS, MOST_DAYS = 30, 365
WORDS = {
    NOTE: message("the whole answer goes into a note on it, and no other lead is made"),
    LINK: message("it is only mentioned there, and no other lead is made"),
}


@dataclass(frozen=True, slots=True)
class OnRepeat:
    """``do`` and ``task`` as in ``Repeated``, with leads of the last ``days``. ``main`` is the pipeline of a
    rule that names none, ``incoming`` all steps of that kind."""

    do: str
    days: int
    task: bool = False
    main: str = ""
    incoming: frozenset[str] = frozenset()

    def asked(self, pipeline: str, at: datetime, ours: Mapping[str, str]) -> Repeated:
        """For an answer that came ``at`` and goes into ``pipeline``."""
        since = at - timedelta(days=self.days)
        return Repeated(self.do, since, pipeline or self.main, ours, self.incoming, self.task)

    def words(self) -> str:
        """For people: what is done, and when."""
        return message(
            "If the person has an open lead of the last {days} days there already: {what}.",
            days=self.days,
            what=WORDS[self.do],
        )


def read_on_repeat(said: Mapping[str, Any] | None, account: Account) -> OnRepeat | None:
    """As ``Rule.extra`` has it, with what our lists know; no query where the rule says nothing."""
    if not said:
        return None
    steps = Step.objects.filter(account=account, kind="incoming", deleted=False)
    lines = Pipeline.objects.filter(account=account, is_main=True, deleted=False)
    main = lines.exclude(entity="lead").values_list("remote_id", flat=True).first()
    incoming = frozenset(steps.values_list("remote_id", flat=True))
    return OnRepeat(said["do"], said["days"], said.get("task", False), main or "", incoming)
