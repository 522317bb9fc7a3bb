"""The quiz account's CRM accounts, one in order and one that its owner has to connect again."""

from __future__ import annotations

from config.openapi.examples.crms.sample import CRM, sample_of
from config.openapi.examples.shown import Shown

SAMPLE = sample_of(CRM)
READ = {"syncedAt": "2026-03-02T09:31:04Z", "complete": True, "running": False, "error": ""}
WELL = {
    "id": 7,
    "crm": CRM,
    "remoteID": SAMPLE.remote_id,
    "name": SAMPLE.name,
    "host": SAMPLE.host,
    "state": "active",
    "since": "2026-03-02T09:30:00Z",
    "why": "",
    "remedy": "",
    "connectedAt": "2026-03-02T09:30:00Z",
    "expiresAt": "2026-03-03T09:30:00Z",
    "lists": {"users": READ, "pipelines": READ, "steps": READ, "fields": READ, "tags": READ},
    "rules": 1,
    "ruleProblems": [],
    "waiting": 0,
    "held": {},
    "oldestWaiting": None,
}
AWAY = {
    **WELL,
    "state": "needs_reconnect",
    "since": "2026-03-05T11:02:41Z",
    "why": "The CRM refused the refresh token",
    "remedy": f"Connect it again and choose {SAMPLE.name}: what waits goes on by itself.",
    "ruleProblems": [{"quizID": 4201, "title": "Рассчитайте стоимость ремонта", "problems": 1}],
    "held": {"reconnect": 3},
    "oldestWaiting": "2026-03-05T11:02:41Z",
}
EXAMPLES = {
    "ListAccounts": Shown(
        {
            200: {
                "All is well": {"count": 1, "items": [WELL]},
                "Its owner is awaited": {"count": 1, "items": [AWAY]},
            }
        }
    )
}
