"""From a lead to its deal: taken into work, moved, filled, tagged, commented; each step once (7.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.draft import UnplacedValue
from connectors.envybox.answers import carries, id_of
from connectors.envybox.errors import IN_WORK, NO_DEAL, NO_LEAD
from connectors.envybox.parcel import FieldEntry, fields_of, is_id
from connectors.envybox.recovery import history, newest_deal
from connectors.envybox.work import Talk, Work
from connectors.errors import Refused, TryLater
from connectors.note_texts import lost
from connectors.text import tidy

COMMENT_LOG = 10
REFUSED = "Envybox refused this value"
NO_DEAL_YET = "Envybox made no deal of the lead"
NOT_MOVED = (
    "Envybox does not move deals to this step. "
    "Allow changing statuses manually in the settings of the pipeline."
)
LEFT, FILLED = "left", "ok"  # words of the journal for steps without an id
INTAKE_WAIT = 5.0


def take(talk: Talk, work: Work) -> None:
    """What a lead of this rule still needs; where the rule leaves leads, hardly anything."""
    written, comments = len(work.parcel.losses), work.parcel.comments()
    if work.parcel.deal and _deal(talk, work):
        _stage(talk, work)
        _fill(talk, work, "deal")
        _fill(talk, work, "client")
        _company(talk, work)
        _tags(talk, work)
    elif work.parcel.company:
        work.parcel.losses.append(UnplacedValue("company", work.parcel.company["short_name"], NO_DEAL_YET))
    late = tidy(lost(work.parcel.losses[written:], work.parcel.language))
    if late:
        add_comment(talk, work, "note", f"{work.parcel.mark}n", late)
    for number, text in enumerate(comments, start=1):
        if number > 1 or work.has("merged"):  # a merge may have hidden the lead's own comment
            add_comment(talk, work, f"comment{number}", f"{work.parcel.mark}c{number}", text)


# -- the deal -------------------------------------------------------------------------------------------


def _deal(talk: Talk, work: Work) -> bool:
    """The lead's deal: somebody's (automatic intake is fast), or made now. False where there can be none."""
    if work.has("deal") and work.has("contact"):
        return True
    try:
        deal, client = _taken(talk, work) or _start(talk, work)
    except Refused as error:
        if error.code == NO_LEAD:
            work.warn("lead_gone", "The lead was deleted in Envybox before it was taken into work.")
        else:
            work.warn("start_refused", f"Envybox does not take the lead into work: {error.message}")
        for entity in ("deal", "client"):
            work.parcel.lose(entity, NO_DEAL_YET)
        return False
    client = client or id_of(talk.deals.read(deal).get("client_id"))
    work.keep(deal=deal, contact=client)
    return True


def _taken(talk: Talk, work: Work) -> tuple[str, str] | None:
    deal = work.journal.get("deal") or newest_deal(talk.leads.read(work.journal["lead"]))
    return (deal, "") if deal else None


def _start(talk: Talk, work: Work) -> tuple[str, str]:
    """Nobody named: open to all. An employee needs the administrator's id beside it (reference 4.2)."""
    try:
        result = talk.leads.start(work.journal["lead"], *_who(talk, work))
    except Refused as error:
        if error.code == IN_WORK:
            return _taken(talk, work) or _soon()
        if error.code == NO_LEAD or not work.draft.placement.performer:
            raise
        work.warn("performer_refused", "Envybox refused the responsible person; the deal is open to all.")
        result = talk.leads.start(work.journal["lead"], 0, 0)
    deal = id_of(result.get("deal_id"))
    return (deal, id_of(result.get("client_id"))) if deal else _taken(talk, work) or _soon()


def _who(talk: Talk, work: Work) -> tuple[Any, Any]:
    performer = work.draft.placement.performer
    return (talk.user_id or 0, performer) if is_id(performer) else (0, 0)


def _soon() -> tuple[str, str]:
    raise TryLater("The lead is being taken into work just now", code="in_work", after=INTAKE_WAIT)


# -- what the deal gets -----------------------------------------------------------------------------------


