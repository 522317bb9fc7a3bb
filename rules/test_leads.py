"""Test leads: staff send one to see what a rule really makes. It goes the ordinary way, is marked in the CRM,
is followed, and is counted nowhere; where the CRM can, it is deleted there again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.access import connector_for
from accounts.models import Account
from connectors.messages import translate
from connectors.registry import connector_class
from rules.mapping.drafting import TEST
from rules.mapping.payload import digest
from rules.mapping.person import contact_keys, contact_of, keys_of
from rules.mapping.quiz import all_questions
from rules.models import Answer, Delivery, Outcome, Rule
from rules.outcomes import following
from rules.planning import begun, wake

TYPED = {"number": "42", "date": "2030-01-31", "phone": "+79990000000", "email": "test@example.com"}


def sample_of(rule: Rule) -> dict[str, Any]:
    """An answer that nobody gave: something for each question that we know of, and a person who is nobody."""
    word = translate(TEST, settings.NOTE_LANGUAGE)
    answers = [
        {
            "questionID": question,
            "question": words.get("title") or question,
            "answer": next(iter(words.get("options") or ()), TYPED.get(words.get("type", ""), word)),
        }
        for question, words in all_questions(rule).items()
    ]
    contact = {"name": word, "phone": TYPED["phone"], "email": TYPED["email"]}
    return {"answers": answers, "contact": contact, "utm": {"source": "test"}}


def send_test(rule: Rule, payload: Mapping[str, Any]) -> Delivery:
    """A test answer with this body, and its delivery by this rule alone."""
    body = {key: value for key, value in payload.items() if key != "complete"}
    body |= {"quizID": rule.quiz_id, "answerID": f"test-{secrets.token_hex(6)}"}
    with transaction.atomic():
        answer = Answer.objects.create(
            account_id=rule.account.account_id,
            quiz_id=rule.quiz_id,
            answer_id=body["answerID"],
            payload=body,
            digest=digest(body),
            contact_keys=keys_of(body),
            test=True,
        )
        row = begun(answer, rule)
        row.test = True
        row.contact_keys = contact_keys(contact_of(body), rule.account.phone_region)
        row.save()
        wake([row])
    return row


def deletes(account: Account) -> bool:
    """Can this CRM be asked to delete a lead?"""
    return connector_class(account.crm).can.deletes_leads


def removable(delivery: Delivery) -> bool:
    """Is it a test's lead that is there, in a CRM that can delete leads?"""
    there = delivery.test and delivery.delivered_at and delivery.remote_id and not delivery.removed_at
    return bool(there and delivery.account.usable and deletes(delivery.account))


def remove(delivery: Delivery) -> None:
    """Have the CRM delete a test's lead; one that is gone already is fine. Raises ``ConnectorError``."""
    if not removable(delivery):
        raise ValueError(f"delivery {delivery.pk} is no test, or its lead can't be deleted")
    outcome = Outcome.objects.select_related("delivery__rule").get(delivery=delivery)
    connector_for(delivery.account).delete_lead(following.followed(outcome))
    Delivery.objects.filter(pk=delivery.pk).update(removed_at=timezone.now())
    following.look_now(Outcome.objects.filter(pk=outcome.pk))
