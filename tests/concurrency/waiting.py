"""Deliveries that wait, without a CRM: for what happens to rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Account
from rules.models import Answer, Delivery, Rule
from rules.planning import new_uid

QUIZ = 42


@pytest.fixture
def account(transactional_db: None) -> Account:
    return Account.objects.create(account_id="shop", crm="amocrm", state="active", remote_id="1")


@pytest.fixture
def deliveries(account: Account) -> Callable[..., list[Delivery]]:
    """Makes due deliveries of an account (the shop's where none is named), each of somebody else."""

    def make(count: int, of: Account | None = None, **values: Any) -> list[Delivery]:
        owner = of or account
        rule, _ = Rule.objects.get_or_create(account=owner, quiz_id=QUIZ)
        answers = Answer.objects.bulk_create(
            Answer(account_id=owner.account_id, quiz_id=QUIZ, answer_id=new_uid(), payload={}, digest="")
            for _ in range(count)
        )
        return Delivery.objects.bulk_create(
            Delivery(
                **{
                    "answer": answer, "rule": rule, "account": owner, "owner": owner.account_id,
                    "quiz_id": QUIZ, "uid": new_uid(), "contact_keys": [f"phone:{answer.pk}"], **values,
                }
            )
            for answer in answers
        )  # fmt: skip

    return make
