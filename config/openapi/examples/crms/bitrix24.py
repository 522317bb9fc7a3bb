"""Bitrix24 in the examples: steps and directories are named by codes, fields by their names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from accounts.serializers.bitrix24 import DIALECT
from accounts.serializers.dialect import AccountDialect
from config.openapi.examples.crms.sample import CrmSample
from connectors.bitrix24.options import LEAD, SOURCE, STATUS, TYPE


@dataclass(frozen=True, kw_only=True)
class BitrixSample(CrmSample):
    @property
    def dialect(self) -> AccountDialect:
        return DIALECT

    @cached_property
    def rule_body(self) -> dict[str, Any]:
        """A step is called StageID, a pipeline is a number."""
        said = {name: value for name, value in super().rule_body.items() if name != "StepID"}
        return {**said, "PipelineID": int(self.pipeline), "StageID": self.step}

    @property
    def rule_change(self) -> dict[str, Any]:
        return {"StageID": self.step, "SourceID": self.choices[SOURCE]}


SAMPLE = BitrixSample(
    kind="bitrix24",
    remote_id="6efc31bd2e9c318d4ac31dca92a3f2f1",
    subdomain="dentist",
    user="2",
    other_user="1",
    pipeline="3",
    step="C3:NEW",
    number_field="UF_CRM_1790000605",
    number_code="UF_CRM_1790000605",
    number_type="integer",
    lead="21",
    lead_path="/crm/deal/details/{lead}/",
    choices={LEAD: False, TYPE: "SALE", SOURCE: "WEB", STATUS: ""},
    rows={
        "users": {
            "details": {
                "NAME": "Игорь",
                "LAST_NAME": "Кузнецов",
                "WORK_POSITION": "Менеджер",
                "UF_DEPARTMENT": [1],
            }
        },
        "pipelines": {"entity": "2"},
        "steps": {"entity": "DEAL_STAGE_3", "details": {"ID": "114", "NAME_INIT": "Новая заявка"}},
        "fields": {"remote_id": "605"},
    },
)
