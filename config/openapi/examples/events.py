"""The feed of events, an example of each type, and where the quiz platform has them posted."""

from __future__ import annotations

from accounts.events import endpoints
from accounts.events.models import EventType
from accounts.rest.paging import cursor
from accounts.serializers.events import example
from config.openapi.examples import errors
from config.openapi.examples.answers import POSTED
from config.openapi.examples.shown import Shown

ASKED = {
    "url": "https://quiz.example.com/hooks/crm",
    "types": [str(EventType.DELIVERED), str(EventType.OUTCOME_CHANGED)],
}
ENDPOINT = {
    "id": 4,
    **ASKED,
    "accountID": "",
    "enabled": True,
    "next": cursor(1207),
    "putAside": 0,
    "lastSuccessAt": POSTED,
    "failingSince": None,
    "nextTryAt": None,
    "disabledAt": None,
    "lastError": "",
    "formerSecretUntil": None,
    "createdAt": POSTED,
    "updatedAt": POSTED,
}
SECRET = {"secret": "whsec_bXkgc2VjcmV0IGlzIDMyIGJ5dGVzIGxvbmcgLi4uLi4="}
INSIDE = errors.our("invalid", "url: The address must be one of the public internet", "url")
MANY = errors.our("conflict", f"There are {endpoints.MOST} endpoints already: delete one")
NO_ENDPOINT = errors.our("not_found", "No such endpoint", "id")
NONE = {404: {"There is none": NO_ENDPOINT}}
LATER = {"After a cursor": {"after": cursor(0)}, "From the oldest that is kept": {"after": ""}}
FEED = {str(kind): {"items": [example(kind)], "next": cursor(1207), "more": False} for kind in EventType}
EXAMPLES = {
    "ListEvents": Shown({200: FEED}),
    "ListWebhookEndpoints": Shown({200: {"One endpoint": {"items": [ENDPOINT]}}}),
    "CreateWebhookEndpoint": Shown(
        {
            201: {"Two types": {**ENDPOINT, **SECRET, "lastSuccessAt": None}},
            400: {"An address inside": INSIDE},
            409: {"Too many": MANY},
        },
        {"Two types": ASKED, "An address inside": {"url": "https://10.0.0.8/hooks"}},
    ),
    "GetWebhookEndpoint": Shown({200: {"It works": ENDPOINT}, **NONE}),
    "ChangeWebhookEndpoint": Shown(
        {200: {"Enabled again": ENDPOINT}, 400: {"An address inside": INSIDE}, **NONE},
        {"Enabled again": {"enabled": True}, "An address inside": {"url": "https://10.0.0.8/hooks"}},
    ),
    "DeleteWebhookEndpoint": Shown(NONE),
    "RotateWebhookSecret": Shown(
        {200: {"The former one signs, too": {**ENDPOINT, **SECRET, "formerSecretUntil": POSTED}}, **NONE},
        {"The former one signs, too": {"overlapHours": 24}},
    ),
    "ReplayWebhooks": Shown({202: {"It is posted again": ENDPOINT}, **NONE}, LATER),
}
