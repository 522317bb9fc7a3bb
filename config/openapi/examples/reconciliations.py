"""Nightly reports: deliveries against what the CRMs have."""

from __future__ import annotations

from config.openapi.examples import errors
from config.openapi.examples.answers import DELIVERED, SAMPLE
from config.openapi.examples.shown import Shown, listed
from rules.models import Finding
from rules.outcomes.findings import REMEDIES

REPORT = {
    "id": 118,
    "crm": DELIVERED["crm"],
    "crmAccountID": 7,
    "state": "done",
    "since": "2026-02-24T23:10:00Z",
    "until": "2026-03-03T22:55:00Z",
    "complete": True,
    "compared": 412,
    "unchecked": 0,
    "findings": {"missing": 1, "deleted": 0, "doubled": 0, "found": 0, "moved": 0},
    "requests": 6,
    "reason": "",
    "beganAt": "2026-03-03T23:10:00Z",
    "endedAt": "2026-03-03T23:10:09Z",
}
FINDING = {
    "id": 2071,
    "kind": "missing",
    "deliveryID": DELIVERED["id"],
    "answerID": DELIVERED["answerID"],
    "quizID": DELIVERED["quizID"],
    "leads": [SAMPLE.lead],
    "expected": "",
    "actual": "",
    "remedy": str(REMEDIES[Finding.Kind.MISSING]),
    "deed": "",
}
GONE = {404: {"Not yours": errors.our("not_found", "No such reconciliation", "id")}}


EXAMPLES = {
    "ListReconciliations": Shown({200: {"One night": listed(118, REPORT)}}),
    "GetReconciliation": Shown({200: {"One lead is missing": REPORT}, **GONE}),
    "ListFindings": Shown({200: {"One lead is missing": listed(2071, FINDING)}, **GONE}),
}
