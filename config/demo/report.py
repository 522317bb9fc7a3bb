"""What the demo prints: the table, and what to try next."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from config.demo.environment import Environment
from config.demo.keys import KeyScenario
from config.demo.scenario import Scenario
from config.demo.verify import Arrival, Verification
from config.openapi.quiz import QUIZ_ID

COLUMNS = ("CRM", "Answer", "Lead", "Pipeline / step", "Contact", "Seconds")
LONGEST = 34


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Plain columns, each as wide as its widest cell."""
    lines = [list(columns), *(list(row) for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def arrivals_table(verifications: Iterable[Verification]) -> str:
    return table(
        COLUMNS, [row for verification in verifications for row in map(row_of, verification.arrivals)]
    )


def row_of(arrival: Arrival) -> tuple[str, ...]:
    lead, contact, seconds = arrival.lead, arrival.contact, arrival.seconds
    return (
        arrival.crm,
        arrival.answer["answerID"],
        ", ".join(str(one["id"]) for one in arrival.leads) or "none",
        cut(" / ".join(filter(None, (lead["pipeline"], lead["step"])))) if lead else "",
        cut(named(contact)) if contact else "none",
        "" if seconds is None else f"{seconds:.2f}",
    )


def named(contact: Mapping[str, Any]) -> str:
    """With its id, where it is a record of its own."""
    return f"{contact['name']} ({contact['id']})" if "id" in contact else str(contact["name"])


def cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def odd_ones(verifications: Iterable[Verification]) -> Iterator[str]:
    """What did not fit its field, and how the answer got there nevertheless."""
    for verification in verifications:
        noted = [a.answer["answerID"] for a in verification.arrivals if a.delivery.get("losses")]
        if noted:
            yield (
                f"{verification.scenario.label}: {', '.join(noted)} said something that fits no field "
                "(an unknown option, a text too long, no number): the lead's note has it."
            )


def hints(environment: Environment, scenarios: Sequence[Scenario], login: tuple[str, str], token: str) -> str:
    """Where to look, and three lines to paste."""
    body = json.dumps(
        {
            "quizID": QUIZ_ID,
            "answerID": "WHEN",
            "contact": {"name": "Вы", "phone": "+79160000000"},
            "answers": [{"questionID": "area", "question": "Площадь", "answer": 61}],
        },
        ensure_ascii=False,
    ).replace("WHEN", "hand-'$(date +%s)'")
    curl = 'curl -sSw "\\n" -H "Authorization: Bearer $TOKEN"'
    pages = "\n".join(f"  {one.label:<10} {environment.control_url}/{one.kind}" for one in scenarios)
    asking = "curl -sS -d '{}'"
    keys = "\n".join(
        f"  {one.label:<10} {asking} {environment.control_url}/_sandbox/{one.kind}/{one.settings_page}"
        for one in scenarios
        if isinstance(one, KeyScenario)
    )
    return f"""
Admin        {environment.url}/admin/   {login[0]} / {login[1]}
API          {environment.url}/docs
Local CRMs   {environment.control_url}/
{pages}
Their keys
{keys}
Logs         {environment.folder}

Try it:

TOKEN={token}
{curl} '{environment.url}/answers' -H 'Content-Type: application/json' -d '{body}'
{curl} '{environment.url}/deliveries?size=3'
{curl} '{environment.url}/answers/1'
"""
