"""What may be chosen about this Envybox. Most lines are UNCONFIRMED facts of the reference, section 9."""

from __future__ import annotations

from typing import Any

DEFAULTS: dict[str, Any] = {
    # answers (1.3, 1.6)
    "statuses": "mirrored",  # errors carry their code as HTTP status, too, or are always 200
    "codes": {},  # {"WRONG_KEY": 403} overrules the numbers that the vendor's document lost
    "ids": "printed",  # each method as the vendor's document prints it, or all alike
    "zone": "UTC",
    "wrapper": "",  # the key around everything in main/data
    "employees_key": "employees",
    "get_tasks": "result",
    "task_of_start": "",  # the text of a task that comes with a deal that a lead became; "": none comes
    "deal_log": "result",
    "values_answer": "echo",
    "filter_envelope": False,
    "old_prefix": True,
    # leads (4.2, 5)
    "unknown_ids": "refuse",  # a pipeline, employee or inbox type that isn't there: refused, or the default
    "keyword_comment": True,  # does keyword search cover the comment?
    "merge_comment": "child",  # where the text of a merged lead goes
    "merge_lag": 0.0,  # seconds in which lead/set does not see a lead that was just made
    "workset_delay": 0.0,
    "auto_intake": 0.0,  # seconds after which an account with automatic intake takes a lead; 0: off
    "no_contacts": "accept",  # a lead without phone and e-mail
    "lead_stage_id": True,  # lead/set takes the deal's stage
}
CHOICES: dict[str, tuple[Any, ...]] = {
    "statuses": ("mirrored", "always_200"),
    "ids": ("printed", "numbers", "strings"),
    "zone": ("UTC", "Moscow"),
    "wrapper": ("", "result", "crm", "data"),
    "employees_key": ("employees", "managers"),
    "get_tasks": ("result", "result.tasks", "tasks"),
    "deal_log": ("result", "root"),
    "values_answer": ("echo", "envelope"),
    "unknown_ids": ("refuse", "default"),
    "merge_comment": ("child", "log", "parent"),
    "no_contacts": ("accept", "refuse"),
}
