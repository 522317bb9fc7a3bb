"""Answers that come in parts: a later body replaces the former one, and its leads are brought up to date.

``"complete": false`` says that more will come under the same answer id. Every body is a revision; those that
were replaced are kept, because what they wrote into a CRM may be overwritten and what people wrote may not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from django.db import transaction

from accounts import db_clock
from connectors.draft import LeadDraft, Receipt, UnplacedValue
from connectors.messages import message
from connectors.note_texts import completed
from rules.delivery import outbox
from rules.delivery.queueing import wake_lanes
from rules.mapping.correcting import value_of, with_value
from rules.mapping.payload import former_digest, is_complete, is_repeat
from rules.mapping.person import KeysByRegion, keys_of
from rules.models import Answer, Delivery, FormerBody

KEPT_APART = message("this CRM can't change a lead that is there")


class Change(Enum):
    """What a body under a known answer id does."""

    UNCHANGED = "unchanged"
    REVISED = "revised"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Bodies:
    """What a delivery sends now, and the bodies before it where the lead is there already (oldest first).
    ``kept`` are all bodies of the answer, by their revisions."""

    payload: Mapping[str, Any]
    revision: int
    formers: tuple[Mapping[str, Any], ...] = ()
    kept: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)


# -- taking a body ------------------------------------------------------------------------------------------


def lock(answers: Iterable[Answer]) -> None:
    """Keep other bodies of these incomplete answers waiting, in one order for everybody, and read them anew:
    one that came meanwhile counts."""
    mine = {answer.pk: answer for answer in answers}
    if not mine:
        return
    for row in Answer.objects.select_for_update().filter(pk__in=mine).order_by("pk"):
        for name in ("payload", "digest", "complete", "revision"):
            setattr(mine[row.pk], name, getattr(row, name))


def revise(answer: Answer, payload: Mapping[str, Any], digest: str) -> Change:
    """Another body for a stored answer. An older one that comes again changes nothing, whenever it comes.

    An incomplete answer was locked by ``lock`` in this transaction.
    """
    if came := _revision_of(answer, payload, digest):
        if is_complete(payload) and not answer.complete and came >= _newest_that_came(answer):
            answer.complete = True
            answer.save(update_fields=["complete"])
        return Change.UNCHANGED
    if answer.complete:
        return Change.CONFLICT
    complete = is_complete(payload)
    replace_body(answer, _with_corrections(answer, payload), digest, complete=complete, purged_at=None)
    _send_again(answer)
    return Change.REVISED


def _revision_of(answer: Answer, payload: Mapping[str, Any], digest: str) -> int | None:
    """Which of the answer's bodies this one repeats, the newest where it is several."""
    if is_repeat(answer.digest, payload, digest):
        return answer.revision
    if answer.revision == 1:
        return None
    alike = answer.former_bodies.filter(digest__in=(digest, former_digest(payload))).order_by("-revision")
    return alike.values_list("revision", flat=True).first()


def _newest_that_came(answer: Answer) -> int:
    """Of the bodies that were not set right by people."""
    mended = set(answer.mends.values_list("revision", flat=True)) if answer.revision > 1 else ()
    return next(number for number in range(answer.revision, 0, -1) if number not in mended)


def replace_body(answer: Answer, payload: Mapping[str, Any], digest: str, **columns: Any) -> None:
    """Another body takes the former one's place, which is kept, and ``columns`` of the answer change with it.

    The answer's row is locked. It is written once: the event that tells of the body reads all of the row.
    """
    FormerBody.objects.create(
        answer=answer, revision=answer.revision, payload=answer.payload, digest=answer.digest
    )
    answer.payload, answer.digest, answer.revision = dict(payload), digest, answer.revision + 1
    answer.contact_keys = keys_of(answer.payload)
    for name, value in columns.items():
        setattr(answer, name, value)
    answer.save(update_fields=["payload", "digest", "revision", "contact_keys", *columns])


