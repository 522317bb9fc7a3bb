"""The operator's page of an account: is it connected, why not, and what can be done about it.

The page is registered by ``rules.admin.accounts``, which adds what this floor of the house can't know: the
lists that were synced and the deliveries that wait.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from unfold.contrib.filters.admin import ChoicesDropdownFilter, TextFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts import connect_page, db_clock, states
from accounts.admin_base import (
    Question,
    StaffAdmin,
    answered,
    badge,
    column,
    confirmed,
    copyable,
    link,
    note,
    row_of,
    when,
)
from accounts.crm_settings import rate_limiter_for
from accounts.events import admin as admin_of_endpoints  # noqa: F401 - registers its page
from accounts.history import staff
from accounts.models import Account, Token, live_accounts
from accounts.texts import said, say
from connectors.messages import joined, message
from connectors.redact import redact
from connectors.registry import connector_class

State = Account.State
STATE_COLOURS = {
    State.CONNECTING: "info",
    State.ACTIVE: "success",
    State.NEEDS_RECONNECT: "danger",
    State.PAUSED: "warning",
    State.DISCONNECTED: "default",
}


class QuizAccountFilter(TextFilter):
    """Exactly this quiz account: a part of an opaque id means nothing, and an index finds a whole one."""

    title, parameter_name, column = _("quiz account"), "quiz_account", "account_id"

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        value = (self.value() or "").strip()
        if "\0" in value:  # which no database takes
            return rows.none()
        return rows.filter(**{self.column: value}) if value else rows


class AttentionFilter(admin.SimpleListFilter):
    """Accounts that stand still until somebody does something."""

    title, parameter_name = _("attention"), "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("person", say("waits for a person")), ("silent", say("its CRM is silent"))]

    def queryset(self, request: HttpRequest, rows: QuerySet[Account]) -> QuerySet[Account]:
        if self.value() == "person":
            return needs_a_person(rows)
        return with_silent_crm(rows) if self.value() == "silent" else rows


def with_silent_crm(rows: QuerySet[Account]) -> QuerySet[Account]:
    return rows.filter(deleted=False, state=State.ACTIVE, lane__failures__gt=0)


def needs_a_person(rows: QuerySet[Account]) -> QuerySet[Account]:
    return rows.filter(deleted=False, state__in=[State.NEEDS_RECONNECT, State.PAUSED])


MOVED = {  # what history keeps, and what the person is told
    "paused": (message("Paused."), gettext_noop("{account} is paused.")),
    "resumed": (message("Resumed."), gettext_noop("{account} is resumed.")),
    "disconnected": (message("Disconnected."), gettext_noop("{account} is disconnected.")),
}


class PauseForm(forms.Form):
    reason = forms.CharField(
        max_length=300,
        label=_("Why"),
        help_text=_("Whoever looks at a waiting delivery reads this."),
        widget=UnfoldAdminTextInputWidget,
    )


class AccountAdmin(StaffAdmin):
    list_display: Any = ("title", "account_id", "state_label", "reason", "signed_in_until", "synced")
    list_filter = (
        ("crm", ChoicesDropdownFilter),
        ("state", ChoicesDropdownFilter),
        AttentionFilter,
        QuizAccountFilter,
    )
    search_fields = ("account_id", "name", "host", "remote_id")
    actions_list = ("connect",)
    actions_detail: Any = ("reconnect", "resume", "pause", "disconnect")
    readonly_fields: Any = (
        "crm", "name", "customer", "state_badge", "reason", "state_since", "address", "remote",
        "country", "connected_by", "connected_at", "signed_in_until", "sign_in_trouble", "lane_state",
        "resting", "synced_at", "next_sync_at",
    )  # fmt: skip
    fieldsets: Any = (
        (None, {"fields": (("crm", "name"), ("customer", "remote"), ("address", "country"))}),
        (_("State"), {"fields": (("state_badge", "state_since"), "reason")}),
        (
            _("Signed in"),
            {"fields": (("connected_by", "connected_at"), ("signed_in_until", "sign_in_trouble"))},
        ),
        (_("Sending"), {"fields": ("lane_state", "resting", "send_again", "contact_directory", "reconcile")}),
        (_("Lists"), {"fields": (("synced_at", "next_sync_at"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        """Of a token only its dates and its last error are read, never its text."""
        token = Token.objects.filter(account=OuterRef("pk"))
        return (
            super()
            .get_queryset(request)
            .defer("facts")
            .annotate(
                token_until=Subquery(token.values("expires_at")[:1]),
                token_error=Subquery(token.values("last_error")[:1]),
                has_token=Exists(token),
            )
        )

    def has_connect_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("accounts.connect_account"))

    def has_change_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        return self.has_operate_permission(request) and not (obj and obj.deleted)

    # -- what is shown ---------------------------------------------------------------------------------------

    @display(description=_("account"), header=True, ordering="crm")
    def title(self, account: Account) -> tuple[str, str]:
        return account.name or account.host or say("not connected yet"), account.get_crm_display()

    state_label = badge(_("state"), "state", STATE_COLOURS, ordering="state")

    @display(description=_("state"))
    def state_badge(self, account: Account) -> Any:
        return format_html(
            '<span class="desk-state desk-account-{}">{}</span>', account.state, account.get_state_display()
        )

    reason = column(_("why"), lambda account: said(account.state_reason) or None, empty_value="-")

    @display(description=_("signed in until"))
    def signed_in_until(self, account: Any) -> Any:
        if account.token_until is None:
            return say("does not expire") if account.has_token else say("not signed in")
        over = account.token_until < db_clock.now()
        return format_html("{}{}", when(account.token_until), say(" (over)") if over else "")

    @display(description=_("synced"), ordering="synced_at", empty_value=_("never"))
    def synced(self, account: Account) -> Any:
        return when(account.synced_at) or None

    @display(description=_("last trouble with signing in"))
    def sign_in_trouble(self, account: Any) -> str:
        return said(redact(account.token_error or ""))

    @display(description=_("connected by"))
    def connected_by(self, account: Account) -> str:
        return ", ".join(filter(None, (account.user_name, account.user_email, account.user_role)))

    customer = column(_("quiz account"), lambda account: copyable(account.account_id))
    remote = column(_("CRM's account id"), lambda account: copyable(account.remote_id))

    @display(description=_("address"))
    def address(self, account: Account) -> Any:
        url = f"https://{account.host}/"
        return (
            format_html("<span data-copy>{}</span>", link(url, account.host, new=True))
            if account.host
            else ""
        )

    @display(description=_("lane"))
    def lane_state(self, account: Account) -> str:
        now, lane = db_clock.now(), account.lane
        if lane.rests_until and lane.rests_until > now:
            rest = timezone.localtime(lane.rests_until)
            return say(
                "The CRM was silent {failures} times in a row; next try {rest}.",
                failures=lane.failures,
                rest=f"{rest:%d.%m.%Y %H:%M:%S}",
            )
        if lane.lease_until and lane.lease_until > now:
            return say("A worker is sending.")
        return say("Free.")

    @display(description=_("the CRM's budget"), empty_value=_("nothing rests"))
    def resting(self, account: Account) -> str:
        """Methods of which the CRM allows no more for a while (an operating-time budget)."""
        waits = rate_limiter_for(account.crm, account.remote_id or account.host).resting()
        return "; ".join(
            say("{what} rests {seconds} s, its budget is nearly used", what=what, seconds=f"{seconds:.0f}")
            for what, seconds in waits.items()
        )

    # -- what can be done ------------------------------------------------------------------------------------

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what the account's state allows."""
        account = self.get_object(request, object_id)
        possible = self.possible(account) if account else set()
        return self.only(super().get_actions_detail(request, object_id), possible)

    def possible(self, account: Account) -> set[str]:
        """The names of the actions that make sense for the account."""
        also = {State.ACTIVE: {"pause"}, State.PAUSED: {"resume"}}.get(State(account.state), set())
        can = connector_class(account.crm).can
        signs_in = {"reconnect"} if can.oauth or can.credentials else set()
        if account.deleted:
            taken = live_accounts(account_id=account.account_id, crm=account.crm).exists()
            return set() if taken else signs_in
        return {"disconnect"} | signs_in | also

    def consequences(self, account: Account, what: str) -> list[str]:
        """What else a pause or a farewell means; the upper floor knows of deliveries."""
        return []

    @action(description=_("Connect an account"), permissions=["connect"], icon="add_link")
    def connect(self, request: HttpRequest) -> HttpResponse:
        return connect_page.show(request, self)

    @action(description=_("Reconnect"), permissions=["connect"], icon="link")
    def reconnect(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return connect_page.show(request, self, self.account(object_id))

    @action(description=_("Pause"), permissions=["operate"], icon="pause")
    def pause(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.account(object_id)
        form = PauseForm(answered(request))
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            return self.moved(
                request, account, states.pause(account, reason, staff(request.user)), "paused", reason
            )
        told = [say("Nothing is sent to the CRM until somebody resumes it. New answers are still taken.")]
        question = Question(
            say("Pause {account}?", account=account),
            told + self.consequences(account, "pause"),
            say("Pause"),
            form=form,
        )
        return self.ask_about(request, account, question)

    @action(description=_("Resume"), permissions=["operate"], icon="play_arrow")
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.account(object_id)
        if confirmed(request):
            return self.moved(request, account, states.resume(account, staff(request.user)), "resumed")
        told = [say("It was paused: {reason}", reason=account.state_reason or say("no reason was given"))]
        question = Question(
            say("Resume {account}?", account=account),
            told + self.consequences(account, "resume"),
            say("Resume"),
        )
        return self.ask_about(request, account, question)

    @action(description=_("Disconnect"), permissions=["connect"], icon="link_off")
    def disconnect(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.account(object_id)
        if confirmed(request):
            gone = states.disconnect(account, message("Disconnected in the admin"), staff(request.user))
            return self.moved(request, account, gone, "disconnected")
        told = [
            say(
                "Its tokens are erased; its rules and all that waits stay. What was delivered stays "
                "in the CRM and here."
            )
        ]
        told += self.consequences(account, "disconnect")
        question = Question(
            say("Disconnect {account}?", account=account), told, say("Disconnect"), danger=True
        )
        return self.ask_about(request, account, question)

    def account(self, object_id: str) -> Account:
        return row_of(Account, object_id)

    def moved(
        self, request: HttpRequest, account: Account, happened: bool, word: str, reason: str = ""
    ) -> HttpResponse:
        """Tell what came of it: somebody else may have been faster."""
        if not happened:
            now = account.get_state_display()
            told = say("Nothing was changed: {account} is {now}.", account=account, now=now)
            return self.done_with(request, account, told, False)
        note(self, request, account, joined(" ", MOVED[word][0], reason))
        return self.done_with(request, account, say(MOVED[word][1], account=account))
