"""A directory of an account's contacts: walked once, then kept up with what changes (reference 11).

It relies on the order of lists alone, which is no paid option. A list is read in windows that begin before
the last contact that is known: as long as that one is seen, nothing between was missed, whatever was deleted
or restored meanwhile. Changes are read from the newest back to the last one that is known; what might
not count as a change (UNCONFIRMED: a merge, another phone) is among the events, which may be late, and in
notices, which may be lost or forged: whom one names is read anew, a few at a time.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Any

from connectors.amocrm.client import Found, fetch_records
from connectors.amocrm.lists import field_texts, has_next, page_of
from connectors.amocrm.recovery import SKEW, created_at
from connectors.contact import stored_keys
from connectors.contact_directory import ContactDirectory, DirectoryState
from connectors.errors import ConnectorError, Refused, TryLater
from connectors.http import HttpClient
from connectors.messages import message
from connectors.text import is_id, text_of

log = logging.getLogger(__name__)

LIST, EVENTS = "/api/v4/contacts", "/api/v4/events"
PAGE, EVENTS_PAGE = 250, 100
FRESH = 1.0  # seconds for which changes that were read are new enough: a batch needs no other look
OVERLAP = 10  # seconds before an answer, of which the changes may be seen later than they say
EVENTS_EVERY = 10.0  # seconds; who is gone is refused by amoCRM, too, so nothing hangs on them
MOST_PAGES = 40  # of changes that are followed; where there are more the contacts are walked again
MOST_EVENT_PAGES = 5
MOST_LOOKS = 3  # one after another, where other processes are at it
MOST_RECORDS = 5  # contacts of events that are read one by one, for each page of changes that may be read
NARROWEST = 0.8  # of a page: so much fewer contacts may a window hold, if its end lies farther for it
WINDOWS = 4  # under way at a time, so that the pace and not the latency counts
MOST_STEPS_BACK = 5
BESIDE = 10  # contacts of a page that the next one is to show again: others change while these are read
LAST = 2**62  # beyond every id
Row = Mapping[str, Any]


@dataclass(slots=True)
class Heard:
    """What this process has seen of an account: events, and contacts with their last change."""

    events: OrderedDict[str, None] = field(default_factory=OrderedDict)
    changes: OrderedDict[int, int] = field(default_factory=OrderedDict)

    MOST = 20_000

    def note(self, rows: Iterable[Row], events: Iterable[str] = ()) -> None:
        self.changes.update((int(row["id"]), changed_at(row)) for row in rows)
        self.events.update(dict.fromkeys(events))
        for book in (self.changes, self.events):
            while len(book) > self.MOST:
                book.popitem(last=False)


_HEARD: dict[str, Heard] = {}


def heard_of(base_url: str) -> Heard:
    return _HEARD.setdefault(base_url, Heard())


# -- reading pages ----------------------------------------------------------------------------------------


def changed_at(row: Row) -> int:
    """Seconds since 1970; 0 where the contact doesn't say."""
    at = row.get("updated_at")
    return int(at) if isinstance(at, (int, float)) else 0


def keys_of(row: Row, region: str) -> frozenset[str]:
    """By which phones and e-mails a contact is found."""
    return stored_keys(field_texts(row, "PHONE"), field_texts(row, "EMAIL"), region)


@dataclass(frozen=True, slots=True)
class Page:
    """Contacts, whether another page follows, and until when changes are surely in it: by amoCRM's clock."""

    rows: list[dict[str, Any]]
    more: bool
    until: int


def read_page(http_client: HttpClient, order: str, way: str, limit: int, number: int) -> Page:
    """Raises like any call."""
    params = {f"order[{order}]": way, "limit": limit, "page": number}
    answer = http_client.ask("GET", LIST, params=params)
    rows = [row for row in page_of(answer.json, "contacts") if is_id(text_of(row.get("id")))]
    return Page(rows, has_next(answer.json), _given_at(answer.headers, rows) - OVERLAP)


def _given_at(headers: Mapping[str, str], rows: Sequence[Row]) -> int:
    """When the answer was given; where it does not say, some change was made before it that is not ahead."""
    try:
        return int(parsedate_to_datetime(headers["Date"]).timestamp())
    except (KeyError, TypeError, ValueError):
        now = int(time.time())
        return max((moment for row in rows if (moment := changed_at(row)) <= now), default=0)


def has_more_than(http_client: HttpClient, number: int) -> bool:
    """Has the account more contacts than that? One request; an account that won't say has."""
    try:
        rows = read_page(http_client, "id", "asc", 1, number + 1).rows
    except Refused:
        return True
    return bool(rows)


# -- what changes -----------------------------------------------------------------------------------------


