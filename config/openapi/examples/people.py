"""What the quiz platform asks for on behalf of a person."""

from __future__ import annotations

from config.openapi.examples import errors
from config.openapi.examples.answers import DELIVERED, POSTED
from config.openapi.examples.crms.sample import QUIZ_ACCOUNT
from config.openapi.examples.deliveries import FORMER_VALUES, OUTCOME
from config.openapi.examples.shown import Shown
from config.openapi.quiz import VISIT
from rules import people

PHONE = {"By phone": {"phone": "+7 916 123-45-01"}}
EMAIL = {"By e-mail, in one quiz account": {"email": "orlov@mail.example", "accountID": QUIZ_ACCOUNT}}
NOBODY: dict[str, dict[str, str]] = {"Nobody is named": {}}
WHOM = errors.our("invalid", "A phone, an e-mail or an answer id is needed", "phone")
ERASED = {
    "id": 3,
    "done": True,
    "answers": 1,
    "inFlight": 0,
    "erased": list(people.ERASED),
    "kept": list(people.KEPT),
}
SENT = {name: DELIVERED[name] for name in ("id", "crm", "state", "leadID", "link")}
ANSWER = {
    "id": 64,
    "accountID": QUIZ_ACCOUNT,
    "quizID": VISIT["quizID"],
    "answerID": VISIT["answerID"],
    "createdAt": POSTED,
    "erased": False,
    "body": VISIT,
    "formerBodies": [],
    "corrections": [],
    "deliveries": [
        {**SENT, "losses": [], "formerValues": FORMER_VALUES, "contact": OUTCOME["contact"], "details": {}}
    ],
}
EXAMPLES = {
    "ErasePerson": Shown(
        {
            200: {"Forgotten": ERASED},
            202: {"A lead is being sent; the rest follows": {**ERASED, "done": False, "inFlight": 1}},
            400: {"Nobody is named": WHOM},
        },
        {**PHONE, **EMAIL, **NOBODY},
    ),
    "ExportPerson": Shown(
        {200: {"One answer": {"answers": [ANSWER], "more": False}}, 400: {"Nobody is named": WHOM}},
        {**PHONE, **EMAIL, **NOBODY},
    ),
}
