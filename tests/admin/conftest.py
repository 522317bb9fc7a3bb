"""The staff and what they look after: a flower shop with rows in every list, and a secret nobody may see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Token
from crm_cache.models import CrmUser, Field, Pipeline, Step, SyncRun, Tag
from rules.models import Answer, Attempt, Delivery, Outcome, Rule

SECRETS = ("plain-access-9f31c", "plain-refresh-7be20", "leaked-in-an-url-55aa", "leaked-in-a-body-66bb")
PERSONAL = ("+79160001122", "Anna Personal", "что-то личное")


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lanes that were woken. What pages keep for a while is forgotten."""
    cache.clear()
    lanes: list[int] = []
    for module in ("rules.admin.deciding", "rules.bulk", "rules.planning", "rules.rule_save"):
        monkeypatch.setattr(f"{module}.wake_lanes", lanes.extend)
    monkeypatch.setattr("rules.rule_save.ask_to_prepare", lambda rule_id: None)
    monkeypatch.setattr("crm_cache.runs.start", lambda account_ids: None)
    return lanes


def staff(group: str) -> Client:
    """A person of this group; the groups are there in every database of tests."""
    person, _ = User.objects.get_or_create(username=group, is_staff=True)
    person.groups.set([Group.objects.get(name=group)])
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def viewer(db: None) -> Client:
    return staff("viewer")


@pytest.fixture
def operator(db: None) -> Client:
    return staff("operator")


@pytest.fixture
def administrator(db: None) -> Client:
    return staff("administrator")


@pytest.fixture
def superuser(db: None) -> Client:
    client = Client()
    person = User.objects.create_superuser("root")
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def shop(db: None) -> Account:
    """Connected, synced, signed in with secrets that are known here and nowhere else."""
    return open_shop("shop", "Flower shop")


def open_shop(account_id: str, name: str) -> Account:
    account = Account.objects.create(
        account_id=account_id, crm="amocrm", remote_id=f"30{account_id}", host="flowers.amocrm.ru", name=name,
        state="active", connected_at=timezone.now(), facts={"application_token": SECRETS[0]},
    )  # fmt: skip
    Token.objects.create(
        account=account, access=SECRETS[0], refresh=SECRETS[1], expires_at=timezone.now(),
        last_error=f"POST /token?refresh_token={SECRETS[2]} refused",
    )  # fmt: skip
    CrmUser.objects.create(account=account, remote_id="901", name="Маша", details={"token": SECRETS[3]})
    CrmUser.objects.create(account=account, remote_id="902", name="Олег")
    Pipeline.objects.create(account=account, remote_id="70", name="Sales")
    Step.objects.create(account=account, pipeline_id="70", remote_id="142", name="New order")
    Pipeline.objects.create(account=account, remote_id="71", name="Wholesale")
    Step.objects.create(account=account, pipeline_id="71", remote_id="142", name="Big order")
    Field.objects.create(account=account, entity="leads", remote_id="5000", name="Which bouquet", type="text")
    Tag.objects.create(account=account, entity="leads", remote_id="321", name="from a quiz")
    SyncRun.objects.create(account=account, what="tags", state="failed", error="amoCRM was silent")
    return account


@pytest.fixture
def rule(shop: Account) -> Rule:
    return rule_of(shop)


def rule_of(account: Account, quiz_id: int = 101) -> Rule:
    return Rule.objects.create(
        account=account, quiz_id=quiz_id, performer="901", pipeline="70", step="142",
        fields_rule={"lead": [{"QuestionID": {"1": 5000}}]},
        problems=[{"code": "tag_gone", "message": "Tag 7 is not in the CRM any more.", "field": "TagsToAdd"}],
        prepared_at=timezone.now(),
    )  # fmt: skip


@pytest.fixture
def deliver(rule: Rule) -> Callable[..., Delivery]:
    """A delivery of the rule, with an answer and one try; where it is delivered, also what became of it."""

    def deliver(state: str = "waiting", rule: Rule = rule, **values: Any) -> Delivery:
        number = Answer.objects.count() + 1
        answer = Answer.objects.create(
            account_id=rule.account.account_id, quiz_id=rule.quiz_id, answer_id=f"a-{number}", digest="x",
            payload={"quizID": rule.quiz_id, "contact": {"name": PERSONAL[1], "phone": PERSONAL[0]}},
        )  # fmt: skip
        if state == "held":
            values = {
                "held_because": "refused",
                "error": "amoCRM refuses it",
                "remedy": "Ask them.",
                **values,
            }
        made = Delivery.objects.create(
            answer=answer, rule=rule, account=rule.account, owner=answer.account_id, quiz_id=rule.quiz_id,
            uid=f"qzmark{number}", state=state, contact_keys=[f"phone:{PERSONAL[0]}"],
            losses=[{"question": "When?", "value": PERSONAL[2], "reason": "no date"}], **values,
        )  # fmt: skip
        Attempt.objects.create(
            delivery=made, number=1, started_at=timezone.now(), outcome="give_up",
            message="amoCRM refuses it", exchanges=[exchange()],
        )  # fmt: skip
        if state == "delivered":
            outcome_of(made)
        return made

    return deliver


def outcome_of(delivery: Delivery, **values: Any) -> Outcome:
    """A deal whose contact and details only operators may read."""
    found = {
        "record": "lead", "record_id": f"15{delivery.pk}", "step": "142", "step_name": "New order",
        "performer": "901", "performer_name": "Маша", "amount": "54000", "currency": "RUB",
        "seen_at": timezone.now(), "next_look_at": timezone.now(), "link": "https://flowers.amocrm.ru/leads/1",
        "contact": {"name": PERSONAL[1], "phone": PERSONAL[0]},
        "details": {"comment": PERSONAL[2], "token": f"access_token={SECRETS[3]}"}, **values,
    }  # fmt: skip
    return Outcome.objects.create(
        delivery=delivery, account=delivery.account, owner=delivery.owner, quiz_id=delivery.quiz_id, **found
    )


def exchange() -> dict[str, Any]:
    return {
        "method": "POST", "url": f"https://flowers.amocrm.ru/leads?access_token={SECRETS[2]}", "status": 400,
        "request": f'{{"phone": "{PERSONAL[0]}"}}', "response": f'{{"access_token": "{SECRETS[3]}"}}',
        "seconds": 0.1,
    }  # fmt: skip
