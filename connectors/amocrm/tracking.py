"""UTM marks and client ids -> the lead's statistics fields (reference 4.9)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from connectors.amocrm.fields import LONGEST_TEXT, tidy
from connectors.amocrm.sheets import FieldEntry
from connectors.draft import LeadDraft
from connectors.text import shorten

# How people and counters call what amoCRM keeps under its own code.
ALIASES = {
    "GA": "GCLIENTID",
    "_GA": "GCLIENTID",
    "CLIENT_ID": "GCLIENTID",
    "GA_CLIENT_ID": "GCLIENTID",
    "YM": "_YM_UID",
    "YM_UID": "_YM_UID",
    "YM_CLIENT_ID": "_YM_UID",
    "YM_COUNTER": "_YM_COUNTER",
    "ROISTAT_VISIT": "ROISTAT",
    "REFERER": "REFERRER",
    **{name: f"UTM_{name}" for name in ("SOURCE", "MEDIUM", "CAMPAIGN", "CONTENT", "TERM")},
}


def tracking(draft: LeadDraft, codes: Collection[str]) -> list[FieldEntry]:
    """The statistics that this account has fields for and that no answer fills already."""
    used = {value.target.code for value in draft.values if value.target.entity == "leads"}
    found: dict[str, FieldEntry] = {}
    for name, text in _given(draft):
        code = name.strip().upper().replace("-", "_")
        code = code if code in codes else ALIASES.get(code, code)
        short = shorten(tidy(text), LONGEST_TEXT)
        if short and code in codes and code not in used and code not in found:
            entry = {"field_code": code, "values": [{"value": short}]}
            found[code] = FieldEntry(entry, name, text, kind="tracking")
    return list(found.values())


def _given(draft: LeadDraft) -> Iterator[tuple[str, str]]:
    yield from _texts(draft.utm)
    yield from _texts(draft.visit.client_ids)
    yield "referrer", draft.visit.referrer


def _texts(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((str(name), str(text)) for name, text in given.items() if text)
