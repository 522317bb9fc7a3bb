"""The demo's solOS: an account that a pair of keys opens, and a rule for its leads.

It tells numbers instead of names, and its leads are in no funnel: the rule's funnel and step come along as
words, and the person who answered is no record of their own.
"""

from __future__ import annotations

from config.demo.keys import KeyScenario
from config.demo.scenario import Chosen, pick
from config.demo.service import QuizService
from config.openapi.quiz import QUIZ, QUIZ_ID

FUNNEL, STEP, SOURCE = "1", "12", "4"
PERFORMER, PERFORMER_NAME = "2", "Павел Ершов"
WHERE_LEADS_ARE = "Лиды"
LEAD_FIELDS = {"date": "contract_date", "place": "comment"}  # question -> field, known by its code


class SolosScenario(KeyScenario):
    kind = "solos"
    prefix = "/solos"
    settings_page = "keys"
    has_contacts = False

    def save_rule(self, service: QuizService) -> Chosen:
        steps, fields = service.rows("/solos/steps"), service.rows("/solos/fields")
        rule = {
            "PerformerID": pick(service.rows("/solos/users"), "user", solosID=PERFORMER)["solosID"],
            "PipelineID": pick(service.rows("/solos/pipelines"), "funnel", solosID=FUNNEL)["solosID"],
            "StepID": pick(steps, "step", solosID=STEP, pipelineID=FUNNEL)["solosID"],
            "SourceID": SOURCE,
            "FieldsRule": {
                "lead": {
                    "QuestionID": {
                        question: pick(fields, "field", solosID=code)["solosID"]
                        for question, code in LEAD_FIELDS.items()
                    }
                }
            },
            "TagsToAdd": {"lead": ["квиз"]},
            "Quiz": QUIZ,
        }
        service.post(f"/solos/rules/{QUIZ_ID}", rule)
        words = {"sales_funnel_id": FUNNEL, "step_id": STEP}
        return Chosen(WHERE_LEADS_ARE, None, PERFORMER_NAME, words)


SCENARIO = SolosScenario()
