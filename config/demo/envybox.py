"""The demo's Envybox: an account that a key opens, and a rule that takes leads into work."""

from __future__ import annotations

from typing import Any

from config.demo.keys import KeyScenario
from config.demo.scenario import Chosen, pick
from config.demo.service import QuizService
from config.openapi.quiz import QUIZ, QUIZ_ID

PIPELINE, STEP, PERFORMER, SOURCE = "Квизы", "Дозвон", "Ольга Смирнова", "Квиз"
FIELDS = {  # entity of the rule -> question -> the account's field; it has none for the rooms
    "lead": {"style": "Стиль"},
    "deal": {
        "area": "Площадь объекта",
        "budget": "Бюджет",
        "repair": "Отделка",
        "date": "Комментарий замерщика",
    },
    "contact": {"place": "Город"},
}
RECORDS = {"contact": "client"}  # where Envybox's word is another one


class EnvyScenario(KeyScenario):
    kind = "envybox"
    prefix = "/envybox"
    settings_page = "key"

    def mark_there(self, mark: str) -> str:
        """Without dashes, at which its search would split it."""
        return mark.replace("-", "")

    def save_rule(self, service: QuizService) -> Chosen:
        lines, steps = service.rows("/envybox/pipelines"), service.rows("/envybox/steps")
        pipeline = pick(lines, "pipeline", name=PIPELINE, entity="deal")["envyboxID"]
        fields = service.rows("/envybox/fields")
        rule = {
            "PerformerID": pick(service.rows("/envybox/users"), "user", name=PERFORMER)["envyboxID"],
            "PipelineID": pipeline,
            "StepID": pick(steps, "step", name=STEP, pipelineID=pipeline)["envyboxID"],
            "SourceID": pick(steps, "source", name=SOURCE, entity="inbox_type")["envyboxID"],
            "FieldsRule": {entity: {"QuestionID": self._fields(fields, entity)} for entity in FIELDS},
            "TagsToAdd": {"deal": ["квиз"]},
            "LeadFlag": False,
            "Quiz": QUIZ,
        }
        service.post(f"/envybox/rules/{QUIZ_ID}", rule)
        return Chosen(PIPELINE, STEP, PERFORMER)

    @staticmethod
    def _fields(rows: list[dict[str, Any]], entity: str) -> dict[str, str]:
        there = RECORDS.get(entity, entity)
        return {
            question: pick(rows, "field", name=name, entity=there)["envyboxID"]
            for question, name in FIELDS[entity].items()
        }


SCENARIO = EnvyScenario()
