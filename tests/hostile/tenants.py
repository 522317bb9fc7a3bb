"""Two quiz accounts side by side: what one of them owns, the other may not even suspect.

A route's ``<int:answer_pk>`` is an id of the model ``Answer``. A new model that is named so in a route wants
a row here; the test that needs it says so.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import connection
from django.utils import timezone

from accounts.models import Account, Hook
from connectors.registry import CONNECTORS
from crm_cache.models import Step
from rules.models import Answer, Attempt, Delivery, Finding, Outcome, Reconciliation, Rule

OURS = ("accounts", "crm_cache", "rules")
QUIZ, NOBODYS = 42, 987_654
HOSTS = {"amocrm": "amocrm.ru", "bitrix24": "bitrix24.ru", "envybox": "envycrm.com", "solos": "solos.pro"}
SECRET_OF_HOOK = "known-to-the-crm-alone"


def open_accounts(owner: str) -> dict[str, Account]:
    """A connected account of every CRM."""
    return {
        kind: Account.objects.create(
            account_id=owner,
            crm=kind,
            remote_id=f"{owner}-{number}",
            host=f"{owner}.{HOSTS[kind]}",
            state="active",
            connected_at=timezone.now(),
        )
        for number, kind in enumerate(CONNECTORS)
    }


def fill_shop() -> None:
    """The victim: rules in every CRM, an answer, and deliveries in all states with what became of them."""
    for number, (kind, account) in enumerate(open_accounts("shop").items()):
        rule = Rule.objects.create(account=account, quiz_id=QUIZ, pipeline="70", step="142")
        Step.objects.create(account=account, pipeline_id="70", remote_id="142", name="Тайный шаг")
        Hook.objects.create(account=account, secret=SECRET_OF_HOOK)
        answer = Answer.objects.create(
            account_id="shop", quiz_id=QUIZ, answer_id=f"a-{kind}", payload={"quizID": QUIZ}, digest="x"
        )
        state = ("held", "waiting", "sending", "delivered")[number % 4]
        delivery = Delivery.objects.create(
            answer=answer, rule=rule, account=account, owner="shop", quiz_id=QUIZ, uid=f"qz{kind}",
            state=state, held_because="refused" if state == "held" else "",
        )  # fmt: skip
        Attempt.objects.create(delivery=delivery, number=1, started_at=timezone.now(), outcome="give_up")
        Outcome.objects.create(delivery=delivery, account=account, owner="shop", quiz_id=QUIZ)
        run = Reconciliation.objects.create(
            account=account, owner="shop", since=timezone.now(), until=timezone.now(), state="done"
        )
        Finding.objects.create(reconciliation=run, delivery=delivery, kind="missing", confirmed=True)


def ids_of(name: str) -> list[Any]:
    """Ids of the shop that a route's parameter may name."""
    if name == "quizID":
        return [QUIZ]
    word = name.removesuffix("_pk").removesuffix("_id").replace("_", "")
    for app in OURS:
        if model := apps.all_models[app].get(word):
            found = list(model._default_manager.order_by("pk").values_list("pk", flat=True))
            assert found, f"give the shop a {word} in tests/hostile/tenants.py"
            return found
    raise AssertionError(f"which row does <{name}> name? Say so in tests/hostile/tenants.py")


def belongings() -> str:
    """All rows of our apps, to be compared."""
    tables = [model._meta.db_table for app in OURS for model in apps.get_app_config(app).get_models()]
    rows = " UNION ALL ".join(f"SELECT '{table}', row::text FROM {table} row" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"{rows} ORDER BY 1, 2")
        return "\n".join(" ".join(row) for row in cursor.fetchall())
