"""What may be chosen about this amoCRM. Most lines are UNCONFIRMED facts of the reference, section 10."""

from __future__ import annotations

from typing import Any

DEFAULTS: dict[str, Any] = {
    # limits (6.1); off by default so that in-process tests may be fast, on when served over HTTP
    "limits": False,
    "rate_integration": 7,
    "rate_account": 50,
    "rate_body": "html",
    "retry_after": None,
    "abuse_after": 100,  # refusals within a minute before everything is 403; 0: never
    # OAuth (1.4 to 1.8)
    "refresh_grace": "strict",
    "old_access": "lives",  # does an access token die with the refresh of its pair?
    "token_form": "accept",
    "garbage_refresh_status": 401,
    "redirect_client_id": True,
    "renamed_host": "401",
    "api_on_api_domain": False,
    "uninstall_retries": 0,
    # reading (3, 5)
    "default_limit": 50,
    "over_limit": "50",
    "page_cap": 250,
    "fields_page_cap": 50,
    "next_host": None,  # another host in `next`, to catch clients that follow it blindly
    "missing_card": "204",
    "index_delay": 0.0,
    "list_delay": 0.0,  # seconds until a list of leads shows a new one, which is shown by its id at once
    "filter_id_free": False,
    "deepest_page": 0,  # of a list of cards that is still shown (11); 0: all are
    "deep_page": "204",  # what stands in place of deeper ones
    "phone_is_a_change": True,  # does `updated_at` move when people change a phone (11)?
    "merge_is_a_change": True,  # ... when contacts are merged?
    "events_delay": 0.0,  # seconds until an event is listed (11)
    "filter_multitext": "all",  # what a filter on phones or e-mails does with several values (11)
    "task_filters": True,  # are the filters of tasks free (4.12)? They are ignored where they are not
    # writing (4)
    "batch_atomic": True,
    "text_limit": 256,
    "textarea_limit": 0,
    "emoji": "keep",
    "default_kind": "WORK",
    "unknown_tag_id": "400",
    "tasks_allowed": True,  # may the user of our token make tasks?
    "customers_error": "http",
    "single_field_object": True,
    # faults users reported on complex (4.2)
    "complex_first_tag_only": False,
    "complex_ignores_company_id": False,
    "complex_to_incoming": False,
    # webhooks (7)
    "webhooks_refused": 0,  # the status with which a tariff without API webhooks says no; 0: it has them
}
CHOICES: dict[str, tuple[Any, ...]] = {
    "rate_body": ("html", "json"),
    "refresh_grace": ("strict", "kommo"),
    "old_access": ("lives", "dies"),
    "token_form": ("accept", "refuse"),
    "garbage_refresh_status": (400, 401),
    "renamed_host": ("401", "404"),
    "over_limit": ("clamp", "50", "422"),
    "missing_card": ("204", "404"),
    "filter_multitext": ("all", "first", "ignored"),
    "deep_page": ("204", "400"),
    "emoji": ("keep", "cut"),
    "unknown_tag_id": ("400", "ignore"),
    "webhooks_refused": (0, 402, 403),
    "customers_error": ("http", "inner"),
}
