"""What a person does about an outcome: have it looked at now, or say which record of the CRM it is."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.admin_base import Question, StaffAdmin, answered, ask, chosen_rows, confirmed, done, note
from accounts.models import Account
from accounts.texts import said, say, say_many
from connectors.lead_status import BY_HAND
from connectors.messages import message
from connectors.registry import CONNECTORS, connector_class
from rules.admin.lead_status import KINDS, called
from rules.models import Outcome
from rules.outcomes import following

MOST_AT_ONCE = 20_000
LATER = _("Deliveries go first: while its account has some to send, the look waits.")


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
        told = (
            say_many("{count} lead will be looked at now.", "{count} leads will be looked at now.", asked)
            if asked
            else say("Nobody can look at these now.")
        )
        return done(request, told, back, asked > 0)
    left = chosen.order_by().count() - len(seen)
    return ask(
        request, admin, _question(len(seen), left, back, chosen_rows(request, action) if action else [])
    )


def _question(asked: int, left: int, back: str, hidden: list[tuple[str, str]]) -> Question:
    told = [
        say_many(
            "The CRM is asked how {count} lead stands now. {later}",
            "The CRM is asked how {count} leads stand now. {later}",
            asked,
            later=LATER,
        )
    ]
    if left:
        told.append(
            say_many(
                "{count} lead will be left alone: no active account, or too many at once.",
                "{count} leads will be left alone: no active account, or too many at once.",
                left,
            )
        )
    return Question(
        say_many("Look at {count} lead now?", "Look at {count} leads now?", asked),
        told,
        say("Look now"),
        possible=asked > 0,
        back=back,
        hidden=hidden,
    )


# -- which record it is --------------------------------------------------------------------------------------


class RecordForm(forms.Form):
    """``kinds`` are what a lead may be in its CRM. Every one of them numbers its records."""

    record = forms.ChoiceField(label=_("What it is there"), widget=UnfoldAdminSelectWidget)
    record_id = forms.RegexField(
        r"^\s*[0-9]{1,19}\s*$",
        label=_("Its number"),
        help_text=_("As the CRM shows it, mostly the last part of the page's address."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "inputmode": "numeric"}),
        error_messages={"invalid": _("A number is needed.")},
    )

    def __init__(self, data: Any, row: Outcome) -> None:
        known = {"record": row.record, "record_id": row.record_id} if row.record else {}
        super().__init__(data, initial=known)
        kinds = connector_class(row.account.crm).can.records
        self.fields["record"].choices = [(kind, said(KINDS.get(kind, kind))) for kind in kinds]  # type: ignore[attr-defined]


def name_record(request: HttpRequest, admin: StaffAdmin, row: Outcome) -> HttpResponse:
    if "name_record" not in possible(row):
        return admin.done_with(
            request, row, say("Nothing was changed: this lead was found in its CRM."), False
        )
    form = RecordForm(answered(request), row)
    if form.is_valid():
        chosen = {name: form.cleaned_data[name].strip() for name in ("record", "record_id")}
        named = called(**chosen)
        with transaction.atomic():
            following.name_record(row, **chosen)
            note(
                admin,
                request,
                row,
                message("Said that it is {named}; before: {known}.", named=named, known=_known(row)),
            )
        look = say("looked at now") if row.account.usable else say("looked at once its account is active")
        told = say("It is {named}, and {look}. {twin}", named=named, look=look, twin=_twin(row, **chosen))
        return admin.done_with(request, row, told.strip())
    sentences = [
        say(
            "Find the lead of answer {answer_id} in {account}; name what it is there.",
            answer_id=row.delivery.answer.answer_id,
            account=row.account,
        ),
        say(
            "From then on the CRM is asked about that record. What was seen of another one is forgotten here."
        ),
    ]
    question = Question(say("Which record is it?"), sentences, say("It is this record"), form=form)
    return admin.ask_about(request, row, question)


def _twin(row: Outcome, record: str, record_id: str) -> str:
    """Two answers of one person may end in one record, so that is told and not refused."""
    same = Outcome.objects.filter(account=row.account_id, record=record, record_id=record_id)
    other = same.exclude(pk=row.pk).first()
    return (
        say("The lead of delivery {delivery_id} is that record, too.", delivery_id=other.delivery_id)
        if other
        else ""
    )


def forget_record(request: HttpRequest, admin: StaffAdmin, row: Outcome) -> HttpResponse:
    if row.matched != BY_HAND:
        return admin.done_with(
            request, row, say("Nothing was changed: no person has named its record."), False
        )
    if confirmed(request):
        with transaction.atomic():
            following.forget_record(row)
            note(admin, request, row, message("Said that it is not {known}.", known=_known(row)))
        return admin.done_with(
            request, row, say("It is not {known}; the CRM is asked anew.", known=_known(row))
        )
    told = [
        say("A person said that it is {known}.", known=_known(row)),
        say("That is forgotten, and the CRM is asked anew."),
    ]
    question = Question(say("It is not {known}?", known=_known(row)), told, say("It is not"))
    return admin.ask_about(request, row, question)


def _known(row: Outcome) -> str:
    return called(row.record, row.record_id) if row.record_id else message("not found")
