"""Answers: one, several at once, and what is said of each."""

from __future__ import annotations

from typing import Any

from config.openapi.examples import errors
from config.openapi.examples.crms.sample import CRM, sample_of
from config.openapi.examples.shown import Shown, listed
from config.openapi.quiz import SECOND, THIRD, VISIT
from connectors.registry import CONNECTORS

LABEL, SAMPLE = CONNECTORS[CRM].label, sample_of(CRM)
POSTED = "2026-03-02T10:15:30.120000Z"
WAITING = {
    "id": 81,
    "answerID": VISIT["answerID"],
    "quizID": VISIT["quizID"],
    "crm": CRM,
    "state": "waiting",
    "heldBecause": "",
    "dueAt": POSTED,
    "nextTryAt": None,
    "waitsFor": "It is due and goes with the lane's next turn.",
    "tries": 0,
    "leadID": "",
    "link": "",
    "error": {"code": "", "message": "", "remedy": ""},
    "createdAt": POSTED,
    "updatedAt": POSTED,
    "deliveredAt": None,
}
DELIVERED = {
    **WAITING,
    "state": "delivered",
    "waitsFor": "",
    "tries": 1,
    "leadID": SAMPLE.lead,
    "link": SAMPLE.link,
    "updatedAt": "2026-03-02T10:15:31.480000Z",
    "deliveredAt": "2026-03-02T10:15:31.480000Z",
}
TAKEN = {
    "id": 64,
    "quizID": VISIT["quizID"],
    "answerID": VISIT["answerID"],
    "createdAt": POSTED,
    "complete": True,
    "revision": 1,
    "message": f"{LABEL}: on its way.",
    "warnings": [],
    "deliveries": [WAITING],
}
ARRIVED = {**TAKEN, "message": f"{LABEL}: delivered.", "deliveries": [DELIVERED]}
CHANGED = {**VISIT, "price": "90000.00"}
ANOTHER_BODY = errors.our(
    "answer_changed",
    f"answerID {VISIT['answerID']!r} of quiz {VISIT['quizID']} came before with another body and was "
    "complete; nothing is changed. A body that will be followed by more says complete: false",
    "answerID",
)


def _item(index: int, answer: dict[str, Any], number: int) -> dict[str, Any]:
    names = {"quizID": answer["quizID"], "answerID": answer["answerID"]}
    delivery = {**WAITING, **names, "id": WAITING["id"] + number}
    return {"index": index, **TAKEN, **names, "id": TAKEN["id"] + number, "deliveries": [delivery]}


ONE, AGAIN, OTHER = "One finished quiz", "The same once more", "Another body under the same id"
MANY = "Several at once, each answered for itself"
EXAMPLES = {
    "PostAnswers": Shown(
        {
            202: {ONE: TAKEN, MANY: [_item(0, THIRD, 2), {"index": 1, **ANOTHER_BODY}, _item(2, SECOND, 1)]},
            200: {AGAIN: ARRIVED},
            400: {"Without an id": errors.our("required", "answerID: This field is required.", "answerID")},
            409: {OTHER: ANOTHER_BODY},
        },
        {ONE: VISIT, AGAIN: VISIT, OTHER: CHANGED, MANY: [THIRD, CHANGED, SECOND]},
    ),
    "ListAnswers": Shown({200: {"The newest": listed(64, ARRIVED)}}),
    "GetAnswer": Shown(
        {200: {"Delivered": ARRIVED}, 404: {"Not yours": errors.our("not_found", "No such answer", "id")}}
    ),
    "MendAnswer": Shown(
        {
            200: {"Its lead is changed when it is replayed": {**ARRIVED, "revision": 2, "notReplayed": []}},
            404: {"Not yours": errors.our("not_found", "No such answer", "id")},
            409: {"It says so already": errors.our("conflict", "It says so already", "value")},
        },
        {"A phone": {"what": "contact.phone", "value": "+79161234502", "replay": "now"}},
    ),
}
