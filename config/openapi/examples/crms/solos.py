"""solOS in the examples: an account is known by its host alone, fields by their codes."""

from __future__ import annotations

from config.openapi.examples.crms.sample import CrmSample

SAMPLE = CrmSample(
    kind="solos",
    remote_id="demo7.solos.pro",
    name="demo7.solos.pro",
    subdomain="demo7",
    number_field="contract_number",
    list_field="",
    number_type="string",
    lead="1",
    lead_path="/",
    rows={"users": {"group_id": "2"}},
)
