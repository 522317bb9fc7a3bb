"""How long a portal takes for a method, so that no request comes near its 60 seconds (reference 2.1, 4.4)."""

from __future__ import annotations

WRITE, READ = 1.0, 0.5  # seconds, until the portal has said better: 25 writes fill a request, or 50 look-ups
WEIGHT = 0.1  # of the newest call


class Speed:
    """Seconds by method, as the portal tells them with each answer: an average that forgets."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def of(self, method: str) -> float:
        return self.seconds.get(method, WRITE if method.endswith(".add") else READ)

    def note(self, method: str, seconds: float) -> None:
        """Zero where the portal does not tell."""
        if seconds > 0:
            before = self.seconds.get(method, seconds)
            self.seconds[method] = before + WEIGHT * (seconds - before)


_SPEEDS: dict[str, Speed] = {}


def speed_at(portal: str) -> Speed:
    """What this process has seen of a portal."""
    return _SPEEDS.setdefault(portal, Speed())
