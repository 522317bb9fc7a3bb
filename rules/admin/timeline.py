"""A delivery told as a story: where it stands, what to do, and all that happened with its words and times."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account
from accounts.texts import said as in_words
from accounts.texts import say
from connectors import existing, tasks
from connectors.delivery import FOUND_BY
from connectors.redact import redact
from connectors.repeated import JOINED, LEFT
from rules import test_leads
from rules.admin import reconciliations
from rules.admin.lead_status import in_short
from rules.admin.links import page
from rules.admin.mending import mends_of
from rules.admin.offers import RECORDS
from rules.admin.replaying import replays_of
from rules.admin.rule_form import field_names
from rules.admin.versions import who_did
from rules.delivery.holds import FOR_RETURN
from rules.delivery.joined import words_of
from rules.delivery.next_try import next_try
from rules.mapping.existing import NAMED
from rules.mapping.option_checks import OPTION_CODES
from rules.models import Attempt, Delivery, Rule

TRIES_SHOWN = 50
UNUSED = (
    "answer__payload", "version__said", "rule__quiz", "account__facts", "outcome__contact",
    "outcome__details",
)  # fmt: skip
OUTCOMES = {  # as rules.delivery.attempts writes them: label, colour
    "delivered": (gettext_lazy("delivered"), "success"),
    "adopted": (gettext_lazy("found in the CRM and adopted"), "success"),
    "wait": (gettext_lazy("to be tried later"), "info"),
    "look_first": (gettext_lazy("unclear: it may have arrived"), "warning"),
    "reconnect": (gettext_lazy("account needs reconnecting"), "danger"),
    "edit_rule": (gettext_lazy("rule needs fixing"), "danger"),
    "resume": (gettext_lazy("account is stopped"), "warning"),
    "give_up": (gettext_lazy("refused"), "danger"),
}
# What was made, of steps; others say how, or are a connector's own.
STEP_NAMES = {
    "lead": gettext_lazy("lead"), "contact": gettext_lazy("contact"), "company": gettext_lazy("company"),
    "customer": gettext_lazy("customer"), "note": gettext_lazy("note"), tasks.STEP: gettext_lazy("task"),
    JOINED: gettext_lazy("joined to lead"), LEFT: gettext_lazy("open lead that was not joined"),
}  # fmt: skip
FOUND = {
    "phone": gettext_lazy("contact found by phone"),
    "email": gettext_lazy("contact found by e-mail"),
    "memory": gettext_lazy("contact known from an earlier answer"),
}
MADE = {
    "company": gettext_lazy("company"),
    "lead": gettext_lazy("lead made"),
    "note": gettext_lazy("note written"),
    existing.STEP: gettext_lazy("written into the one that was there"),
    tasks.STEP: gettext_lazy("task made"),
    JOINED: gettext_lazy("joined to an open lead"),
}
PLACES = {  # where on the rule's page a problem is mended, by the field that it names
    "PerformerID": "id_new_performer", "PipelineID": "id_placement", "StepID": "id_placement",
    "StageID": "id_placement", "TagsToAdd": "picker-tags", "Extra": "picker-routes", "Task": "picker-routes",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class May:
    """What whoever reads the page may do."""

    operate: bool = False
    payloads: bool = False
    connect: bool = False


def story_of(delivery_id: int, may: May) -> dict[str, Any]:
    """What the page shows; values for operators, requests for those who may read payloads."""
    related = ("account__lane", "rule", "answer", "outcome", "version")
    delivery = Delivery.objects.select_related(*related).defer(*UNUSED).filter(pk=delivery_id).first()
    if delivery is None:
        return {}
    tries = list(delivery.attempts.order_by("-id")[:TRIES_SHOWN])[::-1]
    return {
        "delivery": delivery,
        "for_operator": may.operate,
        "payloads": may.payloads,
        "main": main_action(delivery, may),
        "next_try": next_try(delivery),
        "joined": words_of(delivery.steps),
        "for_return": delivery.held_because in FOR_RETURN,
        "fate": in_short(outcome) if (outcome := getattr(delivery, "outcome", None)) else None,
        "safe_link": delivery.remote_link.startswith(("https://", "http://")) and not delivery.removed_at,
        "journal": list(_journal(delivery.steps)),
        "losses": list(_losses(delivery)),
        "former_values": list(_former_values(delivery)),
        "happened": _happened(delivery, tries, may),
        "tried": bool(tries),
        "older_tries": tries[0].number - 1 if tries else 0,
        "found": reconciliations.of_delivery(delivery.pk),
        "changed_by": who_did(delivery.version) if delivery.version else "",
        "by_hand": delivery.test and not test_leads.deletes(delivery.account),
        "pages": {
            "account": page("accounts_account", delivery.account_id),
            "rule": page("rules_rule", delivery.rule_id),
            "answer": page("rules_answer", delivery.answer_id),
        },
    }


# -- what to do ----------------------------------------------------------------------------------------------


def main_action(delivery: Delivery, may: May) -> tuple[str, str] | None:
    """(words, address) of the one thing that helps this delivery now; None where nothing does, or may."""
    if delivery.state not in (Delivery.State.HELD, Delivery.State.WAITING):
        return None
    if delivery.held_because in ("", *FOR_RETURN):
        return _account_action(delivery.account, may)
    return _own_action(delivery) if may.operate else None


def _account_action(account: Account, may: May) -> tuple[str, str] | None:
    if account.state == Account.State.PAUSED and not account.deleted:
        url = reverse("admin:accounts_account_resume", args=[account.pk])
        return (_("Resume the account"), url) if may.operate else None
    if account.usable or not may.connect:
        return None
    return _("Reconnect"), reverse("admin:accounts_account_reconnect", args=[account.pk])


def _own_action(delivery: Delivery) -> tuple[str, str] | None:
    held = Delivery.Held
    match delivery.held_because:
        case held.RULE_PAUSED:
            return _("Resume the rule"), reverse("admin:rules_rule_resume", args=[delivery.rule_id])
        case held.RULE_DELETED:
            whose = urlencode({"account": delivery.account_id, "quiz_id": delivery.quiz_id})
            return _("Make a rule"), f"{reverse('admin:rules_rule_add')}?{whose}"
        case held.FIX_RULE:
            return _("Fix the rule"), f"{page('rules_rule', delivery.rule_id)}#{_place_of(delivery)}"
        case held.LOOK_FIRST:
            return _("The lead is in the CRM"), reverse("admin:rules_delivery_arrived", args=[delivery.pk])
        case held.ERASED:
            return None
    return _("Try again"), reverse("admin:rules_delivery_try_again", args=[delivery.pk])


def _place_of(delivery: Delivery) -> str:
    """The field of the rule's page that holds this delivery."""
    fields = [
        one.get("field", "") for one in delivery.rule.problems if one.get("code") == delivery.error_code
    ]
    return place_of_field(fields[0] if fields else "")


