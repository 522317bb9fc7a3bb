"""The local CRMs' own books: which leads carry which of our external ids."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from config.demo.environment import Environment
from config.demo.http import look_into

Lead = Mapping[str, Any]
MARK = re.compile(r"\bqz[a-z2-7]{16}\b")
WHERE = ("name", "origin", "fields")  # and the first note: later ones may speak of a lead that was united


def leads_by_mark(environment: Environment, crm: str) -> dict[str, list[Lead]]:
    found: dict[str, list[Lead]] = defaultdict(list)
    for lead in look_into(environment.control_url, crm, "ledger"):
        for mark in marks_of(lead):
            found[mark].append(lead)
    return found


def marks_of(lead: Lead) -> set[str]:
    said = [str(lead.get(key)) for key in WHERE] + list(lead.get("notes") or ())[:1]
    return set(MARK.findall("\n".join(said)))
