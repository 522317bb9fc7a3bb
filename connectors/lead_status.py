"""What became of a lead: the values that travel when a delivered lead is followed.

``rules`` asks with ``Followed``, a connector answers with ``LeadStatus``. A CRM's notice (``ChangeNotice``)
never says what is so: it only names what is worth another look. Remote ids are strings, moments are aware.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.messages import message

OPEN, WON, LOST = "open", "won", "lost"
BY_HAND = message("by hand")


@dataclass(frozen=True, slots=True)
class Followed:
    """A delivered lead to ask about.

    ``remote_id`` is what the receipt named (empty where the CRM told no id), ``journal`` all it made.
    ``record`` and ``record_id`` are what an earlier look found it to be by now (a deal, a project),
    ``matched`` how. ``people`` are the person's keys as in ``Person.keys``; ``performer`` and ``pipeline``
    what the rule had asked for.
    """

    uid: str
    remote_id: str
    delivered_at: datetime
    journal: Mapping[str, str] = field(default_factory=dict)
    record: str = ""
    record_id: str = ""
    matched: str = ""
    people: tuple[str, ...] = ()
    performer: str = ""
    pipeline: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came in, or went out (``amount`` below zero)."""

    amount: Decimal
    remote_id: str = ""
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LeadStatus:
    """How a lead stands in its CRM.

    ``record`` is the CRM's kind of thing (lead, deal, project), ``record_id`` its id, ``matched`` how it was
    found where the id of the receipt did not lead there (``merged into 77``). ``status`` is ``open``, ``won``
    or ``lost``, empty where the CRM has no notion of it: then the kind of its step says so. ``gone`` says why
    it can't be seen any more (``deleted``): all else may be empty then, and what was seen last stays. Names
    may stay empty: the mirrored lists know them, too.
    ``contact`` has ``id``, ``name``, ``phone``, ``email`` where the CRM told them. ``payments`` is None where
    the CRM says nothing of money received. ``details`` is whatever else a person may want to see.
    """

    record: str
    record_id: str
    status: str = ""
    gone: str = ""
    matched: str = ""
    pipeline: str = ""
    pipeline_name: str = ""
    step: str = ""
    step_name: str = ""
    performer: str = ""
    performer_name: str = ""
    amount: Decimal | None = None
    currency: str = ""
    payments: tuple[Payment, ...] | None = None
    contact: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    changed_at: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChangeNotice:
    """What a notice of a CRM is about; nothing of it is proven.

    ``remote_id`` is the CRM's account, ``secret`` the proof of its installation (``InstallKey``), each empty
    where the CRM sends none. ``records`` are ids worth a look, None means whatever is followed there.
    """

    remote_id: str = ""
    secret: str = field(default="", repr=False)
    records: frozenset[str] | None = None
