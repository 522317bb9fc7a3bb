"""The page where staff make a link for the owner of a CRM account: to be opened, or sent to them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import oauth
from accounts.consent import ConnectError
from accounts.desk import DeskAdmin, note
from accounts.kinds import label_of, oauth_kinds
from accounts.models import Account
from connectors.errors import ConnectorError
from connectors.hosts import HostNotAllowed
from connectors.registry import connector_class


class ConnectForm(forms.Form):
    account_id = forms.CharField(
        max_length=200,
        label="Quiz account",
        help_text="The id of the quiz account, as the quiz service writes it into its tokens.",
        widget=UnfoldAdminTextInputWidget,
    )
    crm = forms.ChoiceField(label="CRM", widget=UnfoldAdminSelectWidget)
    portal = forms.CharField(
        max_length=255, required=False, label="Portal address", widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["crm"].choices = [(kind, label_of(kind)) for kind in oauth_kinds()]  # type: ignore[attr-defined]
        first = ", ".join(label_of(kind) for kind in oauth_kinds() if connector_class(kind).can.portal_first)
        if first:
            self.fields["portal"].help_text = f"Needed for {first}: the address of the customer's own portal."
        else:
            del self.fields["portal"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        kind = cleaned.get("crm")
        if kind and connector_class(kind).can.portal_first and not cleaned.get("portal"):
            self.add_error("portal", f"{label_of(kind)} has a portal for each customer: name its address.")
        return cleaned


def show(request: HttpRequest, admin: DeskAdmin, account: Account | None = None) -> HttpResponse:
    """Ask for what the link needs, and show it. The account changes when the owner comes back."""
    form = ConnectForm(request.POST or None, initial=_known(account))
    connecting, url = _begin(form) if request.method == "POST" and form.is_valid() else (None, "")
    if connecting:
        note(admin, request, connecting, "Made a link to the consent page.")
    context = {
        **admin.admin_site.each_context(request),
        "title": f"Reconnect {account}" if account else "Connect an account",
        "opts": admin.opts,
        "form": form,
        "account": connecting,
        "url": url,
        "back": admin.page_of(account) if account else admin.list_page(),
    }
    return TemplateResponse(request, "admin/desk/connect.html", context)


def _known(account: Account | None) -> dict[str, str]:
    if account is None:
        return {}
    return {"account_id": account.account_id, "crm": account.crm, "portal": account.host}


def _begin(form: ConnectForm) -> tuple[Account | None, str]:
    asked = form.cleaned_data
    portal = asked.get("portal", "") if connector_class(asked["crm"]).can.portal_first else ""
    try:
        return oauth.begin(asked["account_id"], asked["crm"], portal)
    except HostNotAllowed as exc:
        form.add_error("portal" if "portal" in form.fields else None, str(exc))
    except (ConnectError, ConnectorError) as exc:
        form.add_error(None, str(exc))
    return None, ""
