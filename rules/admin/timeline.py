"""A delivery told as a story: where it stands, what to do, what it made, and every try with its words."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from django.utils.translation import gettext_lazy as _

from connectors.redact import redact
from rules.admin.lead_status import in_short
from rules.admin.links import page
from rules.delivery.holds import FOR_RETURN
from rules.delivery.next_try import next_try
from rules.models import Attempt, Delivery

TRIES_SHOWN = 50
UNUSED = (
    "answer__payload",
    "version__said",
    "rule__quiz",
    "account__facts",
    "outcome__contact",
    "outcome__details",
)
OUTCOMES = {  # as rules.delivery.attempts writes them: label, colour
    "delivered": (_("delivered"), "success"),
    "adopted": (_("found in the CRM and adopted"), "success"),
    "wait": (_("to be tried later"), "info"),
    "look_first": (_("unclear: it may have arrived"), "warning"),
    "reconnect": (_("account needs reconnecting"), "danger"),
    "edit_rule": (_("rule needs fixing"), "danger"),
    "resume": (_("account is stopped"), "warning"),
    "give_up": (_("refused"), "danger"),
}
STEP_NAMES = {"lead": _("lead"), "contact": _("contact"), "company": _("company"), "note": _("note")}


def story_of(delivery_id: int, for_operator: bool, payloads: bool) -> dict[str, Any]:
    """What the page shows; values for operators, requests for those who may read payloads."""
    rows = Delivery.objects.select_related("account__lane", "rule", "answer", "outcome", "version").defer(
        *UNUSED
    )
    delivery = rows.filter(pk=delivery_id).first()
    if delivery is None:
        return {}
    return {
        "delivery": delivery,
        "for_operator": for_operator,
        "payloads": payloads,
        "next_try": next_try(delivery),
        "for_return": delivery.held_because in FOR_RETURN,
        "fate": in_short(outcome) if (outcome := getattr(delivery, "outcome", None)) else None,
        "safe_link": delivery.remote_link.startswith(("https://", "http://")),
        "journal": [(STEP_NAMES.get(step, step), made) for step, made in delivery.steps.items()],
        "tries": [_try(attempt, payloads) for attempt in _attempts(delivery, payloads)],
        "pages": {
            "account": page("accounts_account", delivery.account_id),
            "rule": page("rules_rule", delivery.rule_id),
            "answer": page("rules_answer", delivery.answer_id),
        },
    }


def _attempts(delivery: Delivery, payloads: bool) -> list[Attempt]:
    """The newest tries, newest first."""
    rows = delivery.attempts.order_by("-id")
    return list((rows if payloads else rows.defer("exchanges"))[:TRIES_SHOWN])


def _try(attempt: Attempt, payloads: bool) -> dict[str, Any]:
    label, colour = OUTCOMES.get(attempt.outcome, (attempt.outcome, "default"))
    exchanges = [_exchange(one) for one in attempt.exchanges] if payloads else []
    return {"row": attempt, "label": label, "colour": colour, "exchanges": exchanges}


def _exchange(one: dict[str, Any]) -> dict[str, Any]:
    status = one.get("status") or 0
    return {
        **one,
        "url": redact(str(one.get("url", ""))),
        "request": readable(one.get("request", "")),
        "response": readable(one.get("response", "")),
        "colour": "success" if 200 <= status < 300 else "danger",
    }


def readable(text: Any) -> str:
    """JSON in lines where it is whole, the excerpt as it is where it was cut. Redacted once more."""
    raw = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
    with suppress(ValueError):
        raw = json.dumps(json.loads(raw), ensure_ascii=False, indent=2)
    return redact(raw)