def _with_corrections(answer: Answer, payload: Mapping[str, Any]) -> dict[str, Any]:
    """What people set right stays so, where the later body says again what they found wrong."""
    kept = dict(payload)
    for one in answer.mends.order_by("pk") if answer.revision > 1 else ():
        with suppress(KeyError, IndexError):
            if one.after is not None and value_of(kept, one.what) == one.before:
                kept = with_value(kept, one.what, one.after)
    return kept


def _send_again(answer: Answer) -> None:
    """Leads that are there wait to be brought up to date; one that is being sent goes again afterwards, which
    its settlement sees on the row that is locked here. What the rule's condition left out is judged anew."""
    rows = Delivery.objects.filter(answer=answer).select_related("account", "rule").order_by("pk")
    people = KeysByRegion(answer.payload)
    lanes = set()
    for row in rows.select_for_update(of=("self",)):
        row.revision = answer.revision
        row.contact_keys = people.of(row.account.phone_region)
        if row.state == Delivery.State.DELIVERED:
            row.state, row.due_at = Delivery.State.WAITING, db_clock.now()
            row.strikes, row.first_failed_at = 0, None
            lanes.add(row.account_id)
        row.save(update_fields=["revision", "contact_keys", "state", "due_at", "strikes", "first_failed_at"])
    left_out = Delivery.objects.filter(answer=answer, held_because=Delivery.Held.LEFT_OUT)
    judged_anew = set(left_out.values_list("account_id", flat=True))
    outbox.release(left_out, Delivery.Held.LEFT_OUT)
    transaction.on_commit(lambda: wake_lanes(lanes | judged_anew))


# -- sending it ---------------------------------------------------------------------------------------------


def begin(rows: Sequence[Delivery]) -> dict[int, Bodies]:
    """What each claimed delivery sends, written down before it is sent; ``{delivery id: bodies}``.

    A creation that may have happened is finished with the body it was begun with: the lead, if it is there,
    has that one's values. The newer body follows as an update.
    """
    bodies = read(rows)
    moved = []
    for row in rows:
        if row.revision_sent != bodies[row.pk].revision:
            row.revision_sent = bodies[row.pk].revision
            moved.append(row)
    if moved:
        Delivery.objects.bulk_update(moved, ["revision_sent"])
    return bodies


def read(rows: Sequence[Delivery]) -> dict[int, Bodies]:
    """The same for a look: nothing is written."""
    several = {row.answer_id for row in rows if row.answer.revision > 1}
    kept: dict[int, dict[int, Any]] = {}
    for body in FormerBody.objects.filter(answer__in=several) if several else ():
        kept.setdefault(body.answer_id, {})[body.revision] = body.payload
    bodies = {}
    for row in rows:
        all_of_it = {**kept.get(row.answer_id, {}), row.answer.revision: row.answer.payload}
        begun = not row.delivered_at and (row.look_first or bool(row.steps.get("lead")))
        revision = row.revision_sent if begun else row.answer.revision
        formers = (all_of_it[n] for n in sorted(all_of_it) if n < revision and row.delivered_at)
        bodies[row.pk] = Bodies(all_of_it[revision], revision, tuple(formers), all_of_it)
    return bodies


def revised(draft: LeadDraft, revision: int, formers: tuple[LeadDraft, ...]) -> LeadDraft:
    """A draft that brings its lead up to date, where it has formers; its note says what it is."""
    if not formers:
        return draft if revision == draft.revision else replace(draft, revision=revision)
    note = f"{completed(draft.language)}\n{draft.note}"
    return replace(draft, note=note, revision=revision, formers=formers)


def left_as_it_is(draft: LeadDraft, link: str) -> Receipt:
    """For a CRM that can't change its leads: what came later is told as lost to it, line by line."""
    known = {line for former in draft.formers for line in former.note.splitlines()}
    known.add(completed(draft.language))
    late = [line for line in draft.note.splitlines() if line.strip() and line not in known]
    losses = (UnplacedValue(*_question(line), KEPT_APART) for line in late)
    return Receipt(draft.uid, draft.journal, link, losses=(*draft.losses, *losses))


def _question(line: str) -> tuple[str, str]:
    """A line of a note as question and answer."""
    question, colon, text = line.partition(": ")
    return (question, text) if colon else ("", line)
