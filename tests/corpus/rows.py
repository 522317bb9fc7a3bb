"""The corpus: what people write, and what must become of it. ``answers.tsv`` has a line for each.

``type``: what takes the answer, in words of no CRM. ``country``: the account's, which decides on local
phones, the time zone and the currency. ``said``: the text, or JSON after ``json:``. ``outcome``: ``kept``
in the field and nothing told, ``told`` and nothing in the field, or ``both``. ``value``: what the field
holds, in one form for all CRMs (``written`` numbers, ``99 USD``, ISO dates, ``yes`` and ``no``, ids of
``OPTIONS``).
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connectors.draft import Option

CHOICES = ("Иванов & Ко", "Люкс", "1–2 комнаты", "«Номер»", "Свыше 100 м²", "Ёлка", "2×3", "Кухня, столовая")
OPTIONS = tuple(Option(str(number), text) for number, text in enumerate(CHOICES, start=1))
COUNTRIES = {
    "RU": ("Europe/Moscow", "RUB"),
    "BY": ("Europe/Minsk", "BYN"),
    "UA": ("Europe/Kyiv", "UAH"),
    "KZ": ("Asia/Almaty", "KZT"),
    "DE": ("Europe/Berlin", "EUR"),
    "US": ("America/New_York", "USD"),
    "BR": ("America/Sao_Paulo", "BRL"),
}


@dataclass(frozen=True, slots=True)
class Row:
    type: str
    country: str
    said: str
    outcome: str
    value: str

    @property
    def answer(self) -> Any:
        """The answer as the body of ``POST /answers`` has it."""
        return json.loads(self.said.removeprefix("json:")) if self.said.startswith("json:") else self.said

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(COUNTRIES[self.country][0])

    @property
    def currency(self) -> str:
        return COUNTRIES[self.country][1]

    @property
    def is_kept(self) -> bool:
        return self.outcome in ("kept", "both")

    @property
    def is_told(self) -> bool:
        return self.outcome in ("told", "both")

    def __str__(self) -> str:
        return f"{self.type}-{self.country}-{self.said}"


def rows() -> list[Row]:
    with Path(__file__).with_name("answers.tsv").open(encoding="utf-8", newline="") as file:
        return [Row(**line) for line in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
