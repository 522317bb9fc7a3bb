"""From a JSON item to a checked draft of a lead, contact, company or customer (reference 4.1 to 4.5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.amocrm.errors import Errors
from connectors.sandbox.amocrm.model import LOST, WON, Account, Card
from connectors.sandbox.amocrm.values import Stored, parse_values
from connectors.sandbox.core import Switches

NAMES: dict[type, str] = {int: "int", str: "string", list: "array", dict: "array", bool: "bool"}
MOMENTS = ("created_at", "updated_at")
COMMON: dict[str, type] = {
    "name": str, "responsible_user_id": int, "created_by": int, "updated_by": int, "created_at": int,
    "updated_at": int, "custom_fields_values": list, "tags_to_add": list, "_embedded": dict,
}  # fmt: skip
OWN: dict[str, dict[str, type]] = {
    "leads": {
        "price": int, "status_id": int, "pipeline_id": int, "closed_at": int, "loss_reason_id": int,
        "visitor_uid": str,
    },
    "contacts": {"first_name": str, "last_name": str},
    "companies": {},
    "customers": {"next_date": int, "next_price": int, "status_id": int, "periodicity": int},
}  # fmt: skip
NULLABLE = {
    "closed_at",
    "loss_reason_id",
    "visitor_uid",
    "custom_fields_values",
    "tags_to_add",
    "tags_to_delete",
}
EMBEDDED = {
    "leads": {"tags", "contacts", "companies", "metadata", "source"},
    "contacts": {"tags"},
    "companies": {"tags"},
    "customers": {"tags", "segments"},
}


@dataclass
class Draft:
    """A checked item. `tags` None: not mentioned; `values[id]` None: clear the field."""

    kind: str
    request_id: str
    props: dict[str, Any] = field(default_factory=dict)
    values: dict[int, list[Stored] | None] = field(default_factory=dict)
    tags: list[Any] | None = None
    tags_to_add: list[Any] = field(default_factory=list)
    tags_to_delete: list[Any] = field(default_factory=list)
    embedded: dict[str, Any] = field(default_factory=dict)
    old: Card | None = None  # the card a PATCH is about


class Reader:
    """Reads items of one account; every refusal goes into `errors`."""

    def __init__(self, account: Account, switches: Switches) -> None:
        self.account, self.switches = account, switches

    def read(self, kind: str, item: Any, errors: Errors, old: Card | None = None) -> Draft:
        draft = Draft(kind, errors.request_id, old=old)
        if not isinstance(item, dict):
            errors.add("InvalidType", "This value should be of type array.")
            return draft
        self._shape(draft, item, errors)
        self._people(draft, errors)
        if kind == "leads":
            self._placement(draft, errors)
        draft.values = parse_values(
            self.account, kind, item.get("custom_fields_values"), errors, self.switches
        )
        self._tags(draft, item, errors)
        return draft

    def _shape(self, draft: Draft, item: dict[str, Any], errors: Errors) -> None:
        known = COMMON | OWN[draft.kind] | ({"tags_to_delete": list} if draft.old else {})
        for key, value in item.items():
            if key in ("request_id", "id" if draft.old else "request_id"):
                continue
            if key not in known:
                errors.add("FieldNotExpected", "This field was not expected.", key)
            elif self._fits(key, value, known[key], errors) and known[key] in (int, str):
                draft.props[key] = value
        embedded = item.get("_embedded")
        if isinstance(embedded, dict):
            draft.embedded = embedded
            for key in embedded.keys() - EMBEDDED[draft.kind]:
                errors.add("FieldNotExpected", "This field was not expected.", "_embedded", key)

    def _fits(self, key: str, value: Any, wanted: type, errors: Errors) -> bool:
        limit = self.switches["text_limit"]
        if value is None:
            if key not in NULLABLE:
                errors.add("NotNullable", "This value should not be null.", key)
            return key in NULLABLE
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            errors.add("InvalidType", f"This value should be of type {NAMES[wanted]}.", key)
            return False
        if isinstance(value, str) and limit and len(value) > limit:
            errors.add("TooLong", f"This value is too long. It should have {limit} characters or less.", key)
            return False
        return True

    def _people(self, draft: Draft, errors: Errors) -> None:
        """Robots (0) may create and update; only an active user can be responsible (reference 8.7)."""
        for key in ("responsible_user_id", "created_by", "updated_by"):
            number = draft.props.get(key)
            if number is None or (number == 0 and key != "responsible_user_id"):
                continue
            user = self.account.users.get(number)
            if user is None or not user.is_active:
                errors.no_choice(key)

    # -- where a lead stands ---------------------------------------------------------------------

    def _placement(self, draft: Draft, errors: Errors) -> None:
        pipeline_id, status_id = draft.props.get("pipeline_id"), draft.props.get("status_id")
        if pipeline_id is not None and pipeline_id not in self.account.pipelines:
            errors.no_choice("pipeline_id")
            return
        pipeline = self._pipeline(draft, pipeline_id, status_id)
        status = pipeline.status(status_id) if status_id is not None else None
        if status_id is not None and (status is None or status.type == 1):
            incoming = "metadata" in draft.embedded
            if not incoming:  # an incoming lead's status is ignored (reference 4.2)
                errors.no_choice("status_id")
            return
        self._place(draft, pipeline.id, status_id, pipeline.first.id)
        self._loss_reason(draft, errors)

    def _pipeline(self, draft: Draft, pipeline_id: int | None, status_id: int | None) -> Any:
        pipelines = self.account.pipelines
        if pipeline_id is not None:
            return pipelines[pipeline_id]
        if draft.old is not None:
            return pipelines[draft.old["pipeline_id"]]
        if status_id in (None, WON, LOST):
            return self.account.main_pipeline
        owners = (pipeline for pipeline in pipelines.values() if pipeline.status(status_id or 0))
        return next(owners, self.account.main_pipeline)

    @staticmethod
    def _place(draft: Draft, pipeline_id: int, status_id: int | None, first: int) -> None:
        moved = draft.old is None or "pipeline_id" in draft.props
        if moved:
            draft.props["pipeline_id"] = pipeline_id
        if status_id is not None or (
            moved and (draft.old is None or draft.old["pipeline_id"] != pipeline_id)
        ):
            draft.props["status_id"] = status_id or first

    def _loss_reason(self, draft: Draft, errors: Errors) -> None:
        reason = draft.props.get("loss_reason_id")
        status = draft.props.get("status_id", draft.old["status_id"] if draft.old else None)
        if reason is not None and (status != LOST or reason not in self.account.loss_reasons):
            errors.no_choice("loss_reason_id")

    # -- tags ------------------------------------------------------------------------------------

    def _tags(self, draft: Draft, item: dict[str, Any], errors: Errors) -> None:
        if "tags" in draft.embedded:
            given = draft.embedded["tags"]
            with errors.under("_embedded"):
                draft.tags = self._tag_items(draft, "tags", given, errors)
        draft.tags_to_add = self._tag_items(draft, "tags_to_add", item.get("tags_to_add"), errors)
        draft.tags_to_delete = self._tag_items(draft, "tags_to_delete", item.get("tags_to_delete"), errors)

    def _tag_items(self, draft: Draft, key: str, items: Any, errors: Errors) -> list[Any]:
        if items is None:
            return []
        if not isinstance(items, list):
            errors.add("InvalidType", "This value should be of type array.", key)
            return []
        for index, item in enumerate(items):
            with errors.under(key, index):
                self._tag_item(draft, item, errors)
        return items

    def _tag_item(self, draft: Draft, item: Any, errors: Errors) -> None:
        if not isinstance(item, dict):
            errors.add("InvalidType", "This value should be of type array.")
            return
        for name in item.keys() - {"id", "name", "color"}:
            errors.add("FieldNotExpected", "This field was not expected.", name)
        if "id" in item:
            known = isinstance(item["id"], int) and item["id"] in self.account.tags[draft.kind].by_id
            if not known and self.switches["unknown_tag_id"] == "400":
                errors.no_choice("id")
        elif not isinstance(item.get("name"), str):
            errors.add("FieldMissing", "This field is missing.", "name")
