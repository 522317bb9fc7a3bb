"""Reconciliations and their findings on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.rest.paging import ListOut
from accounts.rest.writing import writer
from accounts.serializers.events import FindingCountsOut
from connectors.registry import CONNECTORS
from rules.models import Finding, Reconciliation
from rules.outcomes.findings import remedy_of


class ReconciliationOut(serializers.Serializer[Any]):
    """One comparison of an account's deliveries with what its CRM has. It mends nothing by itself."""

    id = serializers.IntegerField(help_text="Our id of it.")
    crm = serializers.ChoiceField(choices=list(CONNECTORS), help_text="Which CRM.")
    crmAccountID = serializers.IntegerField(help_text="`id` of GET /accounts.")
    state = serializers.ChoiceField(
        choices=Reconciliation.State.choices, help_text="Its counts are final once it is done or failed."
    )
    since = serializers.DateTimeField(help_text="Leads that were made at this moment or later,")
    until = serializers.DateTimeField(help_text="and before this one, were compared.")
    complete = serializers.BooleanField(
        help_text="true: the CRM showed all leads of that time. Where not, what it did not show was asked for"
        " one by one, or is among the unchecked."
    )
    compared = serializers.IntegerField(help_text="How many deliveries were compared.")
    unchecked = serializers.IntegerField(
        help_text="How many of them nobody could find out about: the CRM can't be asked or shows only a part."
    )
    findings = FindingCountsOut(help_text="How many of each kind were found.")
    requests = serializers.IntegerField(help_text="What it cost, in requests to the CRM.")
    reason = serializers.CharField(
        help_text="Why it waits or could not be finished; empty where all went well."
    )
    beganAt = serializers.DateTimeField(help_text="When it began.")
    endedAt = serializers.DateTimeField(allow_null=True, help_text="When it ended; null while it goes on.")


class ReconciliationListOut(ListOut):
    items = ReconciliationOut(many=True, help_text="The rows of this page.")


class FindingOut(serializers.Serializer[Any]):
    """Where our books and the CRM differ, for one delivery."""

    id = serializers.IntegerField(help_text="Our id of the finding.")
    kind = serializers.ChoiceField(choices=Finding.Kind.choices, help_text="What differs.")
    deliveryID = serializers.IntegerField(help_text="`id` of GET /deliveries.")
    answerID = serializers.CharField(help_text="The quiz service's own id of the answer.")
    quizID = serializers.IntegerField(help_text="The quiz service's number of the quiz.")
    leads = serializers.ListField(
        child=serializers.CharField(), help_text="The CRM's ids of the leads that it is about."
    )
    expected = serializers.CharField(help_text="Of kind moved: the pipeline that the rule named.")
    actual = serializers.CharField(help_text="Of kind moved: the pipeline that it is in.")
    remedy = serializers.CharField(help_text="What a person can do about it.")
    deed = serializers.CharField(help_text="What a person has done about it; empty where nothing.")


class FindingListOut(ListOut):
    items = FindingOut(many=True, help_text="The rows of this page.")


# A row of which the account is at hand.
write_reconciliation = writer(
    ReconciliationOut,
    crm="account.crm",
    crmAccountID="account_id",
    findings=lambda row: {kind: row.counts.get(kind, 0) for kind in Finding.Kind.values},
    reason="error",
    beganAt="created_at",
)
# A row of which the delivery and its answer are at hand.
write_finding = writer(
    FindingOut, answerID="delivery.answer.answer_id", quizID="delivery.quiz_id", remedy=remedy_of
)
