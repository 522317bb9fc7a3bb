"""The caller's accounts over all CRMs, with what hangs on them. A constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.models import Count, Min, OuterRef, QuerySet, Subquery
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Account, Token, live_accounts
from accounts.rest.paging import cut, read_page
from accounts.rest.views import CallerViewSet
from accounts.serializers.errors import BAD_FILTER, NO_TOKEN, operation
from crm_cache.runs import lists_states
from rules.delivery import holds
from rules.models import OPEN_STATES, Delivery, Rule
from rules.serializers.accounts import CrmAccountListOut, Work, write_account
from rules.views.filters import CRM_FILTER, read_crm


class AccountsViewSet(CallerViewSet):
    """The caller's accounts over all CRMs."""

    @operation(
        "ListAccounts",
        "The accounts of all CRMs, connected ones first: their state, lists, rules, and what waits",
        {200: CrmAccountListOut, **BAD_FILTER, **NO_TOKEN},
        tag="accounts",
        parameters=[
            CRM_FILTER,
            OpenApiParameter("page", int, description="Counts from 1"),
            OpenApiParameter("size", int, description="25 where it is missing"),
        ],
    )
    def index(self, request: Request) -> Response:
        rows = _accounts(self.caller_id)
        if crm := read_crm(request):
            rows = rows.filter(crm=crm)
        count, accounts = cut(rows, read_page(request))
        connected = live_accounts(account_id=self.caller_id).exclude(state=Account.State.CONNECTING)
        live = {account.crm: account for account in connected}
        lists, work = lists_states(accounts), _work_of(self.caller_id, [account.pk for account in accounts])
        items = [
            write_account(account, lists[account.pk], work[account.pk], live.get(account.crm))
            for account in accounts
        ]
        return Response({"count": count, "items": items})


def _accounts(owner: str) -> QuerySet[Account]:
    """Without those that nobody ever finished connecting."""
    until = Token.objects.filter(account=OuterRef("pk")).values("expires_at")[:1]
    rows = Account.objects.filter(account_id=owner).exclude(deleted=True, remote_id="")
    return rows.annotate(token_until=Subquery(until)).order_by("deleted", "-pk")


def _work_of(owner: str, accounts: Collection[int]) -> defaultdict[int, Work]:
    """By account, all of this owner. Two queries."""
    found: defaultdict[int, Work] = defaultdict(Work)
    rules = Rule.objects.filter(account__in=accounts, deleted=False).order_by("account_id", "quiz_id")
    for rule in rules.only("account", "quiz_id", "quiz", "problems"):
        work = found[rule.account_id]
        work.rules += 1
        if rule.problems:
            title = str(rule.quiz.get("title") or "")
            work.problems.append({"quizID": rule.quiz_id, "title": title, "problems": len(rule.problems)})
    # The index of what is open has all that is asked here; what is being sent is neither.
    opened = Delivery.objects.filter(owner=owner, state__in=OPEN_STATES)
    rows = opened.filter(account__in=accounts, test=False).exclude(state=Delivery.State.SENDING).order_by()
    counted: Any = rows.values_list("account", "state", "held_because").annotate(
        Count("pk"), Min("created_at")
    )
    for account, state, because, number, oldest in counted:
        if because in holds.OVER:
            continue  # it waits for nothing
        work = found[account]
        work.oldest = min(filter(None, (work.oldest, oldest)))
        if state == Delivery.State.HELD:
            work.held[because] = number
        else:
            work.waiting += number
    return found
