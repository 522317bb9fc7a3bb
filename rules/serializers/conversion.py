"""Conversion on the wire: what became of answers, by what they have in common."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from connectors.registry import CONNECTORS
from rules.conversion.numbers import COUNTS, MEDIAN, MOST_OF, Numbers
from rules.conversion.reading import BY, PERSON, QUIZ, Line, Report
from rules.conversion.table import KINDS, accounts_of, kind_of, name_of

KIND_WORDS = ("named", "none", *(word for word, _ in KINDS.values()))


class MoneyOut(serializers.Serializer[Any]):
    currency = serializers.CharField(help_text="As the CRM writes it, such as RUB; empty where it says none.")
    amount = serializers.CharField(help_text="Two decimals as a text. Nothing is added across currencies.")


class NumbersOut(serializers.Serializer[Any]):
    """``leads`` are ``open``, ``won``, ``lost`` and ``gone`` together."""

    answers = serializers.IntegerField(help_text="Answers that came; in each CRM that they go to.")
    leads = serializers.IntegerField(help_text="Those that became leads.")
    open = serializers.IntegerField(help_text="Leads that are in work.")
    won = serializers.IntegerField(help_text="Leads that were won.")
    lost = serializers.IntegerField(help_text="Leads that were lost.")
    gone = serializers.IntegerField(help_text="Leads that left the CRM while they were open.")
    conversion = serializers.FloatField(
        allow_null=True, help_text="Won of leads in percent, one decimal; null where there is no lead."
    )
    wonSums = MoneyOut(many=True, help_text="Sums of the leads that were won, by currency.")
    paidSums = MoneyOut(many=True, help_text="Money received, where CRMs tell of it, by currency.")
    stepped = serializers.IntegerField(help_text="Leads that left the step in which we saw them first.")
    medianToStep = serializers.IntegerField(
        allow_null=True, help_text="Half of those had left it within so many seconds of being made, +- 5 %."
    )
    p90ToStep = serializers.IntegerField(allow_null=True, help_text="Likewise 90 of 100 of them.")


class ConversionLineOut(NumbersOut):
    kind = serializers.ChoiceField(
        choices=KIND_WORDS,
        help_text="`named`: `name` says which. `none`: there is none (no mark, nobody, the rule itself). "
        "`others`: all beyond the 300 largest of a day together. `leftOut`: by the rule's condition. "
        "`notSent`: not sent yet. `another`: something typed where options are offered.",
    )
    name = serializers.CharField(
        help_text="Of the route, option, mark, page, person or day (2026-03-02), as `by` says; else empty."
    )
    id = serializers.CharField(help_text="The CRM's id of the person; of an option its question; else empty.")
    question = serializers.CharField(help_text="What the option's question is called; else empty.")
    quizID = serializers.IntegerField(allow_null=True, help_text="Of a quiz, route or option; else null.")
    crm = serializers.ChoiceField(
        choices=["", *CONNECTORS], help_text="Of a quiz, route or person; empty for answers that met no rule."
    )
    crmAccountID = serializers.IntegerField(
        allow_null=True, help_text="Our id of the account, of a route or a person; else null."
    )


class ConversionOut(serializers.Serializer[Any]):
    by = serializers.ChoiceField(choices=BY, help_text="What the lines are of.")
    countedAt = serializers.DateTimeField(
        allow_null=True,
        help_text="No day of the time was counted before this; null while one is still to be counted.",
    )
    more = serializers.BooleanField(help_text="There are more lines than 10,000; these have most answers.")
    total = NumbersOut(help_text="Of all, each answer once in each of its CRMs.")
    items = ConversionLineOut(many=True, help_text="Those with most answers first, days in their order.")


def write_report(report: Report) -> dict[str, Any]:
    accounts = accounts_of(report.lines)
    return {
        "by": report.by,
        "countedAt": report.counted_at,
        "more": report.more,
        "total": _numbers(report.whole),
        "items": [
            _line(report.by, line, account.crm if (account := accounts.get(line.account or 0)) else line.crm)
            for line in report.lines
        ],
    }


def _line(by: str, line: Line, crm: str) -> dict[str, Any]:
    kind = kind_of(line)
    person = line.name if by == PERSON else ""
    return {
        "kind": "named" if by == QUIZ else kind,
        "name": name_of(by, line) if kind == "named" and by != QUIZ else "",
        "id": person if kind == "named" and person else line.question,
        "question": line.words or line.question if line.question else "",
        "quizID": line.quiz,
        "crm": crm,
        "crmAccountID": line.account,
        **_numbers(line.numbers),
    }


def _numbers(of: Numbers) -> dict[str, Any]:
    median, most = (of.seconds_to_step(part) for part in (MEDIAN, MOST_OF))
    return {
        **{name: getattr(of, name) for name in COUNTS},
        "conversion": of.percent,
        "wonSums": _money(of.won_sum),
        "paidSums": _money(of.paid_sum),
        "stepped": of.stepped,
        "medianToStep": None if median is None else round(median),
        "p90ToStep": None if most is None else round(most),
    }


def _money(sums: dict[str, Decimal]) -> list[dict[str, str]]:
    return [{"currency": currency, "amount": f"{amount:.2f}"} for currency, amount in sorted(sums.items())]
