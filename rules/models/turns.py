from __future__ import annotations

from django.db import models

from rules.models.rule import Rule


class Turns(models.Model):
    """Whose turn it is to be responsible for leads of a rule: ``owed`` is how far everybody is behind their
    share, in weights (``rules.mapping.responsible``). The row is locked while turns are taken."""

    rule = models.OneToOneField(Rule, on_delete=models.PROTECT, primary_key=True, related_name="turns")
    owed = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"turns of rule {self.rule_id}"
