"""Lists of CRMs without a contract on the wire: which lists there are, and which columns their rows fill."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from rest_framework.serializers import BooleanField, ChoiceField, DateTimeField

from accounts.rest.derived import Described, described
from accounts.rest.schema import Int64
from accounts.rest.values import rfc3339
from crm_cache.serializers.shape import DELETED, ListShape, Property, list_shape, of_account, of_row

COMPONENTS = {"users": "User", "pipelines": "Pipeline", "steps": "Step", "fields": "Field", "tags": "Tag"}
KINDS = partial(ChoiceField, choices=["open", "incoming", "won", "lost"])
# Columns of the cached lists: their names over REST, with descriptions where the CRM has none of its own.
COLUMNS = {
    "email": ("email", of_row("email", "e-mail")),
    "role": ("role", of_row("role", "role")),
    "group_id": ("groupID", of_row("group_id", "the user's group")),
    "entity": ("entity", of_row("entity", "kind of record")),
    "is_main": ("isMain", of_row("is_main", "where leads go whose rule names none", BooleanField)),
    "pipeline_id": ("pipelineID", of_row("pipeline_id", "the CRM's id of the pipeline")),
    "kind": ("kind", of_row("kind", "what a lead in this step is", KINDS)),
    "color": ("color", of_row("color", "colour")),
    "type": ("type", of_row("type", "type of value")),
    "code": ("code", of_row("code", "code by which rules may name the field")),
}


def lists_for(kind: str) -> list[ListShape]:
    """The lists of a CRM, in the order of ``can.lists``."""
    crm = described(kind)
    return [_list(crm, what) for what in crm.can.lists]


def _list(crm: Described, what: str) -> ListShape:
    name, word = COMPONENTS[what], what.capitalize()
    own = dict(COLUMNS[column] for column in crm.rest.columns[what])
    texts = {key: crm.text(one.text, f"{name}.{key}") for key, one in own.items()}
    properties = _shared(crm) | {key: replace(one, text=texts[key]) for key, one in own.items()}
    return list_shape(
        what,
        f"{crm.word}{name}",
        properties,
        f"{crm.word}{word}Resp",
        (f"Get{crm.word}{word}", f"Refresh{crm.word}{word}"),
        word,
        count=Int64,
        text=crm.text("", name),
        lenient=True,
    )


def _shared(crm: Described) -> dict[str, Property]:
    """What the rows of all lists have."""
    by_hand = of_row("by_hand", "named or added by staff, and left alone by every refresh", BooleanField)
    return {
        "id": of_row("pk", "id in our system, primary key", Int64),
        "accountID": of_account("remote_id", crm.text(f"id of the account in {crm.label}", "accountID")),
        crm.id_name: of_row("remote_id", crm.text(f"id in {crm.label}", f"Row.{crm.id_name}")),
        "name": of_row("name", crm.text("name", "Row.name")),
        **({"byHand": by_hand} if crm.can.observes else {}),
        "deleted": DELETED,
        "createdAt": of_row("created_at", "when it came into our system", DateTimeField, rfc3339),
    }
