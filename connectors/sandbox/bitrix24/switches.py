"""What may be chosen about this Bitrix24. Most lines are UNCONFIRMED facts of the reference, section 10."""

from __future__ import annotations

from typing import Any

DEFAULTS: dict[str, Any] = {
    # limits (2.7); off by default so that in-process tests may be fast, on when served over HTTP
    "limits": False,
    "bucket": 50,
    "drain": 2.0,
    "operating_limit": 480.0,
    "operating_fields": True,  # `operating*` in `time`; never for an on-premise portal
    "cost": 0.05,  # seconds that a call is said to have taken
    "latency_per_command": 0.0,  # seconds that each command of a request really takes, beside `latency`
    "costs": {},  # the same by method: {"crm.deal.add": 0.5}
    "batch_charge": "nested",
    # statuses (2.4, 10.3)
    "statuses": "docs",
    "status_of": {},  # {"PORTAL_DELETED": 403} overrules the column above
    # accidents that a fault by path can't tell apart inside a batch
    "method_errors": {},  # {"crm.deal.add": "OPERATION_TIME_LIMIT"}: a system code for a method
    "cut_batch_after": 0,  # once: that many commands are done, then the 60 seconds are over (2.1)
    # OAuth (1.1 to 1.6)
    "consent_page": False,  # a page with Allow first; otherwise the signed-in user is sent back at once
    "authorize_error_status": 200,
    "redirect_scope": True,
    "code_error": "invalid_grant",
    "code_error_status": 400,
    "token_post": "accept",
    "token_scope": "app",
    "refresh_grace": 0.0,  # seconds in which the old pair still works after a refresh
    "old_access": "expired_token",
    "uninstalled": "ERROR_OAUTH",
    "https_only": True,
    # reading (3)
    "category_5_8": "NOT_FOUND",
    "category_3_4": "empty",
    "old_invoice": "there",
    "empty_multiple": False,  # how classic methods read an empty multiple field: false or []
    # writing (4)
    "bad_number": "zero",
    "uf_boolean_n": True,  # "N" is truthy in classic methods
    "crm_bare_id": True,
    "mandatory_enforced": False,
    "todo_titles": True,  # do universal activities keep their title? Older portals have none (4.8)
    "todo_performer": "accepted",  # somebody dismissed as responsible for an activity (4.8)
    "todo": "there",  # a portal older than CRM 22.1350 has no universal activities
    "unmentioned_options": "stay",
    "import_events": True,
    # simple mode (4.7)
    "conversion_delay": 0.0,
    "converted_lead": "kept",
    "conversion_keeps_origin": True,
    "copy_keeps_origin": True,  # of a record that somebody copies in the interface
    # dedupe (5.1)
    "phone_eight_is_seven": False,
    # events (6)
    "event_tokens": False,
}
CHOICES: dict[str, tuple[Any, ...]] = {
    "batch_charge": ("nested", "outer"),
    "statuses": ("docs", "core", "sdk"),
    "code_error": ("invalid_grant", "expired_token"),
    "token_post": ("accept", "refuse code", "refuse"),
    "token_scope": ("app", "list"),
    "old_access": ("expired_token", "invalid_token"),
    "uninstalled": ("ERROR_OAUTH", "APPLICATION_NOT_FOUND"),
    "category_5_8": ("NOT_FOUND", "ENTITY_TYPE_NOT_SUPPORTED"),
    "category_3_4": ("empty", "default", "ENTITY_TYPE_NOT_SUPPORTED"),
    "old_invoice": ("there", "gone"),
    "empty_multiple": (False, []),
    "todo_performer": ("accepted", "refused"),
    "todo": ("there", "gone"),
    "bad_number": ("zero", "refuse"),
    "unmentioned_options": ("stay", "go"),
    "converted_lead": ("kept", "gone"),
}
