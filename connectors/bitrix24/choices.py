"""What a rule says beyond performer, pipeline and step: the keys of ``Placement.choices`` for Bitrix24.

``Placement.pipeline`` and ``.step`` always are the deal's CATEGORY_ID and STAGE_ID, also where ``LEAD`` asks
for a lead; the lead's STATUS_ID is ``STATUS``. So LEAD can be switched without losing either (contract D34).
"""

from __future__ import annotations

from connectors.base import Choice

LEAD = "LeadFlag"  # bool: a lead instead of a deal
STATUS = "StatusID"  # the lead's STATUS_ID, an entry of the directory STATUS
TYPE = "TypeID"  # the deal's TYPE_ID, an entry of DEAL_TYPE
SOURCE = "SourceID"  # SOURCE_ID of either, an entry of SOURCE

OFFERED = (
    Choice(LEAD, "A lead instead of a deal"),
    Choice(STATUS, "Status of the lead", "STATUS"),
    Choice(TYPE, "Type of the deal", "DEAL_TYPE"),
    Choice(SOURCE, "Source", "SOURCE"),
)
