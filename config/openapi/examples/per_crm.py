"""What each CRM has at its own paths: its account, its lists, a quiz's rule and what is done with it."""

from __future__ import annotations

from typing import Any

from config.openapi.examples.crms.sample import CREATED, CrmSample, sample_of
from config.openapi.examples.shown import SUCCESS, Shown
from config.openapi.quiz import UNSURE
from connectors.base import Capabilities
from connectors.registry import CONNECTORS
from crm_cache.serializers import lists_of
from rules.serializers import dialect_of
from rules.serializers.extra_parts import shown_id
from rules.serializers.rules import write_rule

TEXTS = {
    "Title": "{{ quiz.title }}: {{ contact.name | default('без имени') }}",
    "Note": "Площадь: {{ answer.area | number }} м²",
}

TASK = {"Task": {"Text": "Перезвонить: {{ contact.name | default('клиент') }}", "Minutes": 15}}


def examples() -> dict[str, Shown]:
    """Of all CRMs of the registry, by operation id."""
    found: dict[str, Shown] = {}
    for kind in CONNECTORS:
        sample = sample_of(kind)
        found |= {**sample.accounts, **_lists(sample), **_rule(sample), **_rule_life(sample)}
    return found


def _lists(sample: CrmSample) -> dict[str, Shown]:
    found = {}
    for shape in lists_of(sample.kind):
        page = {"count": 1, "items": [shape.item(sample.row(shape.what), sample.account)]}
        found[shape.read_id] = Shown({200: {"The only page": page}, 404: {"Nothing is known": shape.missing}})
        found[shape.refresh_id] = Shown({200: {"Asked for; it is read within seconds": "Success"}})
    return found


def _rule(sample: CrmSample) -> dict[str, Shown]:
    dialect = dialect_of(sample.kind)
    return {
        dialect.operations["retrieve"]: Shown({200: {"The quiz's rule": dialect.write(sample.rule)}}),
        dialect.operations["create"]: Shown(
            SUCCESS, {"A rule for a quiz of seven questions": sample.rule_body}
        ),
        dialect.operations["partial_update"]: Shown(
            SUCCESS,
            {
                "What is named is changed, the rest stays": sample.rule_change,
                "Only with a phone; large sums go elsewhere": {"Extra": _extra(sample)},
                "Texts of the rule's own": {"Extra": TEXTS},
                **_options(sample),
                **_existing(dialect.can),
                **({"A call within a quarter of an hour": {"Extra": TASK}} if dialect.can.tasks else {}),
                "All answers, and all by the rule": {"Extra": {}},
            },
        ),
        f"Delete{_word(sample)}Rule": Shown(SUCCESS),
    }


def _existing(can: Capabilities) -> dict[str, Any]:
    """What this CRM can do with records that it has already."""
    mode = {"Mode": "fill", "Append": True, "Fields": {"name": "leave"}}
    existing = {"Existing": {word.capitalize(): mode for word in can.existing}} if can.existing else {}
    owner = {"Responsible": {"Own": True}} if can.tells_owner else {}
    return {"People whom the CRM knows": {"Extra": {**existing, **owner}}} if existing or owner else {}


def _extra(sample: CrmSample) -> dict[str, Any]:
    """A condition and a route, which names what the rule of this CRM names."""
    large = {"value": "answer.budget", "between": [1_000_000, None]}
    return {
        "SendIf": {"value": "contact.phone", "empty": False},
        "Routes": [{"Name": "Large", "If": large, "Then": sample.rule_change}],
    }


def _options(sample: CrmSample) -> dict[str, Any]:
    """Where the CRM tells the options of its fields."""
    if not sample.list_field:
        return {}
    field = shown_id(sample.list_field, dialect_of(sample.kind))
    meant = {"Дизайнерский": shown_id("903", dialect_of(sample.kind)), "Не знаю": None}
    said = {"Record": sample.entity, "Question": "repair", "Field": field, "Map": meant}
    return {"Which options of the CRM are meant": {"Extra": {"Options": [said]}}}


def _told_options(sample: CrmSample) -> dict[str, Any]:
    """A question whose third option is called otherwise in the CRM."""
    if not sample.list_field:
        return {}
    dialect = dialect_of(sample.kind)
    names = {901: "Косметический", 902: "Капитальный", 903: "Дизайн-проект"}
    options = [{"id": shown_id(str(one), dialect), "text": name} for one, name in names.items()]
    plain: dict[str, Any] = {"likely": None, "offers": [], "seenAt": None}
    alike = {"text": "Капитальный", "meaning": "same", "option": options[1]["id"]}
    unknown = {"text": "Дизайнерский", "meaning": "unknown", "option": None, "seenAt": CREATED}
    question = {
        "record": sample.entity,
        "question": "repair",
        "title": "Какой ремонт нужен?",
        "field": shown_id(sample.list_field, dialect),
        "name": "Тип ремонта",
        "options": options,
        "texts": [{**plain, **alike}, {**plain, **unknown, "offers": [{**options[2], "likeness": 56}]}],
    }
    return {"One of them is called otherwise": {"items": [question]}}


def _rule_life(sample: CrmSample) -> dict[str, Shown]:
    shown = write_rule(sample.rule, {})
    paused = {**shown, "paused": True, "pausedAt": CREATED, "waiting": 2}
    paused["problems"] = [
        {
            "code": "rule_paused",
            "message": "This rule is paused; its answers wait until it is resumed.",
            "field": "",
        }
    ]
    counted = {"answers": 12, "deliveries": 12, "purged": 0, "more": False}
    start = {"from": "2026-01-01T00:00:00Z"}
    return {
        f"Pause{_word(sample)}Rule": Shown({200: {"Paused": paused}}),
        f"Resume{_word(sample)}Rule": Shown({200: {"Goes on": shown}}),
        f"ListOptionsOf{_word(sample)}Rule": Shown(
            {200: {**_told_options(sample), "No question goes into a list": {"items": []}}}
        ),
        f"Preview{_word(sample)}Rule": Shown(
            {200: {"An answer that fits no field": _plan(sample)}},
            {
                "An answer that fits no field": {"answer": UNSURE},
                "One that was posted": {"answerID": "visit-01"},
            },
        ),
        f"Backfill{_word(sample)}Rule": Shown(
            {
                200: {"Count only": {**counted, "dryRun": True}},
                202: {"All since a moment": {**counted, "dryRun": False}},
            },
            {"Count only": {**start, "dryRun": True}, "All since a moment": start},
        ),
    }


def _plan(sample: CrmSample) -> dict[str, Any]:
    """What would be sent for whoever answers a number in words."""
    call = {
        "method": "POST",
        "url": f"https://{sample.host}/leads",
        "body": {"name": "Игорь", "phone": "+79295551009"},
        "why": "the lead",
    }
    loss = {
        "question": "Какая площадь квартиры?",
        "value": "не знаю",
        "reason": "not a number",
        "entity": sample.entity,
        "field_id": sample.number_field,
    }
    told = {"route": "", "leftOut": "", "repeated": "", "knownPeople": []}
    return {"requests": list(sample.planned or (call,)), "losses": [loss], "problems": [], **told}


def _word(sample: CrmSample) -> str:
    """How the names of operations that all CRMs have call this one."""
    return sample.kind.capitalize()
