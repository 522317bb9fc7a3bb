"""A person who has an open lead already: the answer joins it instead of making another one.

Shared by the CRMs that can (``Capabilities.joins``); each finds open leads in its own way. Which lead an
answer joined is in the journal before anything is written on it: a retry finds it there, and looks for the
note before it writes one. A lead that is closed or gone by the time of the note is left, and a new one made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from connectors.delivery import WorkItem
from connectors.draft import LeadDraft, UnplacedValue
from connectors.messages import message, translate
from connectors.note_texts import lost, name_of
from connectors.text import paragraphs

NOTE, LINK = "note", "link"
# Steps of the journal: the lead that was joined, how we knew of it, since when it is there (a day), who looks
# after it, and a lead that was joined, or was to be, and turned out to be closed or gone.
JOINED, JOINED_BY, JOINED_SINCE, JOINED_OWNER = "joined", "joined_by", "joined_since", "joined_owner"
LEFT = "left_lead"
OURS, CONTACTS = "ours", "contact"
LEAD_LEFT = "openLead"  # what a lead that was left is called among losses
FIELDS = message("Would have been put into fields:")
ONLY_MENTIONED = message("the rule only mentions it on the open lead")
CLOSED = message("it was closed or deleted meanwhile, so a new lead was made")
NO_NOTE = message("it took no note, so a new lead was made")


@dataclass(frozen=True, slots=True)
class OpenLead:
    """A lead that can be joined. ``made`` is when it was made, None where the CRM does not say, ``owner`` who
    looks after it."""

    remote_id: str
    made: datetime | None = None
    by: str = CONTACTS
    owner: str = ""


def wanted(item: WorkItem) -> bool:
    """Is there to be a look for an open lead? Not once anything of the draft is there, nor after one was left
    for a lead of its own."""
    begun = item.lead or item.has(JOINED) or item.has(LEFT) or item.draft.formers
    return bool(item.draft.repeated) and not begun


def noted(item: WorkItem) -> bool:
    """Does the journal say that the note is on the lead that was joined?"""
    return item.has(item.draft.note_step())


def in_time(draft: LeadDraft, made: datetime | None) -> bool:
    """Was it made late enough? One that does not say when it was made is no reason against it."""
    return draft.repeated is None or made is None or made >= draft.repeated.since


def best(draft: LeadDraft, found: Iterable[OpenLead]) -> OpenLead | None:
    """Which of several open leads is joined: our own newest, else the newest of the person's."""
    ours = draft.repeated.ours if draft.repeated else ()
    there = {one.remote_id: one for one in found}
    if own := next((one for one in ours if one in there), ""):
        return replace(there[own], by=OURS)
    return max(there.values(), key=lambda one: int(one.remote_id), default=None)


def join(item: WorkItem, found: OpenLead, **steps: str) -> None:
    """The answer is on this lead from here on; to be recorded before anything is written there. ``steps``
    are further ones of the journal."""
    since = found.made.astimezone(UTC).date().isoformat() if found.made else ""
    joined = {JOINED: found.remote_id, JOINED_BY: found.by, JOINED_SINCE: since, JOINED_OWNER: found.owner}
    item.journal |= {"lead": found.remote_id, **joined, **steps}


def leave(item: WorkItem, *steps: str) -> None:
    """The lead that was joined can't be used: one is made instead, which tells it (``tell_left``)."""
    item.journal[LEFT] = item.journal[JOINED]
    item.journal |= dict.fromkeys(("lead", JOINED, JOINED_BY, JOINED_SINCE, JOINED_OWNER, *steps), "")


def tell_left(item: WorkItem, reason: str = CLOSED) -> None:
    """Told as a loss, in the note of the new lead, too; on later tries as well."""
    if item.has(LEFT) and not any(loss.question == LEAD_LEFT for loss in item.losses):
        item.lose(UnplacedValue(LEAD_LEFT, item.journal[LEFT], reason))


def note_text(item: WorkItem, losses: Sequence[UnplacedValue]) -> str:
    """What the note says: on a lead of one's own the answer and what found no place, on one that was joined
    also what would have been elsewhere."""
    draft = item.draft
    if not item.has(JOINED):
        return paragraphs(draft.note, lost(losses, draft.language))
    head = translate(message("The person answered again: {title}", title=draft.title), draft.language)
    if only_mentioned(draft):
        quiz = draft.visit.quiz_id
        kept = message("What was answered is kept in the quiz service, quiz {quiz}.", quiz=quiz)
        return paragraphs(head, translate(kept, draft.language))
    return paragraphs(head, draft.note, fields_of(draft, item.untagged), lost(losses, draft.language))


def task_on_joined(item: WorkItem) -> None:
    """The rule's task is for the lead that was joined, too, where the rule says so: for whoever looks after
    it. To be called once the note is there: what was left wants the task of a lead of its own."""
    repeated, task = item.draft.repeated, item.draft.task
    if task and repeated and repeated.task and not only_mentioned(item.draft):
        performer = task.performer or item.journal.get(JOINED_OWNER, "")
        item.draft = replace(item.draft, task=replace(task, performer=performer))
    else:
        item.draft = replace(item.draft, task=None)


def only_mentioned(draft: LeadDraft) -> bool:
    return draft.repeated is not None and draft.repeated.do == LINK


def fields_of(draft: LeadDraft, tags: Iterable[str]) -> str:
    """What the rule would have put elsewhere beyond the answer itself, such as texts of its own and tags."""
    told = [(one.target.name, one.text) for one in draft.values]
    beside = {"price": draft.price, "company": draft.company, "tags": ", ".join(dict.fromkeys(tags))}
    told += [(name_of(key, draft.language), text) for key, text in beside.items()]
    lines = dict.fromkeys(f"- {name}: {text}" for name, text in told if text and text not in draft.note)
    return "\n".join((translate(FIELDS, draft.language), *lines)) if lines else ""


def warn_unseen(item: WorkItem, said: str) -> None:
    """The CRM refuses to show what could be joined: a new lead is made, and the rule's owner is told."""
    words = message(
        "The CRM does not show us the person's open leads ({said}): new leads are made.", said=said
    )
    item.warn("open_leads_unseen", words, "Extra.Repeated")


def tell_mention(item: WorkItem) -> None:
    """What a mention leaves out is told, line by line."""
    if only_mentioned(item.draft):
        beside = fields_of(item.draft, (tag.name for tag in item.draft.tags))
        item.lose(*lines_of(f"{item.draft.note}\n{beside}", ONLY_MENTIONED))


def lines_of(text: str, reason: str) -> Iterator[UnplacedValue]:
    """What stands on no lead of the CRM, line by line."""
    for line in text.split("\n"):
        question, colon, said = line.partition(": ")
        if line.strip():
            yield UnplacedValue(question if colon else "", said if colon else line, reason)
