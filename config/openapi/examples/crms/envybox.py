"""Envybox in the examples."""

from __future__ import annotations

from config.openapi.examples.crms.sample import CrmSample

SAMPLE = CrmSample(
    kind="envybox",
    remote_id="1",
    subdomain="florist",
    user="100001",
    other_user="0",
    pipeline="100016",
    step="100018",
    number_field="100030",
    number_code="crm_100030",
    number_type="1",
    lead="100201",
    choices={"SourceID": "100005", "LeadFlag": False},
    rows={"pipelines": {"entity": "deal"}, "steps": {"entity": "deal"}},
)
