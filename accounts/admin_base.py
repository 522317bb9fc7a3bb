"""What all pages of the operator's desk share: rows nobody edits or deletes, and questions before deeds.

A viewer sees states and errors. An operator (whoever may ``change`` a model) also sees who answered, and
acts. Whole answers and what was said to the CRMs are for whoever may ``view_payload``. Actions call the
functions that workers call; no page writes a state.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.views import ChangeList

from accounts.rest.paging import count_to
from accounts.texts import said, say
from connectors.messages import from_column, to_column

COUNT_TO = 10_000
Row = TypeVar("Row", bound=Model)


def key_of(object_id: str) -> int:
    """The key in an address; no row has 0, which stands for what is no key."""
    return int(object_id) if object_id.isascii() and object_id.isdecimal() else 0


def row_of(rows: type[Row] | QuerySet[Row], object_id: str) -> Row:
    """The one of an address. Raises ``Http404``."""
    return get_object_or_404(rows, pk=key_of(object_id))


class CappedPaginator(Paginator):
    """Counts no further than somebody would page, so that a list of a million rows opens like a short one."""

    template_name = "admin/desk/pagination.html"

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return count_to(COUNT_TO, rows)

    @property
    def capped(self) -> bool:
        return self.count == COUNT_TO

    def page(self, number: Any) -> Any:
        """Which rows first, by an index alone, and then the rows with all that is joined to them. Past the
        end of a list that has become shorter is its last page, with the same filters."""
        number = self.validate_number(min(number, self.num_pages))
        rows: Any = self.object_list
        start = (number - 1) * self.per_page
        keys = list(rows.values_list("pk", flat=True)[start : start + self.per_page])
        return self._get_page(rows.filter(pk__in=keys), number, self)  # type: ignore[attr-defined]


class StaffChangeList(ChangeList):
    page_num: int

    def get_results(self, request: HttpRequest) -> None:
        """The heading would compare with the full number of rows, which we don't count."""
        super().get_results(request)
        self.full_result_count = self.result_count
        self.page_num = min(self.page_num, self.paginator.num_pages)


class SiteAdmin(ModelAdmin):
    """Any model's pages, at whatever address somebody types."""

    paginator: Any = CappedPaginator

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """An empty ``_to_field`` names no field."""
        return super().get_object(request, object_id, from_field or None)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """Django's sentence fits no noun of ours, and it leads away from the list."""
        return done(request, say("There is no such row: it may have been deleted."), self.list_page(), False)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if ERROR_FLAG in request.GET:  # Django has led here
            messages.warning(request, say("The address had a filter unknown to this list, so all is shown."))
        return super().changelist_view(request, {**self._titled(), **(extra_context or {})})

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        titled = self._titled() if object_id else self._titled_anew()
        return super().changeform_view(request, object_id, form_url, {**titled, **(extra_context or {})})

    def list_page(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def _titled(self) -> dict[str, Any]:
        """The window's title: Django's sentences ask for a noun in a case that it does not have."""
        return {"title": capfirst(str(self.opts.verbose_name_plural))}

    def _titled_anew(self) -> dict[str, Any]:
        model = capfirst(str(self.opts.verbose_name))
        return {"title": say("{model}: {verb}", model=model, verb=say("add"))}


class StaffAdmin(SiteAdmin):
    """Read-only pages; what may be done there are actions that ask for ``operate``. ``nothing_yet`` says of
    an empty list how rows come into it. A row's page that is ``drawn`` by its template has no fields."""

    nothing_yet: Any = ""
    drawn = False

    list_per_page = 50
    list_filter_submit = True
    list_fullwidth = True
    show_full_result_count = False
    show_facets = "never"
    ordering = ("-id",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return StaffChangeList

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        told = self.told_of(request, key_of(object_id))
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **told})

    def told_of(self, request: HttpRequest, key: int) -> dict[str, Any]:
        """What the template of a row's page tells beside its columns."""
        return {}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [] if self.drawn else super().get_fieldsets(request, obj)

    @display(description=_("account"), header=True)
    def account_name(self, row: Any) -> tuple[str, str]:
        """A column for lists of what accounts have."""
        account = row.account
        return account.called, account.get_crm_display()

    def only(self, actions: list[Any], possible: Collection[str]) -> list[Any]:
        """Of a page's actions those whose names make sense for its row."""
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        return [one for one in actions if one.action_name.removeprefix(prefix) in possible]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """May this person act on rows, and read who answered?"""
        codename = get_permission_codename("change", self.opts)
        return bool(request.user.has_perm(f"{self.opts.app_label}.{codename}"))

    def has_payload_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """May this person read whole answers, and what was said to the CRMs?"""
        return bool(request.user.has_perm("rules.view_payload"))

    @staticmethod
    def require(allowed: bool) -> None:
        """For pages beside the theme's actions, which check by themselves. Raises ``PermissionDenied``."""
        if not allowed:
            raise PermissionDenied

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """What was done, in the reader's language."""
        response: HttpResponse = super().history_view(request, object_id, extra_context)
        for entry in getattr(response, "context_data", {}).get("action_list", ()):
            entry.change_message = said(from_column(entry.change_message))
        return response

    def ask_about(self, request: HttpRequest, row: Model, question: Question) -> HttpResponse:
        """The question; whoever thinks better of it comes back to the row's page."""
        question.back = self.page_of(row)
        return ask(request, self, question)

    def done_with(
        self, request: HttpRequest, row: Model, sentence: str, happened: bool = True
    ) -> HttpResponse:
        """Back to the row's page, with what has happened."""
        return done(request, sentence, self.page_of(row), happened)

    def page_of(self, row: Model) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])