def place_of_field(field: str) -> str:
    """Where on the rule's page somebody mends a problem with this field of the contract."""
    head = field.partition(".")[0]
    choice = f"id_choice_{head}" if head and head[:1].isupper() and head != "FieldsRule" else "picker-fields"
    return PLACES.get(head, choice)


def places_of(rule: Rule | None) -> list[tuple[dict[str, Any], str]]:
    """The rule's problems, each with the place on its page where somebody mends it."""
    return [
        (one, "picker-routes" if one.get("code") in OPTION_CODES else place_of_field(one.get("field", "")))
        for one in (rule.problems if rule else ())
    ]


def _journal(steps: Mapping[str, str]) -> Iterator[tuple[Any, str]]:
    """(what, its id in the CRM). A CRM with several kinds of leads has said which this one is."""
    names = {**STEP_NAMES, "lead": RECORDS.get(steps.get("kind", ""), STEP_NAMES["lead"])}
    yield from ((names[_kind(step)], made) for step, made in steps.items() if made and _kind(step) in names)


def _losses(delivery: Delivery) -> Iterator[dict[str, Any]]:
    """What is only in the note, each with the name of the field that it was meant for."""
    names = field_names(delivery.account, {str(one.get("field") or "") for one in delivery.losses} - {""})
    for one in delivery.losses:
        field = str(one.get("field") or "")
        known = names.get((one.get("entity", ""), field))
        yield {**one, "place": known or (say("field {id}", id=field) if field else "")}


