"""A lead that is there is brought up to date with a later body of its answer (reference 7.1).

Fields that stand as we wrote them are overwritten, what people changed is left alone and told in a comment;
phones and e-mails are added to the client. Only the comment may not be repeated: it is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.changes import EDITED, may_write, same_value
from connectors.contact import is_same_reach
from connectors.draft import UnplacedValue
from connectors.envybox.answers import id_of, row_in
from connectors.envybox.errors import NO_DEAL, NO_LEAD
from connectors.envybox.following import whole
from connectors.envybox.overview import alive
from connectors.envybox.parcel import FieldEntry, fields_of, pack
from connectors.envybox.recovery import newest_deal
from connectors.envybox.taking import REFUSED, add_comment, refusals
from connectors.envybox.work import Talk, Work
from connectors.errors import Refused

GONE = "The lead was deleted in Envybox: it can't be brought up to date"
ONLY_CLIENTS = "Envybox adds contacts to clients, and this lead has none yet"


def update(talk: Talk, work: Work, money_fields: Sequence[str] = ()) -> None:
    """A later body's way from beginning to end."""
    for entity, standing in _standing(talk, work).items():
        _write(talk, work, entity, _changed(work, entity, standing, money_fields))
    _reach(talk, work)
    if work.has("deal") and (tags := work.parcel.tags):
        try:
            talk.deals.add_tags(work.journal["deal"], tags)  # those that are there stay single
        except Refused as error:
            work.warn("tags_refused", f"Envybox refused the tags: {error.message}")
    mark = f"{work.parcel.mark}r{work.draft.revision}"
    for number, text in enumerate(work.parcel.comments(), start=1):
        add_comment(talk, work, work.draft.note_step(number), f"{mark}c{number}", text)


def _standing(talk: Talk, work: Work) -> dict[str, Mapping[str, Any]]:
    """The values of each record by field id. Raises ``Refused`` (lead_gone).

    A lead that somebody took into work since is its deal by now.
    """
    if not work.has("deal"):
        lead = _alive(talk.leads.read, work.journal["lead"])
        if not (deal := newest_deal(lead)):
            return {"lead": _values(lead)}
        work.keep(deal=deal)
    record = _alive(talk.deals.read, work.journal["deal"])
    if not work.has("contact") and (client := id_of(record.get("client_id"))):
        work.keep(contact=client)
    found: dict[str, Mapping[str, Any]] = {"deal": _values(record)}
    if work.has("contact"):
        found["client"] = _values(whole(talk.clients.read(work.journal["contact"])))
    return found


def _alive(read: Callable[[str], dict[str, Any]], remote_id: str) -> dict[str, Any]:
    """Deleted ones may still be shown."""
    try:
        record = whole(read(remote_id))
    except Refused as error:
        if error.code not in (NO_DEAL, NO_LEAD):
            raise
        raise Refused(GONE, code="lead_gone") from error
    if not alive(record):
        raise Refused(GONE, code="lead_gone")
    return record


def _values(record: Mapping[str, Any]) -> dict[str, Any]:
    custom = row_in(row_in(record.get("values")).get("custom"))
    rows = (row for row in custom.values() if isinstance(row, dict))
    return {str(row.get("input_id")): row.get("value") for row in rows}


def _changed(
    work: Work, entity: str, standing: Mapping[str, Any], money_fields: Sequence[str]
) -> list[FieldEntry]:
    """What is to be written; what people changed is told."""
    olds = [pack(former, money_fields).pieces.get(entity, []) for former in work.draft.formers]
    changed = []
    for piece in work.parcel.pieces.get(entity, []):
        before = [{one.input_id: one.value for one in old}.get(piece.input_id) for old in olds]
        current = standing.get(piece.input_id)
        if same_value(current, piece.value):
            continue
        if may_write(current, before):
            changed.append(piece)
        elif not same_value(piece.value, before[-1] if before else None):
            work.parcel.losses.append(
                UnplacedValue(piece.question, piece.text, EDITED, entity, piece.input_id)
            )
    return changed


def _write(talk: Talk, work: Work, entity: str, pieces: list[FieldEntry]) -> None:
    def send(some: list[FieldEntry]) -> None:
        fields, client = fields_of(some), work.journal.get("contact") or None
        if entity == "deal":
            talk.deals.set_values(work.journal["deal"], fields, client_id=client)
        elif entity == "client":
            talk.clients.set_values(client or 0, fields)
        else:
            talk.leads.set_values(work.journal["lead"], fields)

    bad = refusals(send, pieces) if pieces else []
    for one in (one for one in pieces if one.input_id in bad):
        work.parcel.losses.append(UnplacedValue(one.question, one.text, REFUSED, entity, one.input_id))


def _reach(talk: Talk, work: Work) -> None:
    """Phones and e-mails that the client lacks. Read again on every try, so that none is added twice."""
    person = work.draft.person
    wanted = [("phone", one) for one in person.phones] + [("email", one) for one in person.emails]
    if not work.has("contact"):
        before = {key for former in work.draft.formers for key in former.person.keys}
        late = [(kind, one) for kind, one in wanted if f"{kind}:{one}" not in before]
        work.parcel.losses += [UnplacedValue(kind, one, ONLY_CLIENTS, "client") for kind, one in late]
        return
    client = work.journal["contact"]
    known = [str(row.get("value") or "") for row in talk.clients.contacts(client)]
    for kind, one in wanted:
        if any(is_same_reach(there, one) for there in known):
            continue
        work.unsettled = True
        try:
            talk.clients.add_contact(client, str(work.parcel.values["name"]), **{kind: one})
        except Refused:
            work.parcel.losses.append(UnplacedValue(kind, one, REFUSED, "client"))
        work.unsettled = False
