"""The readable record of an answer, as a note on its lead (reference 4.11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.amocrm.creation import owners
from connectors.amocrm.errors import ValidationFailed
from connectors.amocrm.fields import tidy
from connectors.amocrm.people import embedded
from connectors.amocrm.talk import Talk
from connectors.amocrm.work import Work
from connectors.delivery import fail_all
from connectors.errors import ConnectorError, Refused
from connectors.note_texts import lost, parts
from connectors.text import paragraphs

NOTES = "/api/v4/leads/notes"
LONGEST_NOTE = 60_000  # no bound is documented
MOST_PARTS = 10  # more than the longest body that is taken in
MOST_NOTES = 250


def note_texts(work: Work) -> list[str]:
    """The draft's note and what found no place, in as many notes as it takes; each ends with our mark."""
    text = paragraphs(tidy(work.draft.note), tidy(lost(work.losses, work.draft.language)))
    pieces = parts(text, LONGEST_NOTE, MOST_PARTS, work.draft.language)
    return [f"{piece}\n\n[{work.draft.note_mark(number)}]" for number, piece in enumerate(pieces, start=1)]


class Notes:
    """Notes are never deduplicated by amoCRM: after an unclear try the lead's own are read first."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk

    def run(self, works: Sequence[Work]) -> None:
        """The first notes of all drafts in one request, then their second ones, and so on."""
        texts = {work: note_texts(work) for work in works if work.lead}
        waiting = [work for work, own in texts.items() if _missing(work, own)]
        unsure = [work for work in waiting if work.must_look]
        if unsure:
            self.talk.each(unsure, self._recognise)
            self.talk.record(unsure)
        for number in range(1, max(map(len, texts.values()), default=0) + 1):
            ready = [work for work in waiting if not work.error and number in _missing(work, texts[work])]
            self._send({work: texts[work][number - 1] for work in ready}, number)

    def _recognise(self, work: Work) -> None:
        http_client = self.talk.door_for([work])
        params = {"filter[note_type][]": "common", "limit": MOST_NOTES}
        try:
            page = http_client.call("GET", f"/api/v4/leads/{work.lead}/notes", params=params)
        except Refused:  # the lead is gone since; the note itself will say so
            return
        for note in embedded(page, "notes"):
            text = str((note.get("params") or {}).get("text") or "").rstrip()
            for number in range(1, MOST_PARTS + 1):
                if text.endswith(f"[{work.draft.note_mark(number)}]"):
                    work.journal[work.draft.note_step(number)] = str(note["id"])

    def _send(self, texts: Mapping[Work, str], number: int) -> None:
        if not texts:
            return
        works = list(texts)
        for work in works:
            work.in_flight = True
        try:
            items = [(work, note_item(work, text)) for work, text in texts.items()]
            reply = self.talk.mass("POST", NOTES, items)
        except Refused as refusal:
            self._after_refusal(texts, number, refusal)
        except ConnectorError as error:
            fail_all(works, error)
        else:
            for step in {work.draft.note_step(number) for work in works}:
                self.talk.settle(
                    [work for work in works if work.draft.note_step(number) == step], reply, step
                )

    def _after_refusal(self, texts: Mapping[Work, str], number: int, refusal: Refused) -> None:
        """The lead is there; a note that amoCRM won't have is no reason to hold it."""
        works = list(texts)
        for work in works:
            work.in_flight = False
        named = owners(works, refusal.ailments) if isinstance(refusal, ValidationFailed) else {}
        bad = list(named) or (list(works) if len(works) == 1 else [])
        for work in bad:
            work.warn("note_refused", f"amoCRM does not take the note ({refusal.message}).")
        good = [work for work in works if work not in bad]
        for part in [good] if bad else [[work] for work in good]:
            self._send({work: texts[work] for work in part}, number)


def _missing(work: Work, texts: Sequence[str]) -> list[int]:
    """The numbers of the notes that are not written down as made."""
    return [
        number for number in range(1, len(texts) + 1) if not work.journal.get(work.draft.note_step(number))
    ]


def note_item(work: Work, text: str) -> dict[str, object]:
    return {
        "entity_id": int(work.lead),
        "note_type": "common",
        "params": {"text": text},
        "request_id": work.uid,
    }
