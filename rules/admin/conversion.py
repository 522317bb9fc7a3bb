"""Per quiz and CRM: how many answers became leads, how many of those were won, and what they brought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from rules.models import Answer

TO = "deliveries__outcome__"
COUNTED: dict[str, Any] = {
    "answers": Count("pk"),
    "delivered": Count("deliveries", filter=Q(deliveries__state="delivered")),
    "open": Count(f"{TO}pk", filter=Q(**{f"{TO}status": "open", f"{TO}gone": ""})),
    "won": Count(f"{TO}pk", filter=Q(**{f"{TO}status": "won"})),
    "lost": Count(f"{TO}pk", filter=Q(**{f"{TO}status": "lost"})),
    "gone": Count(f"{TO}pk", filter=Q(**{f"{TO}status": "open"}) & ~Q(**{f"{TO}gone": ""})),
    "won_sum": Sum(f"{TO}amount", filter=Q(**{f"{TO}status": "won"})),
    "paid_sum": Sum(f"{TO}paid"),
}
NUMBERS = ("answers", "delivered", "open", "won", "lost", "gone")


@dataclass
class Line:
    """One quiz in one CRM; ``crm`` is empty for answers that met no rule. Sums are by currency."""

    owner: str
    quiz_id: int
    crm: str
    answers: int = 0
    delivered: int = 0
    open: int = 0
    won: int = 0
    lost: int = 0
    gone: int = 0
    won_sum: dict[str, Decimal] = field(default_factory=dict)
    paid_sum: dict[str, Decimal] = field(default_factory=dict)

    @property
    def percent(self) -> float | None:
        """Of what was delivered; None where nothing was."""
        return 100 * self.won / self.delivered if self.delivered else None

    def add(self, row: Mapping[str, Any]) -> None:
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + row[name])
        for name in ("won_sum", "paid_sum"):
            if row[name]:
                by_currency, currency = getattr(self, name), row[f"{TO}currency"] or ""
                by_currency[currency] = by_currency.get(currency, Decimal()) + row[name]


def lines(since: datetime | None, **chosen: Any) -> list[Line]:
    """One statement over the answers that came ``since``, the busiest quiz first."""
    answers = Answer.objects.order_by().filter(test=False, **chosen)
    return _merged(_grouped(answers.filter(created_at__gte=since) if since else answers))


def total(of: Iterable[Line]) -> Line:
    """Everything in one line. An answer counts in each of its CRMs."""
    whole = Line("", 0, "")
    for line in of:
        for name in NUMBERS:
            setattr(whole, name, getattr(whole, name) + getattr(line, name))
        for name in ("won_sum", "paid_sum"):
            for currency, amount in getattr(line, name).items():
                by_currency = getattr(whole, name)
                by_currency[currency] = by_currency.get(currency, Decimal()) + amount
    return whole


def _grouped(answers: QuerySet[Answer]) -> Iterable[dict[str, Any]]:
    keys = ("account_id", "quiz_id", "deliveries__account__crm", f"{TO}currency")
    return answers.values(*keys).annotate(**COUNTED)


def _merged(rows: Iterable[dict[str, Any]]) -> list[Line]:
    found: dict[tuple[str, int, str], Line] = {}
    for row in rows:
        key = (row["account_id"], row["quiz_id"], row["deliveries__account__crm"] or "")
        found.setdefault(key, Line(*key)).add(row)
    return sorted(found.values(), key=lambda line: (-line.answers, line.quiz_id, line.crm))
