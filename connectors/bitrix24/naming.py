"""What a rule names of a portal's lists (reference 3.2, 3.3). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.base import Named
from connectors.bitrix24.choices import LEAD, SOURCE, STATUS, TYPE
from connectors.bitrix24.facts import Facts
from connectors.draft import Placement

DEALS = "2"  # entityTypeId
GENERAL = "0"  # the general pipeline of deals: its stages' directory bears no number


def named(place: Placement, facts: Mapping[str, Any]) -> tuple[Named, ...]:
    """Of a lead its status, of a deal its pipeline, stage and type. Simple portals turn leads into deals."""
    said = {key: str(place.choices.get(key) or "") for key in (STATUS, TYPE, SOURCE)}
    leads = place.choices.get(LEAD) is True and not Facts.read(facts).simple
    own = [_entry("Status", STATUS, said[STATUS], "STATUS", vital=True)] if leads else _of_deals(place, said)
    found = [*own, _entry("Source", SOURCE, said[SOURCE], "SOURCE")]
    return tuple(one for one in found if one.remote_id)


def _of_deals(place: Placement, said: Mapping[str, str]) -> Iterator[Named]:
    pipeline = place.pipeline or GENERAL
    stages = "DEAL_STAGE" if pipeline == GENERAL else f"DEAL_STAGE_{pipeline}"
    yield Named("pipelines", pipeline, "Pipeline", "PipelineID", entity=DEALS)
    yield _entry("Stage", "StageID", place.step, stages, vital=True)
    yield _entry("Type", TYPE, said[TYPE], "DEAL_TYPE")


def _entry(word: str, field: str, code: str, directory: str, vital: bool = False) -> Named:
    return Named("steps", code, word, field, entity=directory, vital=vital)
