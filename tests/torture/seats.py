"""All seats of a run: started, told that a round begins, listened to, killed, replaced."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import TracebackType

from tests.torture import seat

PATIENCE = 120.0  # seconds for a round: a silent sign-in server holds a worker for fifteen


@dataclass
class Seat:
    process: multiprocessing.process.BaseProcess
    pipe: Connection

    @property
    def name(self) -> str:
        return seat.name_of(self.process.pid or 0)


class Seats:
    """Used as a context; our environment at that moment is theirs."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.context = multiprocessing.get_context("forkserver")
        self.seats: list[Seat] = []

    def __enter__(self) -> Seats:
        self.context.set_forkserver_preload([seat.__name__])
        self.fill()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for one in self.seats:
            one.process.kill()
            one.process.join()

    def fill(self) -> None:
        """Somebody in every seat."""
        while len(self.seats) < self.count:
            ours, theirs = self.context.Pipe()
            process = self.context.Process(target=seat.sit, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            self.seats.append(Seat(process, ours))

    def kill(self, name: str) -> None:
        """SIGKILL, which nobody can catch."""
        [victim] = [one for one in self.seats if one.name == name]
        victim.process.kill()
        victim.process.join()
        self.seats.remove(victim)

    def play(self, disturb: Callable[[], None]) -> Counter[str]:
        """One round: everybody at once, whoever is told to come later comes again. Outcomes in the end."""
        asked = list(self.seats)
        for one in asked:
            one.pipe.send("begin")
        disturb()
        outcomes, until = Counter[str](), time.monotonic() + PATIENCE
        waiting = {one.pipe: one for one in asked if one in self.seats}
        while waiting and time.monotonic() < until:
            for pipe in wait(list(waiting), timeout=1):
                outcome = pipe.recv()
                if outcome == seat.LATER:
                    time.sleep(0.05)
                    pipe.send("again")
                else:
                    outcomes[outcome] += 1
                    del waiting[pipe]
        return outcomes + Counter({"no answer": len(waiting)})
