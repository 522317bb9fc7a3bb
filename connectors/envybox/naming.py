"""What a rule names of an account's lists (reference 7.3). Pure."""

from __future__ import annotations

from connectors.base import Named
from connectors.draft import Placement
from connectors.envybox.choices import INBOXES, SOURCE, takes_into_work

DEALS = "deal"


def named(place: Placement) -> tuple[Named, ...]:
    """A deal's pipeline and step; the step of what stays a lead can do no harm."""
    deals = takes_into_work(place.choices)
    source = str(place.choices.get(SOURCE) or "")
    found = (
        Named("pipelines", place.pipeline, "Pipeline", "PipelineID", entity=DEALS),
        Named("steps", place.step, "Step", "StepID", entity=DEALS, pipeline=place.pipeline, vital=deals),
        Named("steps", source, "Source", SOURCE, entity=INBOXES, vital=False),
    )
    return tuple(one for one in found if one.remote_id)
