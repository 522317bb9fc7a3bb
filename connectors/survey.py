"""A walk over a CRM's leads that tells which of them carry our external ids: cheap for many, proof of none.

A walk sees what is shown while it goes on. What it shows is there; what it does not show may be there all the
same, and is asked for by itself before anybody calls it missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OURS = re.compile(r"(?<![\w-])qz-?[a-z0-9]{8,16}(?![\w-])")  # how external ids look (rules.planning)
SHARE = 0.1  # of what a CRM allows, which a walk may take


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A record as a walk shows it: its kind, its id, the external ids that it carries (several where it was
    united with others). ``made_of`` is the lead that it was made of, empty where it was made by itself."""

    record: str
    remote_id: str
    uids: tuple[str, ...] = ()
    pipeline: str = ""
    made_of: str = ""


@dataclass(frozen=True, slots=True)
class SurveyPage:
    """A part of a walk.

    ``place`` is where to go on, in words of the connector that can be stored; None at the end. ``complete``:
    the walk saw all leads that it was asked for. ``pause``: seconds in which a tenth of what the CRM allows
    pays for this part, beyond what its requests cost.
    """

    rows: tuple[Surveyed, ...]
    place: Mapping[str, Any] | None = None
    complete: bool = False
    pause: float = 0.0


def marks_in(text: str) -> tuple[str, ...]:
    """The external ids within a text, each once."""
    return tuple(dict.fromkeys(OURS.findall(text)))
