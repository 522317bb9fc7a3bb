"""A directory of contacts in memory, kept as ``crm_cache`` keeps it, but for the marks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from connectors.contact_directory import DirectoryState


class Phonebook:
    """``interrupt`` is called before anything is taken: somebody else may write then."""

    def __init__(self) -> None:
        self.kept = DirectoryState("RU")
        self.keys: dict[int, frozenset[str]] = {}
        self.interrupt = lambda: None
        self.taken = self.asked = 0

    def turn(self) -> AbstractContextManager[object]:
        return nullcontext()

    def state(self) -> DirectoryState | None:
        return self.kept

    def find(self, keys: Collection[str]) -> Mapping[str, Sequence[int]]:
        found = {key: [contact for contact, known in self.keys.items() if key in known] for key in keys}
        return {key: contacts for key, contacts in found.items() if contacts}

    def take(
        self,
        before: DirectoryState,
        after: DirectoryState,
        contacts: Mapping[int, Collection[str]],
        *,
        span: tuple[int, int] | None = None,
        followed: bool = False,
    ) -> bool:
        self.interrupt()
        if before.revision != self.kept.revision:
            return False
        low, high = span or (0, 0)
        self.keys = {one: known for one, known in self.keys.items() if not low < one <= high}
        self.keys |= {one: frozenset(known) for one, known in contacts.items()}
        self.keys = {one: known for one, known in self.keys.items() if known}
        hinted = tuple(one for one in self.kept.hinted if one not in contacts)
        self.kept = replace(after, revision=before.revision + 1, age=float("inf"), hinted=hinted)
        self.taken += 1
        return True

    def ask_for_reading(self) -> None:
        self.asked += 1

    def drop(self, contacts: Collection[int]) -> None:
        self.keys = {one: known for one, known in self.keys.items() if one not in contacts}
