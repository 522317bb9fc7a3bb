"""The lead itself: made at once, or through the queue; looked for where an earlier try ended unclear."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.draft import Problem
from connectors.envybox.answers import id_of
from connectors.envybox.recovery import look
from connectors.envybox.work import Talk, Work
from connectors.errors import Refused, RuleNeedsFixing, TryLater, Unclear

QUEUE_WAIT = 5.0
LEFT_OUT = "Envybox refused the lead with all its fields"


def bring_in(talk: Talk, work: Work) -> None:
    """After this the journal names the lead. Raises what stands in the way."""
    if work.has("lead"):
        return
    if work.has("queued") or work.has("resent"):
        _await(talk, work)
    elif work.draft.look_first:
        _look_first(talk, work)
    elif work.parcel.queue:
        _queue(talk, work, "queued")
    else:
        _set(talk, work)


def _set(talk: Talk, work: Work) -> None:
    answer = _sent(work, talk.leads.set)
    own, parent = id_of((answer or {}).get("id")), id_of((answer or {}).get("parent_id"))
    if not own:
        raise Unclear("Envybox took the lead and did not say its number", code="no_id")
    work.keep(lead=parent or own, **({"merged": own} if parent and parent != own else {}))


def _queue(talk: Talk, work: Work, step: str) -> None:
    """Written down as soon as it is sent: from then on it is only looked for."""
    _sent(work, talk.leads.workset)
    work.keep(**{step: "1"})
    _await(talk, work, first=True)


def _look_first(talk: Talk, work: Work) -> None:
    """Found: ours. Not found: sent once more, through the queue, which makes no duplicates (7.5)."""
    if _adopt(talk, work):
        work.adopted = True
        return
    work.keep(resent="1")
    try:
        _queue(talk, work, "queued")
    except TryLater as error:
        if error.code != "queued":  # it was not sent
            work.keep(resent="")
        raise


def _await(talk: Talk, work: Work, first: bool = False) -> None:
    """The queue tells no id; the lead is found by its mark, after a moment."""
    if _adopt(talk, work):
        work.adopted = not first and work.draft.look_first
        return
    if work.draft.look_first and not first:
        words = "Envybox's queue took the lead and does not show it"
        raise Unclear(words, code="queued", remedy="Look for it in Envybox; it is not sent again.")
    raise TryLater("Envybox's queue has the lead and does not show it yet", code="queued", after=QUEUE_WAIT)


def _adopt(talk: Talk, work: Work) -> bool:
    found = look(talk, work)
    if found is None:
        return False
    work.keep(**found.steps())
    return True


def _sent(work: Work, send: Callable[[dict[str, Any]], Any]) -> Any:
    """A refusal did no work: once more without what may be at fault, so that the lead is not lost."""
    work.unsettled = True
    try:
        return send(work.parcel.body())
    except Refused as error:
        work.parcel.lose("lead", LEFT_OUT)
        work.warn("parts_refused", f"{LEFT_OUT} ({error.message}); it went without them.")
    try:
        return send(work.parcel.bare())
    except Refused as error:
        if "pipeline_id" not in work.parcel.head:
            raise
        problem = Problem("pipeline_refused", f"Envybox refuses the pipeline: {error.message}", "PipelineID")
        raise RuleNeedsFixing(problem.message, code=problem.code, problem=problem) from error
