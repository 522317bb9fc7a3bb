"""Sending a test lead from a rule's page, and having the CRM delete it again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin_base import Question, StaffAdmin, answered, confirmed, done, key_of, note
from accounts.texts import said, say
from connectors.errors import ConnectorError
from connectors.messages import message
from rules import test_leads
from rules.admin.links import page
from rules.admin.rule_preview import answers_of
from rules.mapping.quiz import newest_answers
from rules.models import Delivery, Rule

SAMPLE = "sample"


class TestForm(forms.Form):
    """Which answer the lead is made of."""

    __test__ = False  # it is none, whatever its name says to who collects tests
    answer = forms.ChoiceField(label=gettext_lazy("An answer"), widget=UnfoldAdminSelectWidget)

    def __init__(self, rule: Rule, data: Any = None) -> None:
        super().__init__(data)
        came = [(str(key), words) for key, words in answers_of(rule)]
        choices = [(SAMPLE, _("A made-up answer: a person who is nobody")), *came]
        self.fields["answer"].choices = choices  # type: ignore[attr-defined]


def send(request: HttpRequest, admin: StaffAdmin, rule: Rule) -> HttpResponse:
    """The question, and once it is confirmed the test's own page."""
    form = TestForm(rule, answered(request))
    if not form.is_valid():
        told = [
            say(
                "A lead is made in {account} as for any answer, by the rule as it is saved.",
                account=rule.account,
            ),
            _("It is marked as a test there by its title and a tag, and counted nowhere."),
            _removal(rule),
        ]
        question = Question(_("Send a test lead?"), told, _("Send it"), form=form)
        return admin.ask_about(request, rule, question)
    chosen = form.cleaned_data["answer"]
    answer = newest_answers(rule).filter(pk=key_of(chosen)).first()
    if chosen != SAMPLE and answer is None:
        return admin.done_with(request, rule, _("This answer is not kept any more."), False)
    with transaction.atomic():
        delivery = test_leads.send_test(rule, answer.payload if answer else test_leads.sample_of(rule))
        note(admin, request, rule, message("Sent a test lead: delivery {number}.", number=delivery.pk))
    return done(request, _("The test lead is on its way."), page("rules_delivery", delivery.pk))


def remove(request: HttpRequest, admin: StaffAdmin, delivery: Delivery) -> HttpResponse:
    if not test_leads.removable(delivery):
        told = _("Nothing was changed: there is no test lead to delete.")
        return admin.done_with(request, delivery, told, False)
    if not confirmed(request):
        sentences = [
            say(
                "Lead {lead} of {account} is deleted there.",
                lead=delivery.remote_id,
                account=delivery.account,
            ),
            _("The contact stays: it may be a real person's."),
        ]
        question = Question(
            _("Delete the test lead in the CRM?"), sentences, _("Delete it there"), danger=True
        )
        return admin.ask_about(request, delivery, question)
    try:
        test_leads.remove(delivery)
    except ConnectorError as error:
        told = say("The CRM did not delete it: {reason}", reason=said(error.message))
        return admin.done_with(request, delivery, told, False)
    note(admin, request, delivery, message("Had its test lead deleted in the CRM."))
    return admin.done_with(request, delivery, _("The test lead is deleted in the CRM."))


def _removal(rule: Rule) -> str:
    """What becomes of it afterwards."""
    if test_leads.deletes(rule.account):
        return _("Its page has a button that deletes it in the CRM again.")
    return say(
        "{crm} lets nobody delete leads through its API: delete it there by hand.",
        crm=rule.account.get_crm_display(),
    )
