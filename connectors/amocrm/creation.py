"""Making the leads of a batch: one request, mended and repeated where amoCRM refuses a part of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from connectors.amocrm.errors import NO_RIGHTS, NO_SCOPE, Ailment, ValidationFailed
from connectors.amocrm.mending import mend
from connectors.amocrm.talk import Talk, request_ids, rows
from connectors.amocrm.work import Work
from connectors.delivery import spread_account_error
from connectors.errors import ConnectorError, Refused, Unclear

COMPLEX = "/api/v4/leads/complex"
MOST_ROUNDS = 200
Meet = Callable[[Sequence[Work]], None]


class Creation:
    """``POST /leads/complex`` for drafts that have no lead yet (reference 4.2).

    ``meet`` looks a person up; it is asked again when amoCRM refuses a contact that we gave by id.
    """

    def __init__(self, talk: Talk, meet: Meet) -> None:
        self.talk = talk
        self.meet = meet

    def run(self, works: Sequence[Work]) -> None:
        """One bad lead harms only itself: what is named is mended, what isn't is found by halving."""
        queue = [list(works)]
        for _ in range(MOST_ROUNDS):
            if not queue:
                return
            batch = [work for work in queue.pop(0) if not work.error]
            if batch:
                queue = self._send(batch) + queue
                spread_account_error(works)
        for work in (work for work in works if not work.error and not work.lead):
            work.fail(Refused("amoCRM refuses the lead whatever is left out", code="validation"))

    def _send(self, batch: list[Work]) -> list[list[Work]]:
        """Send a batch; returns the batches to send next."""
        for work in batch:
            work.in_flight = True
        try:
            reply = self.talk.mass("POST", COMPLEX, [(work, work.parcel.body(work.uid)) for work in batch])
        except Refused as refusal:
            for work in batch:
                work.in_flight = False
            return self._after_refusal(batch, refusal)
        except ConnectorError as error:
            self._give_up(batch, error)
            return []
        self._settle(batch, reply)
        return []

    def _after_refusal(self, batch: list[Work], refusal: Refused) -> list[list[Work]]:
        named = owners(batch, refusal.ailments) if isinstance(refusal, ValidationFailed) else {}
        if named:
            self._mend(named)
            return [batch]
        if len(batch) > 1 and refusal.code not in (NO_RIGHTS, NO_SCOPE):
            middle = len(batch) // 2
            return [batch[:middle], batch[middle:]]
        for work in batch:
            work.fail(refusal)
        return []

    def _mend(self, named: dict[Work, list[Ailment]]) -> None:
        contacts = {work: work.parcel.contact_id for work in named}
        for work, ailments in named.items():
            mend(work, ailments)
        self.talk.record(named)
        lost = [w for w, contact in contacts.items() if contact and not w.parcel.contact_id and not w.error]
        if lost:
            self.meet(lost)

    def _give_up(self, batch: list[Work], error: ConnectorError) -> None:
        suspects = [work for work in batch if any(p.kind == "tracking" for p in work.parcel.lead.pieces)]
        if isinstance(error, Unclear) and error.code == "http_500":  # a REFERRER once gave 500 (issue 290)
            for work in suspects:
                work.journal["tracking"] = "later"
            self.talk.record(suspects)
        for work in batch:
            work.fail(error)

    def _settle(self, batch: list[Work], reply: object) -> None:
        """Matched by request id, never by position; written down before anything else is sent."""
        made = {uid: row for row in rows(reply) for uid in request_ids(row)}
        for work in batch:
            row = made.get(work.uid)
            if row is None or not row.get("id"):
                work.fail(Unclear("amoCRM's answer doesn't name this lead", code="no_reply"))
                continue
            ids = {"lead": row["id"], "contact": row.get("contact_id"), "company": row.get("company_id")}
            work.journal |= {step: str(remote_id) for step, remote_id in ids.items() if remote_id}
            if row.get("merged"):  # duplicate control gave us somebody's older lead (reference 5.3)
                work.journal["found"] = work.journal.get("contact", "")
                work.merged = True
        self.talk.record(batch)
        for work in batch:
            work.in_flight = bool(work.error)


def owners(batch: Sequence[Work], ailments: Sequence[Ailment]) -> dict[Work, list[Ailment]]:
    """Whose item each complaint is about; empty where the answer does not say."""
    if len(batch) == 1:
        return {batch[0]: list(ailments)}
    named: dict[Work, list[Ailment]] = {}
    by_uid = {work.uid: work for work in batch}
    for ailment in ailments:
        if work := by_uid.get(ailment.request_id):
            named.setdefault(work, []).append(ailment)
    return named
