"""One person's data: found by phone, e-mail or answer id, given out, or forgotten.

Forgetting waits for deliveries that are being sent, so that no lead is left half-made; what waits or is held
is sent no more. It is kept as a row (``Erasure``) until nothing is left, so that it goes on whatever breaks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts import db_clock, task_queue
from connectors.messages import message
from crm_cache import directory
from crm_cache.models import KnownContact
from rules.delivery import holds, outbox, replay_moves
from rules.mapping.person import contact_keys
from rules.models import Answer, Delivery, Erasure, FormerBody
from rules.retention import empty
from rules.serializers.deliveries import write_former_values

log = structlog.stdlib.get_logger(__name__)
AT_ONCE = 500
MOST_EXPORTED = 1000
NO_SUCH = {
    "phone": message("This is no phone that anybody could be found by"),
    "email": message("This is no email that anybody could be found by"),
}
ERASED = (
    message("The bodies of the answers, replaced ones too"),
    message("Phones and e-mails by which the person is known here"),
    message("Values that were told as losses"),
    message("Options of quizzes that no later answer brought"),
    message("What was in the contact or company before a rule wrote into it, and what it wrote"),
    message("The contact and the details that were seen in the CRM"),
    message("What was said with the CRM in each try"),
    message("Which contact of the CRM the person is"),
)
KEPT = (
    message("Ids and digests of the answers, so that a late repeat is recognised"),
    message("Ids and links of records in the CRM: erasing there is up to the CRM's customer"),
    message("States, times, sums and steps"),
    message("By what the answers are counted: advertisement, page, and what was chosen of what was offered"),
)


@dataclass(frozen=True, slots=True)
class Who:
    """A person: contact keys or an answer id that tell, and the quiz account to look in (all if empty)."""

    keys: tuple[str, ...] = ()
    answer_id: str = ""
    owner: str = ""

    @property
    def digest(self) -> str:
        told = json.dumps([sorted(self.keys), self.answer_id, self.owner])
        return hashlib.sha256(told.encode()).hexdigest()

    def answers(self) -> QuerySet[Answer]:
        """Those of any of the keys, and the one named; none where nobody is named."""
        meant = Q(pk__in=())
        if self.keys:
            meant |= Q(contact_keys__overlap=list(self.keys))
        if self.answer_id:
            meant |= Q(answer_id=self.answer_id)
        rows = Answer.objects.filter(meant)
        return rows.filter(account_id=self.owner) if self.owner else rows


def who(phone: str = "", email: str = "", answer_id: str = "", owner: str = "") -> Who:
    """Raises ``ValueError`` with a sentence where nobody is named, or a phone or e-mail is none."""
    keys: list[str] = []
    for name, value in (("phone", phone), ("email", email)):
        found = contact_keys({name: value}, settings.PHONE_REGION) if value else []
        if value and not found:
            raise ValueError(NO_SUCH[name])
        keys += found
    if not (keys or answer_id):
        raise ValueError(message("A phone, an e-mail or an answer id is needed"))
    return Who(tuple(keys), answer_id, owner)


def person_of(erasure: Erasure) -> Who:
    """Who is to be forgotten; nobody once that is done."""
    return Who(tuple(erasure.keys), erasure.answer_id, erasure.owner)


# -- giving out ----------------------------------------------------------------------------------------------


def export(person: Who) -> dict[str, Any]:
    """``{"answers": [...], "more": bool}``: all that is kept of the person, the newest answers first."""
    found = list(person.answers().order_by("-pk")[: MOST_EXPORTED + 1])
    answers = found[:MOST_EXPORTED]
    formers: dict[int, list[Any]] = {}
    for body in FormerBody.objects.filter(answer__in=answers):
        formers.setdefault(body.answer_id, []).append(body.payload)
    sent: dict[int, list[dict[str, Any]]] = {}
    rows = Delivery.objects.filter(answer__in=answers).select_related("account", "outcome").order_by("pk")
    for row in rows:
        sent.setdefault(row.answer_id, []).append(_delivery(row))
    told = [_answer(one, formers.get(one.pk, []), sent.get(one.pk, [])) for one in answers]
    return {"answers": told, "more": len(found) > MOST_EXPORTED}


def _answer(one: Answer, formers: Sequence[Any], deliveries: Sequence[Any]) -> dict[str, Any]:
    return {
        "id": one.pk,
        "accountID": one.account_id,
        "quizID": one.quiz_id,
        "answerID": one.answer_id,
        "createdAt": one.created_at.isoformat(),
        "erased": one.purged_at is not None,
        "body": one.payload,
        "formerBodies": list(formers),
        "corrections": list(one.mends.values("what", "before", "after", "by", "who")),
        "deliveries": list(deliveries),
    }


def _delivery(row: Delivery) -> dict[str, Any]:
    outcome = getattr(row, "outcome", None)
    return {
        "id": row.pk,
        "crm": row.account.crm,
        "state": row.state,
        "leadID": row.remote_id,
        "link": row.remote_link,
        "losses": row.losses,
        "formerValues": write_former_values(row),
        "contact": outcome.contact if outcome else {},
        "details": outcome.details if outcome else {},
    }


# -- forgetting ----------------------------------------------------------------------------------------------


def erase(person: Who, by: str) -> Erasure:
    """Forget the person: most at once, what is being sent once that is over. Asking again changes nothing."""
    erasure, _ = Erasure.objects.get_or_create(
        digest=person.digest,
        done_at=None,
        defaults={
            "keys": list(person.keys),
            "answer_id": person.answer_id,
            "owner": person.owner,
            "asked_by": by,
        },
    )
    carry_out(erasure)
    if erasure.done_at is None:
        transaction.on_commit(partial(task_queue.ask, "rules.tasks.erase_due", seconds=30))
    return erasure


def erase_due() -> None:
    """Go on with whom is not forgotten yet; each fails alone."""
    for erasure in Erasure.objects.filter(done_at=None).order_by("asked_at"):
        try:
            carry_out(erasure)
        except Exception:
            log.exception("the erasure waits", erasure=erasure.pk)


def carry_out(erasure: Erasure) -> None:
    """One portion after another; done once nothing is being sent and nothing is left."""
    person = person_of(erasure)
    left = person.answers().filter(purged_at=None)
    last = 0
    while found := list(left.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        last = found[-1]
        count = _forget(found)
        Erasure.objects.filter(pk=erasure.pk).update(answers=F("answers") + count)
    if not left.exists():
        _forget_contacts(person.keys)
        done = {"keys": [], "answer_id": "", "done_at": db_clock.now()}
        Erasure.objects.filter(pk=erasure.pk, done_at=None).update(**done)
        log.info("a person was forgotten", erasure=erasure.pk)
    erasure.refresh_from_db()


def _forget(answers: Collection[int]) -> int:
    """How many could be: not those of which something is being sent."""
    with transaction.atomic():
        locked = Answer.objects.select_for_update().filter(pk__in=answers, purged_at=None).order_by("pk")
        keys = set(locked.values_list("pk", flat=True))
        replay_moves.give_up(Delivery.objects.filter(answer__in=keys), holds.ERASED.error)
        outbox.cancel_erased(Delivery.objects.filter(answer__in=keys))
        sending = Delivery.objects.filter(answer__in=keys, state=Delivery.State.SENDING)
        keys -= set(sending.values_list("answer_id", flat=True))
        known = Answer.objects.filter(pk__in=keys).values_list("contact_keys", flat=True)
        _forget_contacts({key for one in known for key in one})
        empty(keys)
    return len(keys)


def _forget_contacts(keys: Collection[str]) -> None:
    """Which contact of a CRM the person is."""
    KnownContact.objects.filter(key__in=keys).delete()
    directory.forget(keys)


def in_flight(erasure: Erasure) -> int:
    """How many answers are waited for."""
    if erasure.done_at:
        return 0
    return person_of(erasure).answers().filter(purged_at=None).count()
