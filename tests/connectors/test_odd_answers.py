"""The CRM makes the lead and answers whatever it likes: there is one lead, whatever status or body it was."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.draft import Receipt
from connectors.errors import Unclear
from tests.connectors.cast import Notebook, again, make_draft
from tests.connectors.harness import Harness

SAID: dict[str, set[int]] = {  # what the vendor says of these is that nothing was done
    "amocrm": {302},
    "bitrix24": {302, 503},
}
ODD = (
    *(100, 102, 103, 199, 300, 302, 303, 304, 306, 399, 408, 418, 419, 420, 430, 444, 460, 494, 499),
    *(500, 501, 502, 503, 504, 507, 520, 522, 524, 529, 599),
)
RUINS = [
    "",
    "<html>",
    '{"status_code": 2',
    '{"result": ',
    "[]",
    "{}",
    "null",
    "7",
    '"ok"',
    "[[[",
    "\x00",
    '{"id": []}',
]


def delivered_twice(crm: Harness, journal: Notebook, **fault: Any) -> None:
    """What the first try ends in; then others look, and there is one lead."""
    crm.box.faults.add(crm.creation, "answer_after", content_type="application/json", **fault)
    answer, before = make_draft(), len(crm.leads())
    (outcome,) = crm.connector.deliver([answer], journal)
    assert isinstance(outcome, (Unclear, Receipt)), (fault, outcome)
    if isinstance(outcome, Unclear) and crm.connector.can.find_by_external_id:
        (outcome,) = crm.connector.deliver([again(answer, journal, look_first=True)], journal)
        assert isinstance(outcome, Receipt), (fault, outcome)
    assert len(crm.leads()) == before + 1, fault
    crm.box.faults.clear()


def test_a_lead_that_was_made_is_there_once_whatever_the_status(crm: Harness, journal: Notebook) -> None:
    for status in ODD:
        if status not in SAID.get(crm.kind, ()):
            delivered_twice(crm, journal, status=status)
        if status != 302:
            delivered_twice(crm, journal, status=status, body="")


@pytest.mark.parametrize("status", [200, 201, 204, 299, 500, 503])
def test_a_lead_that_was_made_is_there_once_whatever_the_body(
    crm: Harness, journal: Notebook, status: int
) -> None:
    for body in RUINS:
        delivered_twice(crm, journal, status=status, body=body)
