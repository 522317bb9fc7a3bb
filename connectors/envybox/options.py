"""What the operator sets for Envybox; each field is an environment variable ``ENVYBOX_<FIELD>``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EnvyOptions:
    """Where customers' accounts live, our pace there (reference 7.7), and what no document settles.

    ``self_hosted`` are white-label addresses, each allowed by name. ``keyword_covers_comment``: the keyword
    search of leads looks into the note, too (reference 9); without it more of them are read.
    ``utc_offset_hours``: how far Envybox's moments, which have no zone, are ahead of UTC (reference 1.6).
    """

    host_suffixes: tuple[str, ...] = ("envycrm.com",)
    exact_hosts: tuple[str, ...] = ()
    self_hosted: tuple[str, ...] = ()
    requests_per_second: float = 2.0
    burst: int = 2
    keyword_covers_comment: bool = True
    utc_offset_hours: float = 0.0
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
