"""The rules of all quizzes over all CRMs."""

from __future__ import annotations

from config.openapi.examples.crms.sample import CRM, sample_of
from config.openapi.examples.shown import Shown, listed
from rules.serializers.rules import write_rule

RULE = write_rule(sample_of(CRM).rule, {})
EXAMPLES = {"ListRules": Shown({200: {"One quiz": listed(RULE["id"], RULE)}})}
