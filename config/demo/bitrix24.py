"""The demo's Bitrix24: a portal that has our application installed, and a rule that makes deals."""

from __future__ import annotations

from typing import Any

from config.demo.environment import Environment
from config.demo.http import tell
from config.demo.scenario import Chosen, Scenario, pick
from config.demo.service import QuizService
from config.openapi.quiz import QUIZ, QUIZ_ID
from connectors.sandbox.bitrix24.sandbox import DEMO_CLIENT, DEMO_SECRET

PIPELINE, STEP, NAME, LAST_NAME = "Квизы", "Новая заявка", "Игорь", "Кузнецов"
DEAL_FIELDS = {  # question -> the portal's field; "made" is asked for with an empty value
    "area": "Площадь",
    "repair": "Тип ремонта",
    "rooms": "Комнаты",
    "date": "Дата замера",
    "budget": "Бюджет",
    "place": "Город",
}
MADE = "style"


class BitrixScenario(Scenario):
    kind = "bitrix24"
    prefix = "/bitrix"
    tells = True
    lists = ("users", "pipelines", "steps", "fields")

    def variables(self, environment: Environment) -> dict[str, str]:
        return {
            "BITRIX24_CLIENT_ID": DEMO_CLIENT,
            "BITRIX24_CLIENT_SECRET": DEMO_SECRET,
            "BITRIX24_REDIRECT_URI": environment.redirect_url,
            "BITRIX24_OAUTH_HOST": f"{environment.sandbox_host}:{self.www_port}",
        }

    def connecting(self, environment: Environment) -> dict[str, str]:
        """The customer names the portal first."""
        return {"client_bitrix_url": f"http://{environment.sandbox_host}:{self.www_port + 1}"}

    def save_rule(self, service: QuizService) -> Chosen:
        pipeline = pick(service.rows("/bitrix/pipelines"), "pipeline", name=PIPELINE)["bitrixID"]
        steps, users = service.rows("/bitrix/steps"), service.rows("/bitrix/users")
        rule = {
            "PerformerID": pick(users, "user", name=NAME, lastName=LAST_NAME)["bitrixUserID"],
            "PipelineID": pipeline,
            "StageID": pick(steps, "step", name=STEP, pipelineID=pipeline)["statusID"],
            "TypeID": pick(steps, "type of deal", name="Услуги", entityID="DEAL_TYPE")["statusID"],
            "SourceID": pick(steps, "source", name="Веб-сайт", entityID="SOURCE")["statusID"],
            "FieldsRule": {"deal": {"QuestionID": self._fields(service.rows("/bitrix/fields"))}},
            "TagsToAdd": {"deal": ["квиз"]},
            "LeadFlag": False,
            "StatusID": "",
            "Quiz": QUIZ,
        }
        service.post(f"/bitrix/rules/{QUIZ_ID}", rule)
        return Chosen(PIPELINE, STEP, f"{NAME} {LAST_NAME}")

    def win(self, environment: Environment, service: QuizService, lead_id: str) -> None:
        pipeline = pick(service.rows("/bitrix/pipelines"), "pipeline", name=PIPELINE)["bitrixID"]
        moved = {"kind": "deal", "id": lead_id, "step_id": f"C{pipeline}:WON"}
        tell(environment.control_url, self.kind, "move_record", **moved, fields={"OPPORTUNITY": "54000"})

    def fields_wanted(self, service: QuizService) -> int:
        fields = service.get(f"/bitrix/rules/{QUIZ_ID}")["FieldsRule"]["deal"]["QuestionID"]
        return sum(not field for field in fields.values())

    @staticmethod
    def _fields(rows: list[dict[str, Any]]) -> dict[str, str]:
        named = {
            question: pick(rows, "field", editFromLabel=label, entityID="CRM_DEAL")["fieldName"]
            for question, label in DEAL_FIELDS.items()
        }
        return {**named, MADE: ""}


SCENARIO = BitrixScenario()
