"""Columns that keep messages (``connectors.messages``): text and parameters, read in the reader's language.

In Python they hold strings, the English ones; a message among them can still be translated. What was kept
before, and what is no message, is a plain string. To migrations they are the columns that Django has.
"""

from __future__ import annotations

from typing import Any

from django.db import models

from connectors.messages import from_column, loaded, stored, to_column


class MessageField(models.TextField):
    """A message, or a plain text."""

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return to_column(text) if isinstance(text, str) else text

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return from_column(value) if isinstance(value, str) else value

    def to_python(self, value: Any) -> Any:
        return value if isinstance(value, str) else super().to_python(value)

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs


class MessagesField(models.JSONField):
    """JSON with messages anywhere in it."""

    def get_prep_value(self, value: Any) -> Any:
        return stored(super().get_prep_value(value))

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return loaded(super().from_db_value(value, expression, connection))

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs
