"""A quiz account's CRM accounts on the wire: how they are, and what waits for whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rest_framework import serializers

from accounts.crm_settings import label_of
from accounts.models import Account
from accounts.rest.writing import writer
from connectors.messages import message
from connectors.registry import CONNECTORS
from crm_cache.runs import ListState

State = Account.State


class ListStateOut(serializers.Serializer[Any]):
    """``complete`` is false until the list was read to its end since the account was last connected."""

    syncedAt = serializers.DateTimeField(
        allow_null=True, help_text="When it was last read to its end; null before the first time."
    )
    complete = serializers.BooleanField(
        help_text="It was read to its end since the account was last connected."
    )
    running = serializers.BooleanField(help_text="It is being read, or waits for its turn.")
    error = serializers.CharField(help_text="Why the last reading failed, or what it waits for.")


class QuizProblemsOut(serializers.Serializer[Any]):
    quizID = serializers.IntegerField(help_text="The quiz service's number of the quiz.")
    title = serializers.CharField(help_text="Empty where no rule was sent with it.")
    problems = serializers.IntegerField(help_text="How many problems its rule has.")


class CrmAccountOut(serializers.Serializer[Any]):
    """One CRM account, connected or disconnected. Where ``why`` is not empty, ``remedy`` says what to do."""

    id = serializers.IntegerField(help_text="Our id of the account.")
    crm = serializers.ChoiceField(choices=list(CONNECTORS), help_text="Which CRM.")
    remoteID = serializers.CharField(help_text="The CRM's own id; empty until it is authorised.")
    name = serializers.CharField(help_text="What the account is called in the CRM.")
    host = serializers.CharField(help_text="Where it is: the host of the customer's CRM.")
    state = serializers.ChoiceField(choices=State.choices, help_text="Whether leads can be sent to it.")
    since = serializers.DateTimeField(help_text="Since when it has been in this state.")
    why = serializers.CharField(
        help_text="What brought it into this state, for people; empty where all is well."
    )
    remedy = serializers.CharField(
        help_text="What its owner does about it; empty where nothing needs to be done."
    )
    connectedAt = serializers.DateTimeField(
        allow_null=True, help_text="When it was last connected; null before the first time."
    )
    expiresAt = serializers.DateTimeField(
        allow_null=True, help_text="When its access ends unless it is renewed, which happens by itself."
    )
    lists = serializers.DictField(
        child=ListStateOut(),
        help_text="How current each list is, by its name in the paths: users, pipelines, steps, "
        "fields, tags.",
    )
    rules = serializers.IntegerField(help_text="How many rules it has.")
    ruleProblems = QuizProblemsOut(many=True, help_text="The rules that have problems.")
    waiting = serializers.IntegerField(help_text="Deliveries that go on by themselves.")
    held = serializers.DictField(
        child=serializers.IntegerField(), help_text="Deliveries that wait for something, by heldBecause."
    )
    oldestWaiting = serializers.DateTimeField(
        allow_null=True, help_text="Since when the oldest of all these has waited."
    )


class CrmAccountListOut(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="How many accounts there are, on all pages.")
    items = CrmAccountOut(many=True, help_text="The rows of this page.")


@dataclass
class Work:
    """What hangs on an account: its live rules, those with problems, and its undelivered answers."""

    rules: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)
    waiting: int = 0
    held: dict[str, int] = field(default_factory=dict)
    oldest: datetime | None = None


def write_account(
    account: Any, lists: Mapping[str, ListState], work: Work, in_its_place: Account | None
) -> dict[str, Any]:
    """``account`` has ``token_until`` annotated; ``in_its_place`` is the live account of the same CRM."""
    return {
        "id": account.pk,
        "crm": account.crm,
        "remoteID": account.remote_id,
        "name": account.name,
        "host": account.host,
        "state": account.state,
        "since": account.state_since,
        "why": account.state_reason,
        "remedy": remedy_for(account, in_its_place),
        "connectedAt": account.connected_at,
        "expiresAt": account.token_until,
        "lists": {what: _write_list(state) for what, state in lists.items()},
        "rules": work.rules,
        "ruleProblems": work.problems,
        "waiting": work.waiting,
        "held": work.held,
        "oldestWaiting": work.oldest,
    }


_write_list = writer(ListStateOut)


def remedy_for(account: Account, in_its_place: Account | None = None) -> str:
    """What its owner can do; empty where nothing needs to be done."""
    crm, called = label_of(account.crm), account.name or account.host or account.remote_id
    if account.deleted and in_its_place and in_its_place.pk != account.pk:
        other = in_its_place.name or in_its_place.host or message("another {crm} account", crm=crm)
        return message(
            "{other} is connected in its place: disconnect that one first to connect {called} again.",
            other=other,
            called=called,
        )
    return {
        State.CONNECTING: message("Finish connecting {crm}: open the link and allow access.", crm=crm),
        State.NEEDS_RECONNECT: message(
            "Connect {crm} again and choose {called}: what waits goes on by itself.", crm=crm, called=called
        ),
        State.PAUSED: message("The operator of this service resumes it."),
        State.DISCONNECTED: message(
            "Connect {called} again: its rules, and what waits, go on.", called=called
        ),
    }.get(State(account.state), "")