def up_to_date(
    http_client: HttpClient, directory: ContactDirectory, people: int = PAGE
) -> DirectoryState | None:
    """The state in which the directory may be asked: complete, with all changes but those of a moment ago.

    None where it can't be had, or would cost more than to search for so many ``people``. Raises like any
    call, but for an account that may not read its contacts.
    """
    came, most = time.monotonic(), min(MOST_PAGES, people + 1)
    with directory.turn():
        for _ in range(MOST_LOOKS):
            state = directory.state()
            if state is None or not state.complete:
                return None
            if state.age <= max(FRESH, time.monotonic() - came):  # somebody began to read after we had asked
                return state
            try:
                caught_up = catch_up(http_client, directory, state, most)
            except Refused as refusal:
                log.warning("amocrm: contacts can't be read (%s)", refusal.code)
                return None
            except Overtaken:
                continue
            if caught_up is None:
                directory.ask_for_reading()
            return caught_up
    return None


class Overtaken(TryLater):
    """Another process has taken in pages of the same account meanwhile."""


def catch_up(
    http_client: HttpClient, directory: ContactDirectory, state: DirectoryState, most: int
) -> DirectoryState | None:
    """Take in what changed since; None where it is more than ``most`` pages. Raises ``Overtaken``."""
    now = int(time.time())
    changed = _changes(http_client, state, most)
    if changed is None:
        return None
    rows, changed_to = changed
    contacts: dict[int, Any] = {int(row["id"]): keys_of(row, state.region) for row in rows}
    events_to, fresh_events = state.events_to, list[str]()
    heard = heard_of(http_client.base_url)
    heard.note(rows)
    if now - state.events_to >= EVENTS_EVERY:
        told = _told_by_events(http_client, state, rows, heard, MOST_RECORDS * most)
        if told is None:
            return None
        gone, asked, fresh_events = told
        contacts |= {number: () for number in gone if number not in contacts}
        contacts |= _read_alone(http_client, [n for n in asked if n not in contacts], state.region)
        events_to = now
    contacts |= _read_hinted(http_client, state, [n for n in state.hinted if n not in contacts], most)
    after = replace(state, changed_to=changed_to, events_to=events_to, age=0.0)
    kept = _kept(directory, state, after, contacts, followed=True)
    heard.note((), fresh_events)
    return kept


def _changes(http_client: HttpClient, state: DirectoryState, most: int) -> tuple[list[Row], int] | None:
    """The contacts that changed, with hinted ones that stand beside them, and until when all changes are
    known now. None where that can't be told by so many pages: with an order that isn't obeyed, or a gap.

    As many pages as will be needed are read at a time: others wait for them. Each begins above the last
    contact that was seen, or with one of that second that was seen, so that none between was missed, whoever
    came, changed or went meanwhile.
    """
    until, newest, oldest, changed, hinted = 0, 0, 0, dict[str, Row](), set(state.hinted)
    seen, asked, size, gaps = set[str](), 0, PAGE, 0
    windows = [Window(PAGE, 1)]
    while windows and gaps <= MOST_STEPS_BACK:
        asked += len(windows)
        for window, page in zip(windows, _newest(http_client, windows), strict=True):
            ids, moments = [str(row["id"]) for row in page.rows], [changed_at(row) for row in page.rows]
            if moments != sorted(moments, reverse=True):
                return None  # an order that isn't obeyed proves nothing
            if seen and seen.isdisjoint(ids[:1]) and oldest >= max(moments, default=0):
                place, ahead, gaps = window.start - size // 2, 1.0, gaps + 1
                break
            until = until or page.until
            for number, row, moment in zip(ids, page.rows, moments, strict=True):
                if moment >= state.changed_to or int(number) in hinted:
                    changed.setdefault(number, row)
            if not page.more or not ids or moments[-1] < state.changed_to:
                return list(changed.values()), max(state.changed_to, until)
            seen.update(ids)
            newest, oldest = newest or moments[0], min(oldest or moments[-1], moments[-1])
            size, place = min(size, len(ids)), window.start + len(ids)
            ahead = place / size * (oldest - state.changed_to + 1) / max(newest - oldest, 1)
        windows = _windows(place, size, min(ceil(ahead), WINDOWS, most - asked), BESIDE)
    return None


def _newest(http_client: HttpClient, windows: Sequence[Window]) -> Iterable[Page]:
    """Of the list of contacts by their last change. A single page is read in the caller's thread."""

    def read(window: Window) -> Page:
        return read_page(http_client, "updated_at", "desc", window.limit, window.number)

    if len(windows) == 1:
        return [read(windows[0])]
    with ThreadPoolExecutor(len(windows)) as pool:
        return list(pool.map(read, windows))


DELETED = "contact_deleted"
EVENT_TYPES = (DELETED, "contact_restored", "entity_merged")
OF_CONTACTS = ("contact", "contacts")


