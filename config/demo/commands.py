"""Commands of ``manage.py``, one after another in one process: each of its own takes seconds to start.

python -m config.demo.commands migrate --noinput then issue_token 1001
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from itertools import groupby

from django.core.management import execute_from_command_line

THEN = "then"


def in_a_row(*commands: Sequence[str]) -> tuple[str, ...]:
    """What Python is to run."""
    first, *others = commands
    return ("-m", __name__, *first, *(word for command in others for word in (THEN, *command)))


def main(words: Sequence[str]) -> None:
    """A command that fails ends the process; the others are not tried."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    for is_between, command in groupby(words, THEN.__eq__):
        if not is_between:
            execute_from_command_line(["manage.py", *command])


if __name__ == "__main__":
    main(sys.argv[1:])
