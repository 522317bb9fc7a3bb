"""Reading settings from the environment: what is wrong ends the start with a sentence naming the variable."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

YES_OR_NO = frozenset({"true", "on", "ok", "y", "yes", "1", "false", "off", "n", "no", "0"})
WORDS = {int: "a whole number", float: "a number"}

DOTENV = Path(__file__).resolve().parent.parent / ".env"


def dotenv() -> Environment:
    """The environment with what ``.env`` beside ``manage.py`` adds to it."""
    env = Environment()
    env.read_env(DOTENV)
    return env


class Environment(environ.Env):
    """``environ.Env`` that says which variable it could not read. Values of addresses are never repeated."""

    def get_value(self, var: str, cast: Any = None, *args: Any, **options: Any) -> Any:
        given = os.environ.get(var, "")
        if cast is bool and given and given.lower() not in YES_OR_NO:
            raise ImproperlyConfigured(f"{var} is {given!r}; it must be true or false.")
        try:
            return super().get_value(var, cast, *args, **options)
        except (ValueError, TypeError) as exc:
            must = WORDS.get(cast, "something else")
            raise ImproperlyConfigured(
                f"{var} is {given!r}; it must be {must}. Without the variable its default counts."
            ) from exc

    def choice(self, var: str, default: str, choices: Collection[str], called: str = "") -> str:
        """One of a few words, or of many that have a name together."""
        value = str(self.str(var, default))
        if value not in choices:
            words = called or ", ".join(choices)
            raise ImproperlyConfigured(f"{var} is {value!r}; it must be one of {words}.")
        return value

    def address(self, var: str, default: str, *schemes: str) -> str:
        """A URL; an empty one is left to whoever asked."""
        value = str(self.str(var, default) or default)
        scheme, _, rest = value.partition("://")
        if value and not (scheme in schemes and rest):
            raise ImproperlyConfigured(f"{var} must be an address that begins with {schemes[0]}://.")
        return value
