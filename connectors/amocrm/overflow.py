"""Values beyond the 40 that a creation takes, sent by PATCH (reference 4.2, 4.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.amocrm.creation import owners
from connectors.amocrm.errors import Ailment, ValidationFailed
from connectors.amocrm.mending import mend
from connectors.amocrm.sheets import FieldEntry, Sheet
from connectors.amocrm.talk import Talk
from connectors.amocrm.work import Work
from connectors.delivery import fail_all
from connectors.errors import ConnectorError, Refused

STEPS = {"leads": "lead", "contacts": "contact", "companies": "company"}
INCOMING = "amoCRM takes a lead out of incoming when it is changed"
FAILED = "amoCRM fails on this statistics field"


class Overflow:
    """A change may be repeated without harm, so a lost answer is only a reason to wait."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk

    def run(self, works: Sequence[Work]) -> None:
        waiting = [work for work in works if work.lead and not work.journal.get("rest")]
        for work in waiting:
            self._give_up_incoming(work)
        late = [work for work in waiting if work.parcel.later]
        self._statistics(late)
        full = [(work, sheet) for work in waiting if not work.error for sheet in self._full(work)]
        for entity in STEPS:
            self.send(entity, [(work, sheet) for work, sheet in full if sheet.entity == entity])
        done = {work for work, _ in full if not work.error} | {work for work in late if not work.error}
        for work in done:
            work.journal["rest"] = work.lead
        self.talk.record(done)

    def _full(self, work: Work) -> list[Sheet]:
        """The cards of this draft's own making that have values left, cut down to those values."""
        own = {"leads": work.lead, "contacts": work.own_contact, "companies": work.journal.get("company")}
        rests = [(s.entity, s.rest()) for s in work.parcel.sheets() if own[s.entity]]
        return [Sheet(entity, pieces=rest) for entity, rest in rests if rest]

    def _give_up_incoming(self, work: Work) -> None:
        if not work.parcel.metadata:
            return
        lead = work.parcel.lead
        for piece in (*lead.rest(), *work.parcel.later):
            work.lose(piece.loss("leads", INCOMING))
        lead.pieces = lead.pieces[: len(lead.pieces) - len(lead.rest())]
        work.parcel.later = []

    def send(self, entity: str, cards: list[tuple[Work, Sheet]]) -> None:
        """Change the cards, all at once; what is refused by name is dropped, and what isn't is sent one by
        one."""
        cards = [(w, sheet) for w, sheet in cards if not w.error and (sheet.pieces or sheet.head)]
        if not cards:
            return
        items = [(work, self._item(work, entity, sheet.pieces, sheet.head)) for work, sheet in cards]
        try:
            self.talk.mass("PATCH", f"/api/v4/{entity}", items, safe=True)
        except Refused as refusal:
            self._after_refusal(entity, cards, refusal)
        except ConnectorError as error:
            fail_all([work for work, _ in cards], error)

    def _after_refusal(self, entity: str, cards: list[tuple[Work, Sheet]], refusal: Refused) -> None:
        ailments = refusal.ailments if isinstance(refusal, ValidationFailed) else ()
        named = owners([work for work, _ in cards], ailments)
        if ailments and named:
            for work, sheet in cards:
                self._mend(work, sheet, named.get(work, []))
            self.send(entity, cards)
        elif len(cards) > 1:
            for card in cards:
                self.send(entity, [card])
        else:
            self._drop_all(*cards[0], str(refusal))

    def _mend(self, work: Work, sheet: Sheet, ailments: list[Ailment]) -> None:
        """The lead stands already: what can't be mended costs these values, not the delivery."""
        if not ailments:
            return
        mend(work, ailments, sheet)
        if work.error:
            reason, work.error = work.error.message, None
            self._drop_all(work, sheet, reason)

    def _drop_all(self, work: Work, sheet: Sheet, reason: str) -> None:
        for piece in sheet.pieces:
            work.lose(piece.loss(sheet.entity, reason))
        sheet.pieces, sheet.head = [], {}

    def _statistics(self, works: Sequence[Work]) -> None:
        """Alone, since they made a creation fail: another failure costs these values only (4.9)."""
        if not works:
            return
        items = [(work, self._item(work, "leads", work.parcel.later)) for work in works]
        try:
            self.talk.mass("PATCH", "/api/v4/leads", items, safe=True)
        except ConnectorError as error:
            if not isinstance(error, Refused) and error.code != "http_500":
                fail_all(works, error)
                return
            for work in works:
                for piece in work.parcel.later:
                    work.lose(piece.loss("leads", FAILED))

    def _item(
        self, work: Work, entity: str, pieces: Sequence[FieldEntry], head: Mapping[str, Any] | None = None
    ) -> dict[str, object]:
        values = {"custom_fields_values": [piece.entry for piece in pieces]} if pieces else {}
        return {"id": int(work.journal[STEPS[entity]]), "request_id": work.uid, **(head or {}), **values}
