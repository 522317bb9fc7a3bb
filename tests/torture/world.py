"""What a blow may reach: processes, servers, the local CRMs, the database, and the customers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from config.demo.environment import Environment
from tests.torture.cast import Cast
from tests.torture.customers import Customer
from tests.torture.moods import Moods
from tests.torture.servers import Servers
from tests.torture.watch import Watch

Course = Iterator[None]  # of something that takes time: it goes on whenever it is asked to


@dataclass
class World:
    """``hurt`` counts what was done, ``missed`` the blows that found nothing to hit,
    ``ended`` the processes that ended by themselves and were started again by us."""

    environment: Environment
    servers: Servers
    cast: Cast
    watch: Watch
    moods: Moods
    customers: Mapping[str, Customer]
    find: float = 30.0  # seconds until a blow gives up finding its moment
    lease: float = 30.0  # seconds of a lane's lease
    slow: float = 6.0  # seconds that a slow CRM takes for an answer
    hurt: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    courses: list[Course] = field(default_factory=list)

    def begin(self, course: Course) -> None:
        self.courses.append(course)

    def go_on(self) -> None:
        """A step of everything that is under way."""
        for course in list(self.courses):
            try:
                next(course)
            except StopIteration:
                self.courses.remove(course)


def until(ready: Callable[[], object], seconds: float, every: float = 0.0) -> Iterator[None]:
    """``yield from`` it: True once something is so, False where it took too long. ``every``: seconds between
    two looks, where a look costs others something."""
    deadline = time.monotonic() + seconds
    while not ready():
        looked = time.monotonic()
        if looked > deadline:
            return False
        yield
        while time.monotonic() < looked + every:
            yield
    return True


def after(seconds: float) -> Iterator[None]:
    yield from until(lambda: False, seconds)
