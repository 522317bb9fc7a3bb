"""Ways of paging, each a generator that anyone can test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Ask = Callable[[int], Any]
MOST_PAGES = 10_000


def numbered(ask: Ask, has_next: Callable[[Any], bool]) -> Iterator[Any]:
    """Pages 1, 2, 3 ... while the last one says that another follows; an empty page (None) ends the walk."""
    for number in range(1, MOST_PAGES + 1):
        page = ask(number)
        if page is None:
            return
        yield page
        if not has_next(page):
            return
