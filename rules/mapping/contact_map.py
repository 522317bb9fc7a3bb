"""Which contact field of the CRM takes which part of the quiz's contact form (contract D26, D35)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.draft import Target
from connectors.registry import connector_class
from crm_cache import lookup
from rules.models import Rule


def derive_contact_map(rule: Rule) -> dict[str, str]:
    """``{contact key: remote field id}``: what was sent, or else derived from the cache and the quiz."""
    can = connector_class(rule.account.crm).can
    fields = [field for field in lookup.fields(rule.account) if field.entity == can.entities.get("contact")]
    return sent_map(rule.fields_rule) or {
        **_by_code(can.contact_codes, fields),
        **_by_name(rule.quiz, fields),
    }


def sent_map(fields_rule: Mapping[str, Any]) -> dict[str, str]:
    """The map that came with the rule, where the CRM's contract lets it come."""
    part = fields_rule.get("contact") or {}
    parts = part if isinstance(part, list) else [part]
    sent = {key: str(value) for one in parts for key, value in (one.get("ContactRuleMap") or {}).items()}
    return {key: value for key, value in sent.items() if value}


def _by_code(codes: Mapping[str, str], fields: list[Target]) -> dict[str, str]:
    known = {field.code: field.remote_id for field in fields if field.code}
    return {key: known[code] for key, code in codes.items() if code in known}


def _by_name(quiz: Mapping[str, Any], fields: list[Target]) -> dict[str, str]:
    """Form fields beyond the usual ones go to contact fields of the same name."""
    known = {field.name.casefold(): field.remote_id for field in fields}
    form = [item for item in quiz.get("contact", []) if isinstance(item, dict) and item.get("key")]
    named = {item["key"]: str(item.get("title", item["key"])).casefold() for item in form}
    return {key: known[name] for key, name in named.items() if name in known}
