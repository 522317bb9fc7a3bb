"""The page of an account with all that hangs on it: deliveries that wait, lists that were synced."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Count, IntegerField, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from accounts import hooks
from accounts.admin import AccountAdmin
from accounts.admin_base import COUNT_TO, Question, confirmed, done, key_of, link, note
from accounts.models import Account, Hook
from accounts.texts import said, say, say_many, spaced
from connectors.messages import message
from connectors.redact import redact
from connectors.registry import connector_class
from crm_cache import runs
from crm_cache.models import CrmUser, Field, Pipeline, Step, Tag
from rules.admin import health
from rules.admin.links import deliveries_url, of_account, outcomes_url
from rules.delivery.holds import FOR_RETURN
from rules.models import OPEN_STATES, Delivery, Reconciliation, Rule
from rules.outcomes import reconciling

LISTS: dict[str, tuple[str, Any]] = {
    "users": ("crm_cache_crmuser", CrmUser),
    "pipelines": ("crm_cache_pipeline", Pipeline),
    "steps": ("crm_cache_step", Step),
    "fields": ("crm_cache_field", Field),
    "tags": ("crm_cache_tag", Tag),
}
SYNCED = message("Asked for a sync of all lists.")
RECONCILED = message("Asked for a comparison with the CRM.")
EVENTS_SHOWN = 50


@admin.register(Account)
class AccountOverviewAdmin(AccountAdmin):
    nothing_yet = _("Connect an account by the button above, or have its owner do so.")
    list_display = (
        "title", "account_id", "state_label", "reason", "waiting", "held", "oldest_waiting",
        "signed_in_until", "synced",
    )  # fmt: skip
    actions = ("sync_chosen", "reconcile_chosen")
    actions_detail = (
        "sync_now",
        "reconnect",
        "resume",
        {"title": _("More"), "icon": "more_horiz", "items": ["reconcile_now", "pause", "disconnect"]},
    )
    change_form_outer_before_template = "admin/desk/health.html"
    change_form_outer_after_template = "admin/desk/account.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                waiting_now=_deliveries(Count("pk"), state="waiting"),
                held_now=_deliveries(Count("pk"), state="held"),
                waits_since=Subquery(_aggregated(Min("created_at"), state="waiting")),
            )
        )

    @display(description=_("waiting"))
    def waiting(self, account: Any) -> Any:
        return _count(account.waiting_now, deliveries_url(account=account.pk, state="waiting"))

    @display(description=_("held"))
    def held(self, account: Any) -> Any:
        return _count(account.held_now, deliveries_url(account=account.pk, state="held"))

    @display(description=_("oldest waiting"))
    def oldest_waiting(self, account: Any) -> str:
        since: datetime | None = account.waits_since
        return timesince(since, depth=1) if since else ""

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        account = Account.objects.filter(pk=key_of(object_id)).first()
        if account and request.GET.urlencode() == health.SYNC_PART and self.has_view_permission(request):
            return TemplateResponse(request, "admin/desk/syncing.html", health.syncing(account.pk))
        more = _told(account, self.has_operate_permission(request)) if account else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def possible(self, account: Account) -> set[str]:
        return super().possible(account) | ({"sync_now", "reconcile_now"} if account.usable else set())

    def consequences(self, account: Account, what: str) -> list[str]:
        """The numbers, so that nobody acts on an account without knowing what stands behind it."""
        mine = Delivery.objects.filter(account=account)
        waiting, held = mine.filter(state="waiting").count(), mine.filter(state="held").count()
        away = mine.filter(state="held", held_because__in=FOR_RETURN).count()
        return {
            "pause": [
                say_many(
                    "{count} waiting delivery will be held until then.",
                    "{count} waiting deliveries will be held until then.",
                    waiting,
                )
                if waiting
                else say("Nothing waits now.")
            ],
            "resume": [
                say_many(
                    "{count} held delivery will go on within a minute; answers older than {hours} hours are"
                    " left to a person.",
                    "{count} held deliveries will go on within a minute; answers older than {hours} hours are"
                    " left to a person.",
                    away,
                    hours=_hours(),
                )
                if away
                else say("Nothing is held for it now.")
            ],
            "disconnect": [
                say_many(
                    "{count} waiting delivery will be held, {held} held already; new answers will be held,"
                    " too.",
                    "{count} waiting deliveries will be held, {held} held already; new answers will be held,"
                    " too.",
                    waiting,
                    held=held,
                ),
                say(
                    "All of it goes on by itself once the same account of the CRM is connected again; answers"
                    " that are older than {hours} hours then are left to a person.",
                    hours=_hours(),
                ),
            ],
        }[what]

    @action(description=_("Sync now"), permissions=["operate"], icon="sync")
    def sync_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.account(object_id)
        if confirmed(request):
            runs.ask_for(account)
            note(self, request, account, SYNCED)
            return self.done_with(request, account, say("The lists are being refreshed."), account.usable)
        lists = ", ".join(said(runs.LIST_NAMES[name]) for name in connector_class(account.crm).can.lists)
        question = Question(
            say("Refresh the lists of {account}?", account=account),
            [say("Asks the CRM for: {lists}.", lists=lists)],
            say("Sync now"),
        )
        return self.ask_about(request, account, question)

    @action(description=_("Compare with the CRM"), permissions=["operate"], icon="balance")
    def reconcile_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.account(object_id)
        if confirmed(request):
            return self._reconcile(request, [account], self.page_of(account))
        told = [
            say(
                "The deliveries of the last {days} days are compared with what the CRM has, in the background"
                " and at a tenth of what it allows. Nothing is changed there.",
                days=settings.RECONCILE_DAYS,
            )
        ]
        question = Question(
            say("Compare {account} with its CRM?", account=account), told, say("Compare with the CRM")
        )
        return self.ask_about(request, account, question)

    @admin.action(description=_("Compare with the CRM"), permissions=["operate"])
    def reconcile_chosen(self, request: HttpRequest, chosen: QuerySet[Account]) -> HttpResponse:
        return self._reconcile(request, [account for account in chosen if account.usable], "")

    def _reconcile(self, request: HttpRequest, accounts: list[Account], back: str) -> HttpResponse:
        """The report of the one that was begun, or the list of reports."""
        begun = []
        for account in accounts:
            if run := reconciling.begin(account, request.user.get_username()):
                begun.append(run)
                reconciling.ask_to_reconcile(run.pk)
                note(self, request, account, RECONCILED)
        told = say_many("Begun for {count} account.", "Begun for {count} accounts.", len(begun))
        if not begun:
            told = say("Nothing was begun: it is under way already, or the account is not active.")
        reports: Any = admin.site.get_model_admin(Reconciliation)
        there = reports.page_of(begun[0]) if len(begun) == 1 else reports.list_page()
        return done(request, told, there if begun else back or self.list_page(), bool(begun))

    @admin.action(description=_("Sync now"), permissions=["operate"])
    def sync_chosen(self, request: HttpRequest, chosen: QuerySet[Account]) -> None:
        usable = [account for account in chosen if account.usable]
        for account in usable:
            runs.ask_for(account)
            note(self, request, account, SYNCED)
        left = len(chosen) - len(usable)
        told = say_many(
            "The lists of {count} account are being refreshed.",
            "The lists of {count} accounts are being refreshed.",
            len(usable),
        )
        if left:
            rest = say_many(
                "{count} account is not active and left alone.",
                "{count} accounts are not active and left alone.",
                left,
            )
            told = f"{told} {rest}"
        done(request, told, "", not left)


def _hours() -> int:
    return settings.HELD_FOR_RETURN // timedelta(hours=1)


def _aggregated(what: Any, **chosen: Any) -> QuerySet[Any, Any]:
    mine = Delivery.objects.filter(account=OuterRef("pk"), **chosen).order_by()
    return mine.values("account").annotate(found=what).values("found")


def _deliveries(what: Any, **chosen: Any) -> Coalesce:
    return Coalesce(Subquery(_aggregated(what, **chosen), output_field=IntegerField()), 0)


def _count(count: int, url: str) -> SafeString | str:
    return link(url, f"{count}") if count else ""


def _told(account: Account, for_operator: bool) -> dict[str, Any]:
    return {
        "health": health.health_of(account),
        "hangs_on_it": _hangs_on(account.pk),
        **health.syncing(account.pk),
        "hook": _hook_of(account, for_operator),
        "shapes": _shapes_of(account),
        "events": account.events.all()[:EVENTS_SHOWN],
        "for_operator": for_operator,
    }


def _capped(count: int) -> str:
    return say("{count} or more", count=spaced(count)) if count == COUNT_TO else spaced(count)


def _hangs_on(account_id: int) -> dict[str, Any]:
    """What the account's page shows below its facts."""
    return {
        "deliveries": [
            (_capped(count), Delivery.State(state).label, deliveries_url(account=account_id, state=state))
            for state in OPEN_STATES
            if (count := Delivery.objects.filter(account=account_id, state=state)[:COUNT_TO].count())
        ],
        "all_deliveries": deliveries_url(account=account_id),
        "outcomes": outcomes_url(account=account_id),
        "reconciliations": of_account("rules_reconciliation", account_id),
        "rules": (
            Rule.objects.filter(account=account_id, deleted=False).count(),
            of_account("rules_rule", account_id),
        ),
        "lists": [
            (
                said(runs.LIST_NAMES[name]),
                model.objects.filter(account=account_id, deleted=False).count(),
                of_account(label, account_id),
            )
            for name, (label, model) in LISTS.items()
        ],
    }


@dataclass(frozen=True, slots=True)
class HookShown:
    """``address`` is for whoever may operate, and only where a person has to enter it in the CRM."""

    row: Hook | None
    by_hand: bool
    address: str


def _hook_of(account: Account, for_operator: bool) -> HookShown | None:
    """None where no notice would be of use."""
    can = connector_class(account.crm).can
    if account.deleted or not can.follow:
        return None
    by_hand = not can.hooks
    address = hooks.address_of(account) if by_hand and for_operator and not account.pending else ""
    return HookShown(Hook.objects.filter(account=account).defer("secret").first(), by_hand, address)


def _shapes_of(account: Account) -> list[tuple[str, str]]:
    """The forms of first answers, which connectors of unclear CRMs keep among their facts: no values."""
    held = account.facts.get("shapes")
    if not isinstance(held, dict):
        return []
    return [
        (name.replace("_", " "), redact(json.dumps(form, ensure_ascii=False, indent=2)))
        for name, form in sorted(held.items())
        if form
    ]
