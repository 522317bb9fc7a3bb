"""Rows that staff write: some CRMs list nothing, so what was observed gets its name from a person.

Which CRMs these are says ``Capabilities.observes``; the rows of all others stay as the CRM told them.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from accounts import db_clock
from accounts.admin_base import StaffAdmin
from accounts.models import Account, live_accounts
from accounts.texts import say
from connectors.registry import CONNECTORS, connector_class


def observing() -> list[str]:
    """The CRMs whose lists are observed."""
    return [kind for kind in CONNECTORS if connector_class(kind).can.observes]


KINDS = {  # of steps, as in ``StepRow``
    "open": _("lead in work"),
    "incoming": _("not sorted yet"),
    "won": _("lead won"),
    "lost": _("lead lost"),
}


class RowForm(forms.ModelForm):
    """A constraint is not asked about columns that a form leaves out, so this asks for a new row's key."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        key = {"remote_id", "account", "entity", "pipeline_id"} & cleaned.keys()
        same = self._meta.model._default_manager.filter(**{name: cleaned[name] for name in key})
        if not self.instance.pk and {"account", "remote_id"} <= key and same.exists():
            raise ValidationError(say("There is such a row already: change that one."))
        return cleaned


class ByHandAdmin(StaffAdmin):
    """``key`` tells a new row from others, ``written`` is what staff may say, ``told`` is computed."""

    form = RowForm
    key: tuple[str, ...] = ("account", "remote_id")
    written: tuple[str, ...] = ("name", "deleted")
    told: tuple[str, ...] = ()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_operate_permission(request) and live_accounts(crm__in=observing()).exists()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and self.has_operate_permission(request) and obj.account.crm in observing()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new row; pages of old ones say more."""
        return [(None, {"fields": (*self.key, *(name for name in self.written if name != "deleted"))})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        columns = [column.name for column in self.opts.fields if column.name not in self.written]
        return (*columns, *self.told)

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        """Fields are mostly those of leads."""
        words = [connector_class(kind).can.entities.get("lead", "") for kind in observing()]
        return {**super().get_changeform_initial_data(request), "entity": next(iter(words), "")}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.remote_field.model is Account:
            kwargs["queryset"] = live_accounts(crm__in=observing())
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "kind":
            named = capfirst(str(db_field.verbose_name))
            return forms.ChoiceField(choices=KINDS.items(), label=named, widget=UnfoldAdminSelectWidget)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """From now on walks leave the row alone."""
        obj.by_hand, obj.synced_at = True, db_clock.now()
        super().save_model(request, obj, form, change)
