"""Deliveries: on their way, held, decided by a person; and what became of the leads."""

from __future__ import annotations

from config.openapi.examples import errors
from config.openapi.examples.answers import DELIVERED, SAMPLE, WAITING
from config.openapi.examples.shown import Shown, listed

SEEN = "2026-03-04T08:00:12Z"
OUTCOME = {
    "deliveryID": DELIVERED["id"],
    "answerID": DELIVERED["answerID"],
    "quizID": DELIVERED["quizID"],
    "crm": DELIVERED["crm"],
    "joined": False,
    "status": "won",
    "gone": "",
    "record": "lead",
    "recordID": DELIVERED["leadID"],
    "matched": "",
    "link": DELIVERED["link"],
    "pipeline": {"id": SAMPLE.pipeline, "name": "Квизы"},
    "step": {"id": "142", "name": "Успешно реализовано"},
    "performer": {"id": SAMPLE.user, "name": "Игорь Кузнецов"},
    "task": {
        "state": "done",
        "id": "65000001",
        "dueAt": "2026-03-02T10:30:31Z",
        "endedAt": "2026-03-02T10:24:02Z",
    },
    "amount": "54000.00",
    "currency": "RUB",
    "paid": "",
    "payments": [],
    "contact": {"name": "Анна Белова", "phone": "+79161234501"},
    "details": {},
    "deliveredAt": DELIVERED["deliveredAt"],
    "changedAt": "2026-03-04T08:00:10Z",
    "updatedAt": SEEN,
    "closedAt": "2026-03-04T08:00:10Z",
    "steppedAt": "2026-03-02T12:41:00Z",
    "seenAt": SEEN,
    "nextLookAt": "2026-03-11T08:00:12Z",
    "error": "",
}
TRY = {
    "number": 1,
    "startedAt": "2026-03-02T10:15:31.310000Z",
    "seconds": 0.144,
    "outcome": "delivered",
    "code": "",
    "message": "",
    "exchanges": [
        {
            "method": "POST",
            "url": f"https://{SAMPLE.host}/leads",
            "status": 200,
            "seconds": 0.12,
            "request": '{"name": "Анна Белова"}',
            "response": f'{{"id": {SAMPLE.lead}}}',
        }
    ],
}
FORMER_VALUES = [
    {
        "record": "contact",
        "recordID": "25000001",
        "field": "POSITION",
        "name": "Должность",
        "before": ["Инженер"],
        "now": ["Директор"],
        "added": False,
    }
]
NEW = {
    "revision": 1,
    "revisionSent": 1,
    "route": "",
    "performer": "",
    "draw": "",
    "joined": "",
    "mark": "qzxbsrzufhleoffjwg",
    "steps": {},
    "formerValues": [],
    "losses": [],
    "attempts": [],
    "replays": [],
}
CHANGES = [
    {
        "what": "Какие окна?",
        "before": "",
        "after": "ПВХ",
        "kept": False,
        "why": "",
        "entity": "leads",
        "fieldID": "70008",
    },
    {
        "what": "price",
        "before": "60000",
        "after": "54000",
        "kept": True,
        "why": "it was changed in the CRM since and is left as it is",
        "entity": "leads",
        "fieldID": "",
    },
]
FORESEEN = {"action": "update", "version": 2, "code": "", "message": "", "changes": CHANGES}
REPLAYED = {
    "id": 7,
    "state": "open",
    "version": 2,
    "anew": False,
    "askedBy": "shop",
    "askedAt": "2026-03-03T09:00:00Z",
    "doneAt": None,
    "formerLeadID": "",
    "error": "",
    "changes": [],
}
DETAIL = {
    **DELIVERED,
    **NEW,
    "steps": {"lead": SAMPLE.lead, "contact": "25000001"},
    "formerValues": FORMER_VALUES,
    "attempts": [TRY],
    "outcome": OUTCOME,
}
PAUSED = {
    "code": "rule_paused",
    "message": "The rule is paused",
    "remedy": "Resume it: what waits goes on by itself. Or cancel this delivery.",
}
HELD = {
    **WAITING,
    "id": 82,
    "answerID": "visit-02",
    "state": "held",
    "heldBecause": "rule_paused",
    "waitsFor": f"Its rule. {PAUSED['remedy']}",
    "error": PAUSED,
}
CANCELLED = {
    **HELD,
    "heldBecause": "cancelled",
    "waitsFor": "Nothing: it was cancelled.",
    "error": {
        "code": "cancelled",
        "message": "It was cancelled",
        "remedy": "Nothing; a retry sends it after all.",
    },
}
GONE = {404: {"Not yours": errors.our("not_found", "No such delivery", "id")}}


def _conflict(message: str) -> dict[int, dict[str, object]]:
    return {409: {"Delivered already": errors.our("conflict", message)}}


EXAMPLES = {
    "ListDeliveries": Shown({200: {"One held, one delivered": listed(81, HELD, DELIVERED)}}),
    "GetDelivery": Shown({200: {"Delivered, and won since": DETAIL}, **GONE}),
    "RetryDelivery": Shown(
        {
            202: {"On its way again": {**WAITING, **NEW, "error": CANCELLED["error"], "outcome": None}},
            **GONE,
            **_conflict("The delivery is delivered; there is nothing to retry"),
        }
    ),
    "CancelDelivery": Shown(
        {
            200: {"Held as cancelled": {**CANCELLED, **NEW, "outcome": None}},
            **GONE,
            **_conflict("The delivery is delivered; there is nothing to cancel"),
        }
    ),
    "ArrivedDelivery": Shown(
        {
            200: {"Somebody found it in the CRM": {**DETAIL, "tries": 0, "attempts": []}},
            **GONE,
            **_conflict("The delivery is delivered, not held"),
        },
        {"Somebody found it in the CRM": {"leadID": SAMPLE.lead}, "The id is not known": {}},
    ),
    "ReplayDelivery": Shown(
        {
            200: {"A dry run: what would change": FORESEEN},
            202: {
                "Under way": {
                    **DETAIL,
                    "state": "waiting",
                    "waitsFor": "It is due and goes with the lane's next turn.",
                    "replays": [REPLAYED],
                }
            },
            **GONE,
            409: {
                "The CRM has no such method": errors.our(
                    "cant_update", "solOS can't change a lead that is there"
                )
            },
        },
        {"A dry run: what would change": {"rule": "now", "dryRun": True}, "Under way": {"rule": "now"}},
    ),
    "ListOutcomes": Shown(
        {200: {"One lead, won": {**listed(81, OUTCOME), "counts": {"open": 0, "won": 1, "lost": 0}}}}
    ),
}
