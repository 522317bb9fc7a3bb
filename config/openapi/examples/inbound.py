"""What CRMs and browsers call, and the sign of life."""

from __future__ import annotations

from config.openapi.examples.shown import SUCCESS, Shown

FORGED = {"No valid proof": "Forbidden: The notice is not proven"}
NO_STATE = (
    "The address has no state, so we can't tell whose connection this is. Close this window and press "
    "“Connect” once more."
)
REMOVED = {
    "event": "ONAPPUNINSTALL",
    "data[CLEAN]": "1",
    "auth[domain]": "dentist.bitrix24.ru",
    "auth[member_id]": "6efc31bd2e9c318d4ac31dca92a3f2f1",
    "auth[application_token]": "c917d38f6bdb84e9d9e0bfe9d585be73",
}
CHANGED = {
    "leads[status][0][id]": "15000001",
    "leads[status][0][status_id]": "142",
    "account[id]": "31000001",
    "account[subdomain]": "flowers",
}
EXAMPLES = {
    "CheckHealth": Shown({200: {"Alive": "OK"}}),
    "WebhookCreate": Shown({**SUCCESS, 400: {"An address without its state": NO_STATE}}),
    "WebhookDelete": Shown({**SUCCESS, 403: {"No valid proof": "Forbidden: The signature is not amoCRM's."}}),
    "TakeNotice": Shown({**SUCCESS, 403: FORGED}, {"The integration was removed": REMOVED}),
    "TakeHook": Shown(
        {**SUCCESS, 404: {"No such address": "Not Found"}}, {"A lead moved to another step": CHANGED}
    ),
}