def _told_by_events(
    http_client: HttpClient, state: DirectoryState, rows: Sequence[Row], heard: Heard, most: int
) -> tuple[list[int], list[int], list[str]] | None:
    """(who is gone, who is to be read, ids of the events that say so); None where more than ``most`` were to
    be read, or where there are too many events. Whom a page of changes has shown since is passed over."""
    fields = {
        one.get("field_id")
        for row in rows
        for one in row.get("custom_fields_values") or []
        if one.get("field_code") in ("PHONE", "EMAIL")
    }
    types = [*EVENT_TYPES, *sorted(f"custom_field_{number}_value_changed" for number in fields if number)]
    since = max(state.events_to - SKEW, 0)
    newest: dict[int, str] = {}
    ids: list[str] = []
    for number in range(1, MOST_EVENT_PAGES + 1):
        params = {"filter[type][]": types, "filter[created_at][from]": since}
        try:
            body = http_client.call("GET", EVENTS, params={**params, "limit": EVENTS_PAGE, "page": number})
        except Refused as refusal:  # whoever is gone is refused when a lead names them
            log.info("amocrm: events can't be read (%s)", refusal.code)
            return [], [], []
        for event in page_of(body, "events"):
            name = text_of(event.get("id"))
            if name and name in heard.events:
                continue
            ids.append(name)
            what = text_of(event.get("type"))
            for contact in _contacts_in(event):
                if what == DELETED or heard.changes.get(contact, -1) < created_at(event):
                    newest.setdefault(contact, what)
        if not has_next(body):
            break
    else:
        return None
    gone = [contact for contact, what in newest.items() if what == DELETED]
    asked = [contact for contact, what in newest.items() if what != DELETED]
    return None if len(asked) > most else (gone, asked, ids)


def _contacts_in(event: Row) -> list[int]:
    """The contacts that an event is about; a merge names several, and which of them stays nobody confirms."""
    named = [(event.get("entity_type"), event.get("entity_id"))]
    for side in ("value_before", "value_after"):
        values = event.get(side)
        for value in values if isinstance(values, list) else ():
            entity = value.get("entity") if isinstance(value, dict) else None
            if isinstance(entity, dict):
                named.append((entity.get("type"), entity.get("id")))
    return [int(text_of(number)) for kind, number in named if kind in OF_CONTACTS and is_id(text_of(number))]


def _read_alone(http_client: HttpClient, contacts: Sequence[int], region: str) -> dict[int, frozenset[str]]:
    """What these have now; nothing where they are gone. Raises the error of one that can't be told."""
    found = fetch_records(http_client, "contacts", [str(number) for number in contacts])
    for row in found.values():
        if isinstance(row, ConnectorError):
            raise row
    return {int(number): _keys_in(row, region) for number, row in found.items()}


def _read_hinted(
    http_client: HttpClient, state: DirectoryState, hinted: Sequence[int], most: int
) -> dict[int, frozenset[str]]:
    """As ``_read_alone``, but a contact for each second since the last look at most, and no error: a flood of
    notices may not cost what a directory spares, nor one of them a lead its delivery. The rest waits, and
    so does whoever can't be told just now; whom we may not see is nobody we know."""
    share = int(min(MOST_RECORDS * most, 1 + state.age))
    found = fetch_records(http_client, "contacts", [str(number) for number in hinted[:share]])
    return {int(number): _keys_in(row, state.region) for number, row in found.items() if _is_told(row)}


def _is_told(row: Found) -> bool:
    return not isinstance(row, ConnectorError) or (isinstance(row, Refused) and not row.account_wide)


def _keys_in(row: Found, region: str) -> frozenset[str]:
    return keys_of(row, region) if isinstance(row, Mapping) else frozenset()


# -- the walk ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Window:
    """A page of a list, and at which place it begins."""

    limit: int
    number: int

    @property
    def start(self) -> int:
        return (self.number - 1) * self.limit

    @property
    def end(self) -> int:
        return self.number * self.limit


