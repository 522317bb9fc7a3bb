"""The demo's amoCRM: an integration that the sandbox knows, and a rule for its seeded account."""

from __future__ import annotations

from typing import Any

from config.demo.environment import Environment
from config.demo.http import tell
from config.demo.scenario import Chosen, Scenario, pick
from config.demo.service import QuizService
from config.openapi.quiz import QUIZ, QUIZ_ID
from connectors.sandbox.amocrm.sandbox import DEMO_CLIENT, DEMO_SECRET

PIPELINE, STEP, PERFORMER, TAG = "Квизы", "Новая заявка", "Игорь Кузнецов", "квиз"
LEAD_FIELDS = {  # question -> the account's field; "made" is asked for with id 0
    "area": "Площадь, м²",
    "repair": "Тип ремонта",
    "rooms": "Комнаты",
    "date": "Дата замера",
    "budget": "Бюджет",
    "place": "Город",
}
MADE = "style"
WON = 142  # in every pipeline


class AmoScenario(Scenario):
    kind = "amocrm"
    tells = True

    def variables(self, environment: Environment) -> dict[str, str]:
        return {
            "AMOCRM_CLIENT_ID": DEMO_CLIENT,
            "AMOCRM_CLIENT_SECRET": DEMO_SECRET,
            "AMOCRM_REDIRECT_URI": environment.redirect_url,
            "AMOCRM_AUTHORIZE_URL": f"http://{environment.sandbox_host}:{self.www_port}/oauth",
        }

    def save_rule(self, service: QuizService) -> Chosen:
        pipeline = pick(service.rows("/pipelines"), "pipeline", Name=PIPELINE)
        steps = service.rows("/steps", pipelineID=pipeline["AmoID"])
        tags = service.rows("/tags")
        rule = {
            "PerformerID": pick(service.rows("/users"), "user", Name=PERFORMER)["AmoID"],
            "PipelineID": pipeline["AmoID"],
            "StepID": pick(steps, "step", Name=STEP)["AmoID"],
            "Fieldsrule": {"Lead": [{"QuestionID": self._fields(service.rows("/fields"))}]},
            "TagsToAdd": {
                "Lead": [pick(tags, "tag", Name=TAG, Entity="leads")["ID"]],
                "Contact": [pick(tags, "tag", Name=TAG, Entity="contacts")["ID"]],
            },
            "Quiz": QUIZ,
        }
        service.post(f"/rules/{QUIZ_ID}", rule)
        return Chosen(PIPELINE, STEP, PERFORMER)

    def win(self, environment: Environment, service: QuizService, lead_id: str) -> None:
        tell(environment.control_url, self.kind, "move_lead", lead_id=int(lead_id), step_id=WON, price=54_000)

    def fields_wanted(self, service: QuizService) -> int:
        parts = service.get(f"/rules/{QUIZ_ID}")["FieldsRule"]["lead"]
        return sum(field == 0 for part in parts for field in part["QuestionID"].values())

    @staticmethod
    def _fields(rows: list[dict[str, Any]]) -> dict[str, int]:
        named = {q: pick(rows, "field", Name=name, EntityType="leads") for q, name in LEAD_FIELDS.items()}
        return {**{question: row["AmoID"] for question, row in named.items()}, MADE: 0}


SCENARIO = AmoScenario()