def _stage(talk: Talk, work: Work) -> None:
    """Already there is success, and only reading tells (OBS); some pipelines forbid moving by hand."""
    wanted, deal = work.draft.placement.step, work.journal["deal"]
    if is_id(wanted) and not work.has("stage") and not _is_at(talk, deal, wanted):
        try:
            talk.deals.move(deal, wanted)
        except Refused:
            wanted = wanted if _is_at(talk, deal, wanted) else LEFT
        work.keep(stage=wanted)
    if work.journal.get("stage") == LEFT:
        work.warn("stage_refused", NOT_MOVED, "StepID")


def _is_at(talk: Talk, deal: str, stage: str) -> bool:
    try:
        return id_of(talk.deals.read(deal).get("stage_id")) == stage
    except Refused as error:
        if error.code == NO_DEAL:
            return False
        raise


def _fill(talk: Talk, work: Work, entity: str) -> None:
    """Once; what was refused is remembered in the journal, so that a later try still tells it."""
    pieces, step = work.parcel.pieces.get(entity, []), f"{entity}_fields"
    if not pieces:
        return
    if not work.has(step):
        work.keep(**{step: ",".join(refusals(_sender(talk, work, entity), pieces)) or FILLED})
    refused = work.journal[step].split(",")
    for one in (one for one in pieces if one.input_id in refused):
        work.parcel.losses.append(UnplacedValue(one.question, one.text, REFUSED, entity, one.input_id))


def refusals(send: Callable[[list[FieldEntry]], None], pieces: list[FieldEntry]) -> list[str]:
    """All values at once; where that is refused, one by one, so that one bad value costs only itself."""
    try:
        send(pieces)
    except Refused:
        return [one.input_id for one in pieces if not _taken_in(send, one)]
    return []


def _taken_in(send: Callable[[list[FieldEntry]], None], piece: FieldEntry) -> bool:
    try:
        send([piece])
    except Refused:
        return False
    return True


def _sender(talk: Talk, work: Work, entity: str) -> Callable[[list[FieldEntry]], None]:
    deal, client = work.journal["deal"], work.journal.get("contact") or None
    if entity == "deal":
        return lambda pieces: talk.deals.set_values(deal, fields_of(pieces), client_id=client)
    return lambda pieces: talk.clients.set_values(client or 0, fields_of(pieces))


def _tags(talk: Talk, work: Work) -> None:
    """They came with the lead, unless Envybox united it with an older one."""
    if not work.parcel.tags or not work.has("merged") or work.has("tags"):
        return
    try:
        talk.deals.add_tags(work.journal["deal"], work.parcel.tags)
    except Refused as error:
        work.warn("tags_refused", f"Envybox refused the tags: {error.message}")
    work.keep(tags="1")


def _company(talk: Talk, work: Work) -> None:
    """Once, and not where the client has it already. Envybox keeps a company of a client, not of a deal."""
    company, client = work.parcel.company, work.journal.get("contact")
    if not company or work.has("company"):
        return
    try:
        known = talk.clients.companies(client) if client else []
        if client and not any(str(one.get("inn")) == company["inn"] for one in known):
            work.unsettled = True
            talk.clients.add_company(client, **company)
    except Refused as error:
        work.warn("company_refused", f"Envybox refused the company: {error.message}")
        work.parcel.losses.append(UnplacedValue("company", company["short_name"], REFUSED))
    work.keep(company="1")


# -- the note -------------------------------------------------------------------------------------------


def add_comment(talk: Talk, work: Work, step: str, mark: str, text: str) -> None:
    """A comment beside the lead's own: what turned out late to fit nowhere, and what had no room there."""
    if work.has(step):
        return
    try:
        if not (work.must_look and _is_said(talk, work, mark)):
            work.unsettled = True
            _say(talk, work, f"{text}\n{mark}")
    except Refused as error:
        work.warn("note_refused", f"Envybox refused the comment: {error.message}")
    work.keep(**{step: "1"})


def _say(talk: Talk, work: Work, text: str) -> None:
    if work.has("deal"):
        talk.deals.comment(work.journal["deal"], text)
    else:
        talk.leads.add_log(work.journal["lead"], COMMENT_LOG, {"comment": text})


def _is_said(talk: Talk, work: Work, mark: str) -> bool:
    """A second comment would be a second one: its history is read first (reference 7.5)."""
    if work.has("deal"):
        logs = history(lambda offset: talk.deals.logs(work.journal["deal"], offset=offset))
    else:
        logs = history(lambda offset: talk.leads.logs(work.journal["lead"], offset=offset))
    return any(carries(log.get("data"), mark) for log in logs)