def window_at(place: int, most: int = PAGE) -> Window:
    """The page that begins before ``place`` (the number of contacts that were read) and ends farthest behind
    it: it shows the last contact that was read, and as many new ones as a page can."""
    if place <= 0:
        return Window(most, 1)
    limits = range(max(int(NARROWEST * most), 1), most + 1)
    return max((Window(one, (place - 1) // one + 1) for one in limits), key=lambda one: (one.end, one.limit))


def _windows(place: int, most: int, count: int, beside: int = 0) -> list[Window]:
    """So many pages from ``place`` on, each of which shows so many contacts (and one) of the one before."""
    windows: list[Window] = []
    for _ in range(count):
        windows.append(window_at(max(place - beside, 1), most))
        place = windows[-1].end
    return windows


def walk(http_client: HttpClient, directory: ContactDirectory, goes_on: Callable[[], bool]) -> bool:
    """Read on where the last walk ended, as long as ``goes_on`` says. True once the end was reached.

    Raises like any call, and ``TryLater`` where somebody else is at it; what was read until then is kept.
    """
    state = directory.state()
    if state is None:
        raise _disturbed()
    state = _begin(http_client, directory, state)
    return Walk(http_client, directory, state).run(goes_on)


def _begin(http_client: HttpClient, directory: ContactDirectory, state: DirectoryState) -> DirectoryState:
    """All changes from here on are known at the end, however long it takes."""
    if state.changed_to:
        caught_up = catch_up(http_client, directory, state, MOST_PAGES)
        if caught_up:
            return caught_up
    until = max(read_page(http_client, "updated_at", "desc", 1, 1).until, 1)
    fresh = replace(
        state, complete=False, walked_to=0, offset=0, changed_to=until, events_to=int(time.time())
    )
    return _kept(directory, state, fresh)


def _kept(
    directory: ContactDirectory,
    before: DirectoryState,
    after: DirectoryState,
    contacts: Mapping[int, frozenset[str]] | None = None,
    span: tuple[int, int] | None = None,
    followed: bool = False,
) -> DirectoryState:
    if not directory.take(before, after, contacts or {}, span=span, followed=followed):
        raise _disturbed()
    return replace(after, revision=before.revision + 1)


def _disturbed() -> Overtaken:
    return Overtaken(message("Somebody else reads these contacts"), code="directory_busy", after=1)


@dataclass(eq=False)
class Walk:
    """One walk, or a part of it."""

    http_client: HttpClient
    directory: ContactDirectory
    state: DirectoryState
    most: int = PAGE  # contacts that a page holds here
    steps_back: int = 0

    def run(self, goes_on: Callable[[], bool]) -> bool:
        """The first page goes alone and in the caller's thread, as in ``connectors.delivery.each``."""
        if not goes_on():
            return False
        first = window_at(self.state.offset, self.most)
        if self._take(first, self._read(first)):
            return True
        with ThreadPoolExecutor(WINDOWS) as pool:
            while goes_on():
                windows = _windows(self.state.offset, self.most, WINDOWS)
                for window, page in zip(windows, pool.map(self._read, windows), strict=True):
                    before = self.state.offset
                    if self._take(window, page):
                        return True
                    if self.state.offset < before:  # what was read ahead has a gap before it
                        break
        return False

    def _read(self, window: Window) -> Page:
        return read_page(self.http_client, "id", "asc", window.limit, window.number)

    def _take(self, window: Window, page: Page) -> bool:
        """Keep a page that joins what is known; True at the end of the list."""
        rows, more = page.rows, page.more
        ids = [int(row["id"]) for row in rows]
        if ids != sorted(ids):
            raise Refused(message("amoCRM doesn't keep to the order of contacts"), code="order_ignored")
        if more and 0 < len(rows) < window.limit:  # pages are shorter here than what was asked for
            self.most = len(rows)
            window = Window(len(rows), window.number)
        known = self.state.walked_to
        if known and window.number > 1 and (not rows or ids[0] > known):
            return self._step_back(window)
        fresh = [row for row in rows if int(row["id"]) > known]
        place = window.start + len(rows)
        if fresh:
            self.steps_back = 0
            after = replace(self.state, walked_to=ids[-1], offset=place)
            self.state = self._keep(after, fresh, (known, ids[-1]))
        else:
            self.state = replace(self.state, offset=max(place, self.state.offset + 1))
        return not more and self._end()

    def _step_back(self, window: Window) -> bool:
        """Contacts before this page are gone, so that it begins behind what is known."""
        self.steps_back += 1
        if self.steps_back > MOST_STEPS_BACK:
            return self._end()
        self.state = replace(self.state, offset=max(min(window.start, self.state.offset - self.most), 0))
        return False

    def _end(self) -> bool:
        """The newest contacts join what was read, or the list was cut off before its end."""
        page = read_page(self.http_client, "id", "desc", PAGE, 1)
        rows, known = page.rows, self.state.walked_to
        if page.more and rows and int(rows[-1]["id"]) > known:
            raise Refused(message("amoCRM doesn't show all of its contacts"), code="list_cut")
        fresh = [row for row in rows if int(row["id"]) > known]
        self._keep(replace(self.state, complete=True, walked_to=0, offset=0), fresh, (known, LAST))
        return True

    def _keep(self, after: DirectoryState, rows: Sequence[Row], span: tuple[int, int]) -> DirectoryState:
        contacts = {int(row["id"]): keys_of(row, self.state.region) for row in rows}
        return _kept(self.directory, self.state, after, contacts, span)
