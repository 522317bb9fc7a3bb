"""Texts as solOS takes them: storable, and cut as the vendor's sample cuts them (reference 3)."""

from __future__ import annotations

LIMITS = {"name": 100, "phone": 50, "email": 100, "comment": 1000}


def cut(text: str, most: int) -> str:
    """Two dots where it was longer."""
    return text if len(text) <= most else text[: most - 2].rstrip() + ".."
