"""Where events are posted, as staff see and change it. A secret is shown once, when it is made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminRadioSelectWidget

from accounts import db_clock
from accounts.admin_base import (
    Question,
    StaffAdmin,
    answered,
    column,
    confirmed,
    copyable,
    done,
    note,
    row_of,
    when,
)
from accounts.events import endpoints
from accounts.events.models import EventType, WebhookEndpoint
from accounts.texts import said, say
from connectors.messages import message

STATE_COLOURS = {
    "new": "info", "takes": "success", "fails": "warning", "given_up": "danger", "off": "default",
}  # fmt: skip
OVERLAPS = [("24", _("a day")), ("168", _("a week")), ("0", _("not at all"))]  # hours
BACK = [
    ("1", _("the last hour")),
    ("24", _("the last 24 hours")),
    ("168", _("the last 7 days")),
    ("0", _("all that are kept")),
]


class EndpointForm(forms.ModelForm):
    types = forms.MultipleChoiceField(
        choices=EventType.choices,
        required=False,
        label=_("Event types"),
        help_text=_("None chosen: all of them."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("url", "owner", "enabled", "types")
        help_texts: ClassVar = {
            "url": _("An https:// address; events are posted to it as JSON, signed with its secret."),
            "owner": _("Only events of this quiz account; empty: of all of them."),
            "enabled": _("One that was given up is enabled again here."),
        }

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            endpoints.check_url(url)
        except ValueError as exc:
            raise forms.ValidationError(said(exc.args[0])) from exc
        return url

    def clean(self) -> dict[str, Any] | None:
        if self.instance.pk is None and endpoints.are_all_taken():
            words = _("There are %(most)s endpoints already: delete one") % {"most": endpoints.MOST}
            raise forms.ValidationError(words)
        return super().clean()


class OverlapForm(forms.Form):
    hours = forms.ChoiceField(
        choices=OVERLAPS,
        initial="24",
        label=_("For how long the former secret signs, too"),
        widget=UnfoldAdminRadioSelectWidget,
    )


class ReplayForm(forms.Form):
    hours = forms.ChoiceField(
        choices=BACK, initial="24", label=_("Events of"), widget=UnfoldAdminRadioSelectWidget
    )


@admin.register(WebhookEndpoint)
class EndpointAdmin(StaffAdmin):
    form = EndpointForm
    nothing_yet = _("Events are read from the API's feed, too; an address gets them as they happen.")
    list_display = ("url", "owner", "state_label", "success", "aside", "trouble")
    actions_detail = ("new_secret", "replay", "remove")
    readonly_fields = ("state_text", "success", "failing", "aside", "trouble", "former")
    fieldsets = (
        (None, {"fields": ("url", "owner", "enabled", "types")}),
        (_("State"), {"fields": (("state_text", "success"), ("failing", "aside"), "trouble", "former")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        return endpoints.live().annotate(waiting=Count("retries"))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_operate_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_operate_permission(request)

    def get_fieldsets(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        return self.fieldsets if obj else self.fieldsets[:1]

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        """As over REST: what is changed counts at once."""
        columns = {name: form.cleaned_data[name] for name in EndpointForm.Meta.fields}
        if change:
            endpoints.change(obj, **columns)
        else:
            made = endpoints.create(**columns)
            obj.pk, obj.secret = made.pk, made.secret

    def response_add(self, request: HttpRequest, obj: WebhookEndpoint, post_url_continue: Any = None) -> Any:
        """The server behind the address can't check anything without the secret."""
        return self._show(request, obj, obj.secret)

    # -- what is shown ---------------------------------------------------------------------------------------

    state_label = column(_("state"), lambda row: _state(row), label=STATE_COLOURS)
    state_text = column(_("state"), lambda row: _state(row)[1])
    success = column(_("last success"), lambda row: when(row.delivered_at) or say("never"))
    failing = column(_("failing since"), lambda row: when(row.failing_since) or None, empty_value="-")
    aside = column(_("put aside"), lambda row: int(row.waiting))
    trouble = column(_("error"), lambda row: said(row.error))

    @display(description=_("the former secret signs until"), empty_value="-")
    def former(self, row: WebhookEndpoint) -> Any:
        over = row.former_until is None or row.former_until < db_clock.now()
        return None if over else when(row.former_until)

    # -- what can be done ------------------------------------------------------------------------------------

    @action(description=_("New secret"), permissions=["operate"], icon="key")
    def new_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self._row(object_id)
        form = OverlapForm(answered(request))
        if not form.is_valid():
            told = [say("The server behind the address must know it; it is shown once, on the next page.")]
            return self.ask_about(
                request, row, Question(say("Make a new secret?"), told, say("Make it"), form=form)
            )
        secret = endpoints.rotate(row, timedelta(hours=int(form.cleaned_data["hours"])))
        note(self, request, row, message("Made a new secret."))
        return self._show(request, row, secret)

    @action(description=_("Post again"), permissions=["operate"], icon="replay")
    def replay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self._row(object_id)
        form = ReplayForm(answered(request))
        if not form.is_valid():
            told = [say("What its server has taken already it gets once more, under the same ids.")]
            return self.ask_about(
                request, row, Question(say("Post events again?"), told, say("Post"), form=form)
            )
        hours = int(form.cleaned_data["hours"])
        since = db_clock.now() - timedelta(hours=hours)
        endpoints.replay(row, endpoints.place_before(since) if hours else 0)
        note(self, request, row, message("Events are posted again."))
        return self.done_with(request, row, say("Events are posted again."))

    @action(description=_("Delete"), permissions=["operate"], icon="delete")
    def remove(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self._row(object_id)
        if confirmed(request):
            note(self, request, row, message("Deleted."))
            endpoints.remove(row)
            return done(request, say("The endpoint is deleted."), self.list_page())
        told = [say("No more events are posted there. Its secret is erased.")]
        return self.ask_about(
            request, row, Question(say("Delete the endpoint?"), told, say("Delete"), danger=True)
        )

    def _show(self, request: HttpRequest, row: WebhookEndpoint, secret: str) -> HttpResponse:
        told = [copyable(secret), say("Copy it now: it is not shown again.")]
        return self.ask_about(request, row, Question(say("The new secret"), told, "", possible=False))

    def _row(self, object_id: str) -> WebhookEndpoint:
        return row_of(endpoints.live(), object_id)


def _state(row: WebhookEndpoint) -> tuple[str, str]:
    if row.disabled_at:
        return "given_up", say("given up")
    if not row.enabled:
        return "off", say("disabled")
    if row.failing_since:
        return "fails", say("takes nothing")
    return ("takes", say("works")) if row.delivered_at else ("new", say("nothing posted yet"))
