"""amoCRM in the examples: its ids are numbers, rules name tags by our ids and have lists of maps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from accounts.serializers.amocrm import CurrentAccount
from config.openapi.examples.crms.sample import CrmSample
from config.openapi.examples.shown import SUCCESS, Shown
from config.openapi.quiz import QUIZ


@dataclass(frozen=True, kw_only=True)
class AmoSample(CrmSample):
    @cached_property
    def rule_body(self) -> dict[str, Any]:
        """For the style of the repair there is no field yet: 0 has one made."""
        return {
            "PerformerID": int(self.user),
            "PipelineID": int(self.pipeline),
            "StepID": int(self.step),
            "Fieldsrule": {"Lead": [{"QuestionID": {"area": int(self.number_field), "style": 0}}]},
            "TagsToAdd": {"Lead": [1]},
            "Quiz": QUIZ,
        }

    @property
    def rule_change(self) -> dict[str, Any]:
        return {"StepID": int(self.step)}

    @cached_property
    def accounts(self) -> dict[str, Shown]:
        """The account's operations, which its contract names."""
        link = "https://www.amocrm.ru/oauth?client_id=3f0e5a1c&state=Qm9va2Vk&mode=post_message"
        return {
            "ConnectAccount": Shown({200: {"A link, for one use and 30 minutes": {"link": link}}}),
            "GetCurrentAccount": Shown({200: {"Connected": dict(CurrentAccount(self.account).data)}}),
            "SoftDeleteAccount": Shown(SUCCESS),
        }


SAMPLE = AmoSample(
    kind="amocrm",
    remote_id="31000001",
    subdomain="flowers",
    user="9100002",
    other_user="9100001",
    pipeline="5002",
    step="61007",
    number_field="70010",
    number_code="",
    number_type="numeric",
    lead="15000001",
    lead_path="/leads/detail/{lead}",
    planned=(
        {
            "method": "GET",
            "url": "https://flowers.amocrm.ru/api/v4/contacts",
            "body": {"query": "9295551009", "limit": 50},
            "why": "is the person in amoCRM already?",
        },
        {
            "method": "POST",
            "url": "https://flowers.amocrm.ru/api/v4/leads/complex",
            "body": [
                {
                    "name": "Рассчитайте стоимость ремонта: Игорь",
                    "responsible_user_id": 9100002,
                    "pipeline_id": 5002,
                    "status_id": 61007,
                    "_embedded": {"tags": [{"id": 90001}], "contacts": [{"name": "Игорь"}]},
                    "request_id": "qzpreview0000000",
                }
            ],
            "why": "the lead with its contact and company",
        },
    ),
)
