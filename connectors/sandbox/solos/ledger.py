"""The leads an account holds, in words: for people, demo tables and tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.sandbox.solos.model import Account, Lead, Project


def ledger(account: Account) -> Iterator[dict[str, Any]]:
    for lead in account.leads.values():
        if not lead.deleted:
            yield lead_row_of(account, lead)


def lead_row_of(account: Account, lead: Lead) -> dict[str, Any]:
    """Where a project was made of the lead, its funnel and stage are shown."""
    payload, project = lead.payload, account.projects.get(lead.project_id or 0)
    number = int(payload.get("user_id") or 0)
    return {
        "id": lead.id,
        "account": account.subdomain,
        "account_id": account.id,
        "name": payload.get("name"),
        **_place(account, project),
        "responsible_id": number,
        "responsible": account.users.get(number),
        "reference_id": payload.get("reference_id"),
        "created_at": lead.created,
        "contact": _contact(lead),
        "company": None,
        "tags": [tag for tag in lead.extra.get("tags", "").split(", ") if tag],
        "fields": lead.extra,
        "notes": [payload["comment"]] if payload.get("comment") else [],
        "project_id": lead.project_id,
    }


def _place(account: Account, project: Project | None) -> dict[str, Any]:
    if project is None:
        return {"pipeline_id": None, "pipeline": "Лиды", "step_id": None, "step": None}
    funnel, step = project.built_in["sales_funnel_id"], project.built_in["step_id"]
    return {
        "pipeline_id": funnel,
        "pipeline": account.funnels.get(funnel),
        "step_id": step,
        "step": account.steps.get(funnel, {}).get(step),
    }


def _contact(lead: Lead) -> dict[str, Any]:
    words = {"name": "name", "phone": "PHONE", "email": "EMAIL"}
    return {word: lead.payload.get(key) for key, word in words.items() if lead.payload.get(key)}
