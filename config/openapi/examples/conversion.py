"""Conversion: what became of answers, counted by what they have in common."""

from __future__ import annotations

from typing import Any

from config.openapi.examples import errors
from config.openapi.examples.shown import Shown

NUMBERS: dict[str, Any] = {
    "answers": 40,
    "leads": 38,
    "open": 21,
    "won": 9,
    "lost": 7,
    "gone": 1,
    "conversion": 23.7,
    "wonSums": [{"currency": "RUB", "amount": "486000.00"}],
    "paidSums": [{"currency": "RUB", "amount": "54000.00"}],
    "stepped": 30,
    "medianToStep": 2410,
    "p90ToStep": 86_100,
}
SEARCH = {
    **NUMBERS,
    "kind": "named",
    "name": "yandex",
    "id": "",
    "question": "",
    "quizID": None,
    "crm": "",
    "crmAccountID": None,
}
NOWHERE = {
    **SEARCH,
    "kind": "none",
    "name": "",
    **dict.fromkeys(("answers", "leads", "open"), 2),
    **dict.fromkeys(("won", "lost", "gone", "stepped"), 0),
    "conversion": 0.0,
    "wonSums": [],
    "paidSums": [],
    "medianToStep": None,
    "p90ToStep": None,
}
BY_SOURCE = {
    "by": "source",
    "countedAt": "2026-03-05T06:00:00Z",
    "more": False,
    "total": {**NUMBERS, "answers": 42, "leads": 40, "open": 23, "conversion": 22.5},
    "items": [SEARCH, NOWHERE],
}
FILE = (
    "\ufeffUTM source;Answers;Leads;In work;Won;Lost;Gone;Conversion, %;Sum won RUB;Paid RUB;"
    "Left the first step;Half within, seconds;90 of 100 within, seconds\r\n"
    "yandex;40;38;21;9;7;1;23,7;486000,00;54000,00;30;2410;86100\r\n"
    "without a UTM source;2;2;2;0;0;0;0,0;;;0;;\r\n"
    "All;42;40;23;9;7;1;22,5;486000,00;54000,00;30;2410;86100\r\n"
)

EXAMPLES = {
    "GetConversion": Shown(
        {
            200: {"By UTM source": BY_SOURCE},
            400: {
                "No quiz": errors.our(
                    "invalid", "by=option needs a quizID: options are those of one quiz", "quizID"
                )
            },
        },
        files={"As a file": FILE},
    )
}
