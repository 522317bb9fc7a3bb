"""For templates: ``{{ delivery.error|said }}`` shows a kept message in the reader's language."""

from __future__ import annotations

from django import template

from accounts.texts import said

register = template.Library()
register.filter("said", said)
