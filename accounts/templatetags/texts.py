"""For templates: ``{{ delivery.error|said }}`` shows a kept message in the reader's language,
``{{ name|headed }}`` begins a heading with a capital.
"""

from __future__ import annotations

from django import template
from django.utils.text import capfirst

from accounts.texts import said

register = template.Library()
register.filter("said", said)


@register.filter
def headed(text: object) -> str:
    """``Правила``, but ``amoCRM Ремонт`` and ``https://quiz.example``: as their owners write them."""
    words = str(text)
    first = words.split(" ", 1)[0]
    return words if first != first.lower() or "://" in first else capfirst(words)
