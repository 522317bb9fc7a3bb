"""What the pages of reports and of conversion are narrowed by, as their addresses say it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.crm_settings import label_of
from accounts.models import Account
from connectors.registry import CONNECTORS
from rules.conversion.reading import BY, DAY, QUIZ, Chosen

PERIODS = {"1": _("today"), "7": _("7 days"), "30": _("30 days"), "90": _("90 days"), "all": _("all time")}
USUAL = "30"
OFFERED = 200  # accounts of the list that one chooses of
NOBODY = -1  # what no row has
PARTS = ("period", "by", "crm", "account", "owner", "quiz")


@dataclass(frozen=True)
class Filters:
    """What is no period, CRM or way to group is the usual one; a number that is none finds nothing."""

    period: str = USUAL
    by: str = QUIZ
    crm: str = ""
    account: str = ""
    owner: str = ""
    quiz: str = ""

    def url(self, **changed: str) -> str:
        told = replace(self, **changed)
        usual = {"period": USUAL, "by": QUIZ}
        said = {name: getattr(told, name) for name in PARTS}
        return "?" + urlencode({key: value for key, value in said.items() if value != usual.get(key, "")})

    @cached_property
    def chosen(self) -> Chosen:
        today = timezone.localdate()
        first = today - timedelta(days=int(self.period) - 1) if self.period.isdecimal() else None
        return Chosen(first, today, self.owner, _number(self.account), self.crm, _number(self.quiz))

    @cached_property
    def account_row(self) -> Account | None:
        key = self.chosen.account
        return Account.objects.filter(pk=key).defer("facts").first() if key else None

    def context(self, *periods: str) -> dict[str, Any]:
        """For the template of the form (``desk/report_filters.html``)."""
        return {
            "filters": self,
            "periods": [(PERIODS[key], self.url(period=key), key == self.period) for key in periods],
            "crms": [(kind, label_of(kind)) for kind in CONNECTORS],
            "accounts": self._accounts(),
        }

    def _accounts(self) -> list[Account]:
        """Those that may be chosen, and the one that is."""
        rows: QuerySet[Account] = Account.objects.filter(deleted=False).only(
            "crm", "name", "host", "account_id", "remote_id"
        )
        found = list(rows.order_by("-pk")[:OFFERED])
        mine = self.account_row
        return [*found, mine] if mine and mine not in found else found


def read_filters(request: HttpRequest) -> Filters:
    said = {name: request.GET.get(name, "").replace("\0", "").strip() for name in PARTS}
    known = {"period": PERIODS, "by": [by for by in BY if by != DAY], "crm": CONNECTORS}
    return Filters(**{name: text for name, text in said.items() if text and text in known.get(name, (text,))})


def _number(said: str) -> int | None:
    if not said:
        return None
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 19 else NOBODY
