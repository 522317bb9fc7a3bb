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

SERVED = ("amocrm", "bitrix24")
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


def bitrix24() -> None:
    """A connected portal with a row in every list."""
    dentist = Account.objects.create(
        account_id="shop",
        crm="bitrix24",
        remote_id="0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        host="dentist.bitrix24.ru",
        subdomain="dentist",
        state=Account.State.ACTIVE,
        connected_at=timezone.now(),
    )
    anna = {"NAME": "Анна", "LAST_NAME": "Смирнова", "TITLE": None, "UF_DEPARTMENT": [1, 5]}
    models.CrmUser.objects.create(
        account=dentist, remote_id="1", name="Анна Смирнова", email="anna@demo.example", details=anna
    )
    models.Pipeline.objects.create(account=dentist, entity="2", remote_id="0", name="Общая")
    entries = {"DEAL_STAGE": "NEW", "DEAL_TYPE": "SALE", "SOURCE": "CALL", "STATUS": "NEW"}
    for number, (entity, code) in enumerate(entries.items(), start=101):
        pipeline_id = "0" if entity == "DEAL_STAGE" else ""
        row = {"ID": str(number), "NAME_INIT": "Новая", "COLOR": None}
        models.Step.objects.create(
            account=dentist, entity=entity, pipeline_id=pipeline_id, remote_id=code, name="Новая", details=row
        )
    for number, entity in enumerate(("CRM_LEAD", "CRM_DEAL", "CRM_COMPANY", "CRM_CONTACT"), start=581):
        code = f"UF_CRM_1790000{number}"
        models.Field.objects.create(
            account=dentist, remote_id=str(number), entity=entity, name="Город", type="string", code=code
        )


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
BITRIX_RULE = {
    "PerformerID": "1",
    "PipelineID": 0,
    "TypeID": "SALE",
    "StageID": "NEW",
    "SourceID": "CALL",
    "FieldsRule": {
        "lead": {"QuestionID": {"7": "581"}},
        "deal": {"QuestionID": {"7": "UF_CRM_1790000582"}},
        "company": {"QuestionID": {}},
        "contact": {"ContactRuleMap": {"city": "584"}, "QuestionID": {}},
    },
    "TagsToAdd": {"deal": ["квиз"], "Lead": []},
    "LeadFlag": False,
    "StatusID": "NEW",
}
WORLDS = {
    "amocrm": World(
        amocrm,
        {("post", "/rules/{quizID}"): AMO_RULE, ("patch", "/rules/{quizID}"): {"StepID": 0}},
    ),
    "bitrix24": World(
        bitrix24,
        {
            ("post", "/bitrix/account"): {"client_bitrix_url": "https://dentist.bitrix24.ru/"},
            ("post", "/bitrix/rules/{quizID}"): BITRIX_RULE,
            ("patch", "/bitrix/rules/{quizID}"): {"StageID": ""},
        },
    ),
}
