"""The page where staff connect an account: a link for its owner's consent, or the keys that open it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from accounts import oauth
from accounts.admin_base import StaffAdmin, done, framed, note
from accounts.consent import ConnectError
from accounts.crm_settings import host_policy_for, label_of
from accounts.history import staff
from accounts.keys import ADDRESS, connect_by_key
from accounts.models import Account
from accounts.rest.errors import ApiError
from accounts.texts import said, say
from connectors.errors import ConnectorError
from connectors.hosts import HostNotAllowed
from connectors.messages import last_part, message
from connectors.registry import CONNECTORS, connector_class


class ConnectForm(forms.Form):
    """What one CRM needs, as its capabilities say. Secrets go one way: no page shows them again."""

    account_id = forms.CharField(
        max_length=200,
        label=_("Quiz account"),
        help_text=_("The id of the quiz account, as the quiz service writes it into its tokens."),
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, kind: str, account: Account | None, data: Any = None) -> None:
        super().__init__(data, initial={ADDRESS: account.host} if account else None)
        self.kind, self.can = kind, connector_class(kind).can
        if account:
            del self.fields["account_id"]
        if self.can.portal_first or self.can.credentials:
            self.fields[ADDRESS] = _address(kind)
        for name in self.can.credentials:
            self.fields[name] = _secret(name)

    @property
    def credentials(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in self.can.credentials}

    def refuse(self, exc: ApiError) -> None:
        """At the field that it is about, without the words that name the field to a program."""
        words = said(last_part(exc.message))
        if not words.startswith(label_of(self.kind)):
            words = words[:1].upper() + words[1:]
        self.add_error(exc.field if exc.field in self.fields else None, words)


def _address(kind: str) -> forms.CharField:
    endings = say(" or ").join(f"name.{suffix}" for suffix in host_policy_for(kind).suffixes[:EXAMPLES])
    return forms.CharField(
        max_length=255,
        label=say("Address"),
        help_text=_address_of(label_of(kind), endings),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "inputmode": "url"}),
    )


def _secret(name: str) -> forms.CharField:
    return forms.CharField(
        max_length=1000,
        label=capfirst(said(_word(name))),
        help_text=say("It is tried at once, kept encrypted, and shown to nobody again."),
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
    )


def show(request: HttpRequest, admin: StaffAdmin, account: Account | None = None) -> HttpResponse:
    """Ask which CRM, then for what it needs. With a link, the account changes when its owner comes back."""
    asked = request.POST.get("crm") or request.GET.get("crm") or ""
    kind = account.crm if account else asked
    if kind not in CONNECTORS:
        return _page(request, admin, account, kinds=_kinds())
    form = ConnectForm(kind, account, request.POST if request.method == "POST" else None)
    owner = account.account_id if account else ""
    if not (request.method == "POST" and form.is_valid()):
        return _page(request, admin, account, form=form, kind=kind)
    owner = owner or form.cleaned_data["account_id"]
    return (_by_key if form.can.credentials else _by_consent)(request, admin, account, form, owner)


def _kinds() -> list[tuple[str, str, str]]:
    return [(label_of(kind), "?" + urlencode({"crm": kind}), _way(kind)) for kind in CONNECTORS]


def _way(kind: str) -> str:
    *first, last = (say("address"), *(said(_word(name)) for name in connector_class(kind).can.credentials))
    return (
        say("You need its {names} and {last}.", names=", ".join(first), last=last)
        if first
        else say("Its owner agrees on the CRM's own page.")
    )


EXAMPLES = 3  # of a CRM's hosts, of which it may have one in each country
KEYS = {"api_key": message("API key"), "token": message("token"), "secret": message("secret")}


def _word(name: str) -> str:
    """A credential's name for people: ``API key``."""
    return KEYS.get(name) or name.replace("_", " ")


def _address_of(crm: str, endings: str) -> str:
    if endings:
        return say("Of the customer's own {crm}, such as {endings}.", crm=crm, endings=endings)
    return say("Of the customer's own {crm}.", crm=crm)


def _by_key(
    request: HttpRequest, admin: StaffAdmin, account: Account | None, form: ConnectForm, owner: str
) -> HttpResponse:
    try:
        connected = connect_by_key(
            owner, form.kind, form.cleaned_data[ADDRESS], form.credentials, staff(request.user)
        )
    except ApiError as exc:
        form.refuse(exc)
        return _page(request, admin, account, form=form, kind=form.kind)
    note(admin, request, connected, message("Connected by its keys."))
    return done(
        request,
        say("{connected} is connected; its lists are being read.", connected=connected),
        admin.page_of(connected),
    )


def _by_consent(
    request: HttpRequest, admin: StaffAdmin, account: Account | None, form: ConnectForm, owner: str
) -> HttpResponse:
    try:
        connecting, url = oauth.begin(
            owner, form.kind, form.cleaned_data.get(ADDRESS, ""), actor=staff(request.user)
        )
    except (HostNotAllowed, ConnectError, ConnectorError) as exc:
        at_address = isinstance(exc, HostNotAllowed) and ADDRESS in form.fields
        form.add_error(ADDRESS if at_address else None, said(_of(exc)))
        return _page(request, admin, account, form=form, kind=form.kind)
    note(admin, request, connecting, message("Made a link to the consent page."))
    return _page(request, admin, account, account_page=admin.page_of(connecting), url=url)


def _of(exc: Exception) -> str:
    """What is wrong, for a person."""
    return exc.said(get_language()) if isinstance(exc, ConnectError) else str(exc)


def _page(request: HttpRequest, admin: StaffAdmin, account: Account | None, **more: Any) -> HttpResponse:
    kind = more.get("kind", "")
    title = (
        say("Reconnect {account}", account=account)
        if account
        else say("Connect {crm}", crm=label_of(kind))
        if kind
        else say("Connect an account")
    )
    told = {
        "account": account,
        "by_key": bool(kind and connector_class(kind).can.credentials),
        "back": admin.page_of(account) if account else "?" if kind else admin.list_page(),
        **more,
    }
    return framed(request, admin, "admin/desk/connect.html", title, **told)
