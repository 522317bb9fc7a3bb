"""What a connector may know of all contacts of an account: their keyed phones and e-mails.

A directory spares a search for each person. It is kept by whoever calls (``crm_cache.directory``), under
marks from which nobody reads a phone; the connector reads the CRM and says which contact has which keys,
written as ``Person.keys`` are. A directory that is not complete proves that somebody is there, never that
somebody isn't.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DirectoryState:
    """How far a directory was read. Moments are the CRM's, in seconds since 1970; 0: nothing was read yet.

    ``complete``: a walk has come to the end, and changes were followed since. ``walked_to`` is the highest id
    that the walk under way has read, ``offset`` how many contacts there were up to it; both 0 between walks.
    All changes until ``changed_to`` are known, all events until ``events_to``. ``age``: seconds since the
    changes were read, ``read_at`` when this state was, by the clock of whoever keeps it. ``region`` is where
    phones without a country code belong. ``revision`` tells this state from every other one. ``hinted`` are
    contacts that notices named since they were read, the oldest first; anybody may have said so.
    """

    region: str
    revision: int = 0
    complete: bool = False
    walked_to: int = 0
    offset: int = 0
    changed_to: int = 0
    events_to: int = 0
    age: float = float("inf")
    read_at: float = 0.0
    hinted: tuple[int, ...] = ()


class ContactDirectory:
    """As it stands here there is none."""

    def turn(self) -> AbstractContextManager[object]:
        """Only one thread of this process at a time follows an account's changes."""
        return nullcontext()

    def state(self) -> DirectoryState | None:
        """As it is now; None where there is no directory, or it may not be used."""
        return None

    def find(self, keys: Collection[str]) -> Mapping[str, Sequence[int]]:
        """The contacts of each key. A key that is missing has none, if the directory is complete; of one with
        an empty sequence nothing is known, and the CRM is to be asked."""
        return dict.fromkeys(keys, ())

    def take(
        self,
        before: DirectoryState,
        after: DirectoryState,
        contacts: Mapping[int, Collection[str]],
        *,
        span: tuple[int, int] | None = None,
        followed: bool = False,
    ) -> bool:
        """Keep what was read after ``before``: these contacts have these keys and no others, none where they
        are gone. Of a ``span`` (low, high], both ids, nobody else is there. ``followed``: the changes were
        read, so the age counts from ``before``. What notices said of these contacts until then is done with.
        False, and nothing is kept, where somebody else was quicker.
        """
        return False

    def drop(self, contacts: Collection[int]) -> None:
        """The CRM refuses these: they are gone."""

    def ask_for_reading(self) -> None:
        """More has changed than a batch of leads can wait for: have somebody read it soon."""


class NoDirectory(ContactDirectory):
    """For CRMs without one, and for accounts whose contacts are not walked."""