def _former_values(delivery: Delivery) -> Iterator[dict[str, str]]:
    """What a rule wrote into a contact or company that was there, and what was there before."""
    for one in existing.read_written(delivery.steps):
        yield {
            "record": str(RECORDS.get(one.word, one.word)),
            "field": in_words(NAMED[one.name]).capitalize() if one.name in NAMED else one.name,
            "before": ", ".join(one.before),
            "now": ", ".join((*one.before, *one.now) if one.added else one.now),
        }


# -- what happened -------------------------------------------------------------------------------------------


def _happened(delivery: Delivery, tries: list[Attempt], may: May) -> list[dict[str, Any]]:
    """Tries, values set right, replays and what became of the lead, as they came after each other."""
    told: list[tuple[Any, dict[str, Any]]] = [
        (attempt.started_at, {"try": _try(attempt, delivery, may.payloads)}) for attempt in tries
    ]
    mends = mends_of(delivery.answer) if delivery.answer.revision > 1 else []
    told += [(one["row"].at, {"mend": one}) for one in mends]
    told += [(one["row"].at, {"replay": one}) for one in replays_of(delivery)]
    told += [(at, {"what": what, "at": at}) for at, what in _afterwards(delivery)]
    return [one for _at, one in sorted(told, key=lambda item: item[0])]


def _afterwards(delivery: Delivery) -> Iterator[tuple[Any, str]]:
    """(when, what) since the lead is there."""
    if delivery.delivered_at:
        words = words_of(delivery.steps)
        yield delivery.delivered_at, in_words(words) if words else _("the lead is in the CRM")
    outcome = getattr(delivery, "outcome", None)
    if outcome and outcome.changed_at and outcome.step_name:
        yield outcome.changed_at, say("now in the step «{step}»", step=outcome.step_name)
    if outcome and outcome.task_ended_at:
        yield outcome.task_ended_at, _("the task was done")
    if outcome and outcome.closed_at:
        yield outcome.closed_at, str(outcome.get_status_display())
    if delivery.removed_at:
        yield delivery.removed_at, _("the test lead was deleted in the CRM")


def _try(attempt: Attempt, delivery: Delivery, payloads: bool) -> dict[str, Any]:
    label, colour = OUTCOMES.get(attempt.outcome, (attempt.outcome, "default"))
    groups = groupby(attempt.exchanges, key=lambda one: str(one.get("made") or ""))
    parts = [_part(made, list(found), delivery, payloads) for made, found in groups]
    return {"row": attempt, "label": label, "colour": colour, "parts": parts}


def _part(made: str, found: list[dict[str, Any]], delivery: Delivery, payloads: bool) -> dict[str, Any]:
    """What a few requests led to, how long they took, and themselves for those who may read them."""
    return {
        "what": capfirst(", ".join(dict.fromkeys(_results(made.split(), delivery)))) or _("Other requests"),
        "seconds": sum(one.get("seconds") or 0 for one in found),
        "requests": len(found),
        "exchanges": [_exchange(one) for one in found] if payloads else [],
    }


def _results(steps: list[str], delivery: Delivery) -> Iterator[str]:
    journal = delivery.steps
    if "contact" in steps:
        was_there = journal.get("found") and journal.get("found") == journal.get("contact")
        by = FOUND.get(journal.get(FOUND_BY, ""), _("contact found"))
        yield str(by) if was_there else _("no contact found: a new one made")
    for step in steps:
        if word := MADE.get(_kind(step)):
            yield str(word)


def _kind(step: str) -> str:
    """Of a step that was done again, as ``note-p1``: what was made."""
    return step.partition("/")[0].partition("-")[0]


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
