"""One value of a stored answer set right by hand. The former body is kept, as one that a later body replaced:
a repeat of it is recognised and changes nothing. Leads that are there change when they are replayed."""

from __future__ import annotations

from typing import Any

import structlog
from django.db import transaction

from accounts.history import Actor
from connectors.messages import message
from connectors.text import storable
from rules.delivery.revisions import replace_body
from rules.mapping.correcting import value_of, with_value
from rules.mapping.payload import digest, scalar_text
from rules.mapping.person import KeysByRegion
from rules.models import Answer, Delivery, Mend

log = structlog.stdlib.get_logger(__name__)
LONGEST, MOST_TEXTS = 10_000, 100
SCALARS = (str, int, float, bool)


class NotMendable(Exception):
    """Why a value can't be set: ``code`` for programs, words for people, and which part of the request."""

    def __init__(self, code: str, words: str, field: str = "") -> None:
        super().__init__(words)
        self.code, self.words, self.field = code, words, field


def mend(answer_id: int, what: str, value: Any, actor: Actor) -> Mend:
    """Set a value (``rules.mapping.correcting`` has the names). Raises ``NotMendable``.

    What has not arrived yet goes with it by itself; what has is replayed by whoever wants that.
    """
    _check(value)
    with transaction.atomic():
        answer = Answer.objects.select_for_update().get(pk=answer_id)
        if answer.purged_at:
            raise NotMendable("erased", message("What was answered is erased"))
        try:
            before, body = value_of(answer.payload, what), with_value(answer.payload, what, value)
        except (KeyError, IndexError) as error:
            words = message("This answer has no such value: {what}", what=what)
            raise NotMendable("invalid", words, "what") from error
        if digest(body) == digest(answer.payload):
            raise NotMendable("conflict", message("It says so already"), "value")
        _replace(answer, body)
        row = Mend.objects.create(
            answer=answer,
            revision=answer.revision,
            what=what,
            before=before,
            after=value,
            by=actor.by,
            who=actor.called(answer.account_id),
        )
    log.info("answer set right", answer=answer.pk, revision=answer.revision, by=actor.by)
    return row


def _replace(answer: Answer, body: dict[str, Any]) -> None:
    replace_body(answer, body, digest(body))
    people = KeysByRegion(body)
    rows = Delivery.objects.filter(answer=answer).select_related("account").order_by("pk")
    for row in rows.select_for_update(of=("self",)):
        row.contact_keys = people.of(row.account.phone_region)
        if row.state != Delivery.State.DELIVERED:
            row.revision = answer.revision
        row.save(update_fields=["contact_keys", "revision"])


def _check(value: Any) -> None:
    texts = value if isinstance(value, list) else [value]
    if len(texts) > MOST_TEXTS or not all(isinstance(one, SCALARS) for one in texts):
        words = message("A text, a number, or a list of these is wanted")
        raise NotMendable("invalid", words, "value")
    if sum(len(scalar_text(one)) for one in texts) > LONGEST:
        raise NotMendable("max_length", message("The value is too long"), "value")
    if any(isinstance(one, str) and storable(one) != one for one in texts):
        raise NotMendable("unstorable", message("The value has characters that can't be stored"), "value")
