"""What people do with leads in the interface, where the API has no word for it (reference 4.3, 5.3, 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.amocrm.model import LOST, WON, Account, Card

if TYPE_CHECKING:
    from connectors.sandbox.amocrm.sandbox import AmoSandbox

MOVABLE = {"step_id": "status_id", "pipeline_id": "pipeline_id", "price": "price"} | {
    "loss_reason_id": "loss_reason_id",
    "user_id": "responsible_user_id",
}


def move(box: AmoSandbox, account: Account, arguments: dict[str, Any]) -> None:
    """Another step, pipeline, sum or responsible person; a reason only together with a loss (4.3)."""
    lead = _lead(account, arguments)
    before = dict(lead.props)
    lead.props |= {MOVABLE[name]: value for name, value in arguments.items() if name in MOVABLE}
    closed = lead["status_id"] in (WON, LOST)
    lead.props |= {"closed_at": box.clock.unix() if closed else None, "updated_at": box.clock.unix()}
    if lead["status_id"] != LOST:
        lead.props["loss_reason_id"] = None
    changed = {name for name in before if lead.props[name] != before[name]}
    if changed & {"status_id", "pipeline_id"}:
        box.happened(account, "status_lead", lead, account.admin.id, before)
    if "responsible_user_id" in changed:
        box.happened(account, "responsible_lead", lead, account.admin.id, before)
    box.happened(account, "update_lead", lead, account.admin.id)


def delete(box: AmoSandbox, account: Account, arguments: dict[str, Any]) -> None:
    """Into the bin, from which it can be taken."""
    lead = _lead(account, arguments)
    lead.props["is_deleted"] = True
    box.happened(account, "delete_lead", lead, account.admin.id)


def restore(box: AmoSandbox, account: Account, arguments: dict[str, Any]) -> None:
    lead = _lead(account, arguments)
    lead.props["is_deleted"] = False
    box.happened(account, "restore_lead", lead, account.admin.id)


def merge(box: AmoSandbox, account: Account, arguments: dict[str, Any]) -> None:
    """`lead_id` goes into `into`, which keeps its own values and takes those that it lacks (5.3)."""
    gone, kept = _lead(account, arguments), account.leads[arguments["into"]]
    kept.values = {**gone.values, **kept.values}
    kept.props["updated_at"] = box.clock.unix()
    account.leads.touched(kept, box.clock.now())
    gone.props["is_deleted"], gone.hidden = True, True  # not even in the bin
    box.happened(account, "delete_lead", gone, account.admin.id)
    box.happened(account, "update_lead", kept, account.admin.id)


def _lead(account: Account, arguments: dict[str, Any]) -> Card:
    lead: Card = account.leads[arguments["lead_id"]]
    return lead
