"""What became of a lead, told on its page and, in short, on its delivery's."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.texts import money, said, say
from connectors.lead_status import BY_HAND
from connectors.messages import Message, message
from connectors.redact import redact
from connectors.registry import connector_class
from rules.admin.links import page
from rules.models import Outcome

KINDS = {"lead": message("lead"), "deal": message("deal"), "project": message("project")}


def fate_of(row: Outcome, for_operator: bool) -> dict[str, Any]:
    """People and details only for those who may read what people answered."""
    return {
        **in_short(row),
        "for_operator": for_operator,
        "by_hand": row.matched == BY_HAND,
        "next_look": _next_look(row),
        "payments": [_payment(one, row.currency) for one in row.payments or []],
        "silent_of_money": row.payments is None,
        "contact": _pairs(row.contact) if for_operator else [],
        "details": _pairs(row.details) if for_operator else [],
        "pages": {
            "account": page("accounts_account", row.account_id),
            "delivery": page("rules_delivery", row.delivery_id),
            "rule": page("rules_rule", row.delivery.rule_id),
            "answer": page("rules_answer", row.delivery.answer_id),
        },
    }


def in_short(row: Outcome) -> dict[str, Any]:
    """What its delivery's page says, too."""
    return {
        "row": row,
        "page": page("rules_outcome", row.pk),
        "safe_link": row.link.startswith(("https://", "http://")),
        "what": said(called(row.record, row.record_id)) if row.record_id else "",
        "total": money(row.amount, row.currency),
        "paid": money(row.paid, row.currency),
        "task": Outcome.Task(state).label if (state := row.task_state()) else "",
        "unfound": row.seen_at is not None and not row.record and not row.error,
    }


def called(record: str, record_id: str) -> Message:
    """``deal 25``: by the kind that its CRM has said."""
    kind = KINDS.get(record, record) or KINDS["lead"]
    return message("{kind} {number}", kind=kind, number=record_id)


def _next_look(row: Outcome) -> str:
    if row.next_look_at is None:
        return say("none: it is followed no more")
    if not connector_class(row.account.crm).can.follow:
        return say("none: this CRM can't be asked")
    if not row.account.usable:
        return say("none until its account is active ({state})", state=row.account.get_state_display())
    return f"{timezone.localtime(row.next_look_at):%d.%m.%Y %H:%M:%S}"


def _payment(one: dict[str, Any], currency: str) -> dict[str, Any]:
    try:
        amount = Decimal(str(one.get("amount", "")))
    except InvalidOperation:
        amount = Decimal()
    return {
        "id": one.get("id", ""),
        "amount": money(amount, currency),
        "out": amount < 0,
        "at": parse_datetime(str(one.get("paidAt") or "")),
    }


def _pairs(told: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """(name, text, whether it takes lines of its own)."""
    return [
        (name.replace("_", " "), *_text(value))
        for name, value in told.items()
        if value not in ("", None, [], {})
    ]


def _text(value: Any) -> tuple[str, bool]:
    if isinstance(value, (dict, list)):
        return redact(json.dumps(value, ensure_ascii=False, indent=2)), True
    return redact(str(value)), False
