"""The readable record of an answer, as a note on its lead (reference 4.11)."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.amocrm.creation import owners
from connectors.amocrm.errors import ValidationFailed
from connectors.amocrm.fields import tidy
from connectors.amocrm.people import embedded
from connectors.amocrm.talk import Talk, fail_all
from connectors.amocrm.work import Work
from connectors.errors import ConnectorError, Refused
from connectors.words import lost

NOTES = "/api/v4/leads/notes"
LONGEST_NOTE = 60_000  # no bound is documented
MOST_NOTES = 250


def note_text(work: Work) -> str:
    """The draft's note, what found no place, and our mark on the last line; empty without content."""
    parts = [tidy(work.draft.note), tidy(lost(work.parcel.losses, work.draft.language))]
    text = "\n\n".join(part for part in parts if part)
    return f"{text[:LONGEST_NOTE]}\n\n[{work.draft.note_mark}]" if text else ""


class Notes:
    """Notes are never deduplicated by amoCRM: after an unclear try the lead's own are read first."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk

    def run(self, works: Sequence[Work]) -> None:
        waiting = [work for work in works if work.lead and not _noted(work) and note_text(work)]
        unsure = [work for work in waiting if work.must_look]
        if unsure:
            self.talk.each(unsure, self._recognise)
            self.talk.record([work for work in unsure if _noted(work)], *_steps(unsure))
        self._send([work for work in waiting if not _noted(work) and not work.error])

    def _recognise(self, work: Work) -> None:
        door = self.talk.door_for([work])
        params = {"filter[note_type][]": "common", "limit": MOST_NOTES}
        try:
            page = door.call("GET", f"/api/v4/leads/{work.lead}/notes", params=params)
        except Refused:  # the lead is gone since; the note itself will say so
            return
        for note in embedded(page, "notes"):
            if (
                str((note.get("params") or {}).get("text") or "")
                .rstrip()
                .endswith(f"[{work.draft.note_mark}]")
            ):
                work.journal[work.draft.note_step] = str(note["id"])

    def _send(self, works: Sequence[Work]) -> None:
        if not works:
            return
        for work in works:
            work.unsettled = True
        try:
            reply = self.talk.mass("POST", NOTES, [(work, note_item(work)) for work in works])
        except Refused as refusal:
            self._after_refusal(works, refusal)
        except ConnectorError as error:
            fail_all(works, error)
        else:
            for step in _steps(works):
                self.talk.settle([work for work in works if work.draft.note_step == step], reply, step)

    def _after_refusal(self, works: Sequence[Work], refusal: Refused) -> None:
        """The lead is there; a note that amoCRM won't have is no reason to hold it."""
        for work in works:
            work.unsettled = False
        named = owners(works, refusal.ailments) if isinstance(refusal, ValidationFailed) else {}
        bad = list(named) or (list(works) if len(works) == 1 else [])
        for work in bad:
            work.warn("note_refused", f"amoCRM does not take the note ({refusal.message}).")
        good = [work for work in works if work not in bad]
        for part in [good] if bad else [[work] for work in good]:
            self._send(part)


def _noted(work: Work) -> bool:
    return bool(work.journal.get(work.draft.note_step))


def _steps(works: Sequence[Work]) -> list[str]:
    return sorted({work.draft.note_step for work in works})


def note_item(work: Work) -> dict[str, object]:
    return {
        "entity_id": int(work.lead),
        "note_type": "common",
        "params": {"text": note_text(work)},
        "request_id": work.uid,
    }
