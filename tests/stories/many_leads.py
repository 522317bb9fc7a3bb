"""Many delivered leads at once, without sending each: the first one is delivered, the others are made after
it, in our books and in the local CRM alike. And ten faults among them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import F

from rules.models import Answer, Delivery, Outcome
from rules.planning import new_uid


def many(shop: Any, count: int, copy: Any) -> list[Delivery]:
    """``count`` deliveries in their order; ``copy(remote id, uid)`` makes another lead and says its id."""
    shop.post()
    shop.work()
    first = Delivery.objects.get()
    rows = [shown(first, number) for number in range(1, count)]
    Answer.objects.bulk_create(row.answer for row in rows)
    for row in rows:
        row.answer_id = row.answer.pk
        row.remote_id = copy(first.remote_id, row.uid)
        row.steps = {**first.steps, "lead": row.remote_id}
    Delivery.objects.bulk_create(rows)
    kept = Outcome.objects.get()
    Outcome.objects.bulk_create(
        Outcome(
            delivery=row, account=row.account, owner=row.owner, quiz_id=row.quiz_id, record_id=row.remote_id,
            created_at=kept.created_at, next_look_at=kept.next_look_at,
        )
        for row in rows
    )  # fmt: skip
    return [first, *rows]


def shown(first: Delivery, number: int) -> Delivery:
    """A row like the first one, of another answer."""
    answer = Answer(
        account_id=first.owner, quiz_id=first.quiz_id, answer_id=f"many-{number}", payload={}, digest=""
    )
    names = (
        "rule_id", "account_id", "owner", "quiz_id", "state", "created_at", "delivered_at", "version_id",
        "route",
    )  # fmt: skip
    return Delivery(answer=answer, uid=new_uid(), **{name: getattr(first, name) for name in names})


def plant(rows: list[Delivery], do: Any) -> dict[str, list[str]]:
    """Ten faults, evenly among the deliveries: what a reconciliation is to find. ``do(kind, row)``."""
    kinds = (
        "missing",
        "missing",
        "doubled",
        "found",
        "moved",
        "deleted",
        "doubled",
        "found",
        "missing",
        "moved",
    )
    found: dict[str, list[str]] = {}
    for number, kind in enumerate(kinds):
        row = rows[(2 * number + 1) * len(rows) // 20]
        if kind == "found":
            Outcome.objects.filter(delivery=row).delete()
            held = {"state": "held", "held_because": "look_first", "look_first": True, "remote_id": ""}
            Delivery.objects.filter(pk=row.pk).update(**held, delivered_at=None)
        else:
            if kind == "deleted":
                seen = F("created_at") + timedelta(minutes=30)
                Outcome.objects.filter(delivery=row).update(record="lead", seen_at=seen)
            do(kind, row)
        found.setdefault(kind, []).append(row.answer.answer_id)
    return found
