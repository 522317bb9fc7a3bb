"""What may be chosen about this solOS. Nearly every line is UNCONFIRMED in the reference, section 7."""

from __future__ import annotations

from typing import Any

DEFAULTS: dict[str, Any] = {
    # how it answers (4, 6.17, 6.19)
    "answer_style": "payload",
    "row_style": "flat",  # nested: built-in keys under buildin_data, the customer's own under data
    "references": "ids",  # objects: {"id", "name"}
    "numbers": "numbers",
    "create_style": "payload",
    "error_key": "error",
    # who is let in (6.1, 6.23)
    "refusal": 401,
    "needs_user_agent": False,
    "v1": "open",
    "v2": "open",
    # reading (6.4, 6.8, 6.12, 6.20)
    "default_count": 100,
    "default_order": "id",
    "default_reverse": "0",
    "default_deleted": "0",
    "unknown_order": "id",
    "unknown_field": "empty",
    "missing_project": "404",
    "deleted_project": "there",
    "leads_readable": False,
    # writing (6.24)
    "too_long": "store",
    # outgoing webhooks (6.25): which event and which of our words go out, and under which key
    "webhook_keys": {"event": "event", "module": "module", "id": "id", "moment": "created"},
}
CHOICES: dict[str, tuple[Any, ...]] = {
    "answer_style": ("payload", "data", "bare"),
    "row_style": ("flat", "nested"),
    "references": ("ids", "objects"),
    "numbers": ("numbers", "strings"),
    "create_style": ("payload", "id", "object", "nothing"),
    "error_key": ("error", "errors", "message"),
    "refusal": (401, 403),
    "v1": ("open", "closed"),
    "v2": ("open", "closed"),
    "default_reverse": ("0", "1"),
    "default_deleted": ("0", "1"),
    "unknown_order": ("id", "error"),
    "unknown_field": ("empty", "error"),
    "missing_project": ("404", "empty"),
    "deleted_project": ("there", "404", "empty"),
    "too_long": ("store", "cut", "reject"),
}
