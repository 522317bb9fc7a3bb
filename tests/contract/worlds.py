"""What must be there so that every operation of a contract has something to say.

A world is made for the quiz account ``shop``; ``bodies`` says what is sent, by (method, path).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from accounts.models import Account
from crm_cache import models

# The contracts that are served; ``bitrix24`` joins with its connector.
SERVED = ("amocrm",)
QUIZ = 42


@dataclass(frozen=True)
class World:
    make: Callable[[], Any]
    bodies: dict[tuple[str, str], Any]


def amocrm() -> None:
    """A connected account with a row in every list."""
    now = timezone.now()
    shop = Account.objects.create(
        account_id="shop",
        crm="amocrm",
        remote_id="31000001",
        host="shop.amocrm.ru",
        name="Цветы",
        user_id="9100001",
        state=Account.State.ACTIVE,
        connected_at=now,
    )
    models.CrmUser.objects.create(account=shop, remote_id="9100001", name="Анна")
    models.Pipeline.objects.create(account=shop, remote_id="5001", name="Квизы")
    models.Step.objects.create(account=shop, pipeline_id="5001", remote_id="61002", name="Новая")
    models.Field.objects.create(account=shop, remote_id="70001", entity="leads", name="Город", type="text")
    models.Field.objects.create(
        account=shop, remote_id="70002", entity="contacts", name="Телефон", type="multitext", code="PHONE"
    )
    for pk, entity in enumerate(("leads", "contacts", "companies", "customers"), start=1):
        models.Tag.objects.create(pk=pk, account=shop, remote_id=f"9000{pk}", entity=entity, name="квиз")


AMO_RULE = {
    "PerformerID": 9100001,
    "PipelineID": 5001,
    "StepID": 61002,
    "Fieldsrule": {
        "Lead": [{"QuestionID": {"7": 70001}}],
        "Company": [{"QuestionID": {}}],
        "Customer": [],
    },
    "TagsToAdd": {"Lead": [1], "Contact": [2], "Company": [3], "Customer": [4]},
}
WORLDS = {
    "amocrm": World(
        amocrm,
        {("post", "/rules/{quizID}"): AMO_RULE, ("patch", "/rules/{quizID}"): {"StepID": 0}},
    ),
}
