"""Notices of Envybox: form-encoded, ``event`` and nested keys, in no document (reference 5.8, OBS). Pure.

Their address is entered by hand in Envybox. A new deal is mostly news of a lead that we know by another
number, so a notice narrows the look only where it names leads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.lead_status import ChangeNotice

LEAD = re.compile(r"lead\[id\]|lead_id|deal\[(?:lead_id|connected_lead_id)\](?:\[\d*\])?")
DEAL = re.compile(r"deal\[id\]|deal_id")
LONGEST = 18


def read_hook(form: Mapping[str, str]) -> ChangeNotice:
    """The leads that it names, and their deal; without any, whatever is followed there is worth a look."""
    leads = _ids(form, LEAD)
    return ChangeNotice(records=leads | _ids(form, DEAL)) if leads else ChangeNotice()


def _ids(form: Mapping[str, str], names: re.Pattern[str]) -> frozenset[str]:
    told = (str(value).strip() for key, value in form.items() if names.fullmatch(key))
    return frozenset(text for text in told if text.isascii() and text.isdigit() and len(text) <= LONGEST)
