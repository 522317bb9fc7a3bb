"""The operator's desk: what is stuck and why, and trying it again."""

from rules.admin import accounts, answers, deliveries, rules

__all__ = ["accounts", "answers", "deliveries", "rules"]
