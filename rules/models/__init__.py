from rules.models.answer import Answer, FormerBody
from rules.models.bulk import BulkRun
from rules.models.delivery import OPEN_STATES, Attempt, Delivery
from rules.models.erasure import Erasure
from rules.models.figures import AnswerTraits, DayConversion, DayFigures
from rules.models.incident import Incident
from rules.models.outcome import Outcome
from rules.models.reconciliation import Finding, Reconciliation, SurveyedLead
from rules.models.replay import Mend, Replay
from rules.models.rule import QuizOption, Rule, Turns
from rules.models.rule_version import RuleVersion

__all__ = [
    "OPEN_STATES",
    "Answer",
    "AnswerTraits",
    "Attempt",
    "BulkRun",
    "DayConversion",
    "DayFigures",
    "Delivery",
    "Erasure",
    "Finding",
    "FormerBody",
    "Incident",
    "Mend",
    "Outcome",
    "QuizOption",
    "Reconciliation",
    "Replay",
    "Rule",
    "RuleVersion",
    "SurveyedLead",
    "Turns",
]