@dataclass
class Question:
    """What a person is asked before something happens; ``sentences`` say what it will touch, with numbers,
    ``sample`` what it would do with the first ones."""

    title: str
    sentences: Iterable[str]
    button: str
    warnings: Iterable[str] = ()
    form: forms.Form | None = None
    danger: bool = False
    possible: bool = True
    back: str = ""
    hidden: list[tuple[str, str]] = field(default_factory=list)
    sample: dict[str, Any] | None = None


def ask(request: HttpRequest, admin: StaffAdmin, question: Question) -> HttpResponse:
    """The page with the question. Its form comes back to the same address."""
    back = question.back or admin.list_page()
    return framed(request, admin, "admin/desk/ask.html", question.title, question=question, back=back)


def framed(
    request: HttpRequest, admin: StaffAdmin, template: str, title: Any, **context: Any
) -> TemplateResponse:
    """A page of our own with what is around every page; ``back`` leads to the list unless it is said."""
    request.current_app = admin.admin_site.name
    around = {**admin.admin_site.each_context(request), "title": title, "opts": admin.opts}
    back = {} if "back" in context else {"back": admin.list_page()}
    return TemplateResponse(request, template, {**around, **back, **context})


def confirmed(request: HttpRequest) -> bool:
    """Is this the answer to a question that was asked?"""
    return request.method == "POST" and request.POST.get("confirmed") == "yes"


def answered(request: HttpRequest) -> Any:
    """What a question's form was filled with; None while it is still to be asked, and no form is valid."""
    return request.POST if confirmed(request) else None


def chosen_rows(request: HttpRequest, action: str) -> list[tuple[str, str]]:
    """What a list's action has to be sent again with its confirmation."""
    keys = request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
    across = request.POST.get("select_across", "0")
    return [
        ("action", action),
        ("select_across", across),
        *((helpers.ACTION_CHECKBOX_NAME, key) for key in (keys[:1] if across == "1" else keys)),
    ]


def done(request: HttpRequest, sentence: str, back: str, happened: bool = True) -> HttpResponse:
    """Back to where the person came from, with what has happened."""
    messages.add_message(request, messages.SUCCESS if happened else messages.WARNING, sentence)
    return HttpResponseRedirect(back)


def note(admin: StaffAdmin, request: HttpRequest, row: Model, sentence: str) -> None:
    """Who did what, for the row's history."""
    admin.log_change(request, row, to_column(sentence))


def note_all(request: HttpRequest, rows: QuerySet[Any], sentence: str) -> None:
    """The same for many rows, in one statement."""
    LogEntry.objects.log_actions(
        user_id=int(request.user.pk or 0),
        queryset=rows,
        action_flag=CHANGE,
        change_message=to_column(sentence),
    )


def column(description: Any, told: Callable[[Any], Any], **options: Any) -> Any:
    """A column of a list, or a field of a page: what ``told`` says of a row. The rest is ``display``'s."""

    @display(description=description, **options)
    def shown(page: ModelAdmin, row: Model) -> Any:
        return told(row)

    return shown


def badge(description: Any, name: str, colours: Mapping[Any, str], **options: Any) -> Any:
    """A column with the label of a choice, in the colour of its value."""
    return column(
        description,
        lambda row: (getattr(row, name), getattr(row, f"get_{name}_display")()),
        label=colours,
        **options,
    )


def link(url: str, text: str, new: bool = False) -> SafeString:
    target = SafeString(' target="_blank" rel="noopener noreferrer"') if new else ""
    return format_html('<a class="desk-link" href="{}"{}>{}</a>', url, target, text)


def copyable(text: str) -> SafeString | str:
    """An id or an address with a button that copies it (``desk/copy.js``)."""
    return format_html("<span data-copy>{}</span>", text) if text else ""


def when(moment: datetime | None, short: bool = False) -> SafeString | str:
    """A moment that keeps to one line of a list; ``short``, for many columns, leaves this year out."""
    if moment is None:
        return ""
    here = timezone.localtime(moment)
    this_year = short and here.year == timezone.localtime().year
    text = f"{here:%d.%m %H:%M}" if this_year else f"{here:%d.%m.%Y %H:%M}"
    return format_html('<span class="desk-nowrap">{}</span>', text)


def wide(text: str) -> Any:
    """A sentence in a list's cell, which would be a word wide otherwise."""
    return format_html('<span class="desk-wide">{}</span>', text) if text else ""


def short(text: str) -> SafeString | str:
    """A long id in a list: its beginning, whole when pointed at."""
    return format_html('<span class="desk-short" title="{0}">{0}</span>', text) if text else ""
