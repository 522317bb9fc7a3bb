"""What a person does about an outcome: have it looked at now, or say which record of the CRM it is."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.admin_base import Question, StaffAdmin, ask, chosen_rows, confirmed, done, note, plural
from accounts.models import Account
from connectors.lead_status import BY_HAND
from connectors.registry import CONNECTORS, connector_class
from rules.models import Outcome
from rules.outcomes import following

MOST_AT_ONCE = 20_000
LATER = "Deliveries go first: while its account has some to send, the look waits."


def rows() -> QuerySet[Outcome]:
    return Outcome.objects.select_related("account", "delivery__answer", "delivery__rule").defer(
        "account__facts", "delivery__answer__payload", "delivery__losses", "delivery__rule__quiz"
    )


def possible(row: Outcome) -> set[str]:
    """The names of the actions that make sense."""
    can = connector_class(row.account.crm).can
    if row.account.deleted:
        return set()
    by_hand = row.matched == BY_HAND
    unfound = row.seen_at is not None and not row.record
    found = {"look_now"} if row.account.usable and can.follow else set()
    found |= {"name_record"} if can.records and (can.observes or unfound or by_hand) else set()
    return found | ({"forget_record"} if by_hand else set())


# -- looking now ---------------------------------------------------------------------------------------------


def look(
    request: HttpRequest, admin: StaffAdmin, chosen: QuerySet[Outcome], action: str, back: str
) -> HttpResponse:
    """A look changes nothing in the CRM, so nobody's history tells of it."""
    kinds = [kind for kind in CONNECTORS if connector_class(kind).can.follow]
    active = {"account__state": Account.State.ACTIVE, "account__deleted": False, "account__crm__in": kinds}
    seen = list(chosen.filter(**active).order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])
    if confirmed(request):
        asked = following.look_now(Outcome.objects.filter(pk__in=seen))
        told = f"{plural(asked, 'lead')} will be looked at now." if asked else "Nobody can look at these now."
        return done(request, told, back, asked > 0)
    left = chosen.order_by().count() - len(seen)
    return ask(
        request, admin, _question(len(seen), left, back, chosen_rows(request, action) if action else [])
    )


def _question(asked: int, left: int, back: str, hidden: list[tuple[str, str]]) -> Question:
    told = [f"The CRM is asked how {plural(asked, 'lead')} stand{'s' if asked == 1 else ''} now. {LATER}"]
    if left:
        told.append(f"{plural(left, 'lead')} will be left alone: no active account, or too many at once.")
    return Question(
        f"Look at {plural(asked, 'lead')} now?",
        told,
        "Look now",
        possible=asked > 0,
        back=back,
        hidden=hidden,
    )


# -- which record it is --------------------------------------------------------------------------------------


class RecordForm(forms.Form):
    """``kinds`` are what a lead may be in its CRM. Every one of them numbers its records."""

    record = forms.ChoiceField(label="What it is there", widget=UnfoldAdminSelectWidget)
    record_id = forms.RegexField(
        r"^\s*[0-9]{1,19}\s*$",
        label="Its number",
        help_text="As the CRM shows it, mostly the last part of the page's address.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "inputmode": "numeric"}),
        error_messages={"invalid": "A number is needed."},
    )

    def __init__(self, data: Any, row: Outcome) -> None:
        known = {"record": row.record, "record_id": row.record_id} if row.record else {}
        super().__init__(data, initial=known)
        kinds = connector_class(row.account.crm).can.records
        self.fields["record"].choices = [(kind, kind) for kind in kinds]  # type: ignore[attr-defined]


def name_record(request: HttpRequest, admin: StaffAdmin, row: Outcome) -> HttpResponse:
    form, back = RecordForm(request.POST if confirmed(request) else None, row), admin.page_of(row)
    if "name_record" not in possible(row):
        return done(request, "Nothing was changed: this lead was found in its CRM.", back, False)
    if confirmed(request) and form.is_valid():
        said = {name: form.cleaned_data[name].strip() for name in ("record", "record_id")}
        named = f"{said['record']} {said['record_id']}"
        with transaction.atomic():
            following.name_record(row, **said)
            note(admin, request, row, f"Said that it is {named}; before: {_known(row)}.")
        look = "looked at now" if row.account.usable else "looked at once its account is active"
        return done(request, f"It is {named}, and {look}.{_twin(row, **said)}", back)
    told = [
        f"Find the lead of answer {row.delivery.answer.answer_id} in {row.account}; name what it is there.",
        "From then on the CRM is asked about that record. What was seen of another one is forgotten here.",
    ]
    question = Question("Which record is it?", told, "It is this record", form=form, back=back)
    return ask(request, admin, question)


def _twin(row: Outcome, record: str, record_id: str) -> str:
    """Two answers of one person may end in one record, so that is told and not refused."""
    same = Outcome.objects.filter(account=row.account_id, record=record, record_id=record_id)
    other = same.exclude(pk=row.pk).first()
    return f" The lead of delivery {other.delivery_id} is that record, too." if other else ""


def forget_record(request: HttpRequest, admin: StaffAdmin, row: Outcome) -> HttpResponse:
    back = admin.page_of(row)
    if row.matched != BY_HAND:
        return done(request, "Nothing was changed: no person has named its record.", back, False)
    if confirmed(request):
        with transaction.atomic():
            following.forget_record(row)
            note(admin, request, row, f"Said that it is not {_known(row)}.")
        return done(request, f"It is not {_known(row)}; the CRM is asked anew.", back)
    told = [f"A person said that it is {_known(row)}.", "That is forgotten, and the CRM is asked anew."]
    return ask(request, admin, Question(f"It is not {_known(row)}?", told, "It is not", back=back))


def _known(row: Outcome) -> str:
    return f"{row.record or 'lead'} {row.record_id}" if row.record_id else "not found"
