from rules.models.answer import Answer
from rules.models.delivery import Attempt, Delivery
from rules.models.rule import Rule

__all__ = ["Answer", "Attempt", "Delivery", "Rule"]
