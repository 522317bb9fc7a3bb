"""What the operator sets for solOS, and what its rules say beyond performer, pipeline and step.

Each field of ``SolosOptions`` is an environment variable ``SOLOS_<FIELD>``. Much of the API is UNCONFIRMED
(reference 7), so what a first live account may want otherwise is set here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# A key of ``Placement.choices``: the number of an entry of solOS's directory of sources, which can't be read.
SOURCE = "reference_id"
ID_PATHS = ("payload.id", "payload.0.id", "payload", "id", "data.id", "result.id")


@dataclass(frozen=True, slots=True)
class SolosOptions:
    """Hosts, paths, the shape of a create and of its answer, the rate limit (reference 1, 5.2, 5.4).

    ``self_hosted`` are installations under names of their own, each allowed by name. ``payload_names``
    rename keys of a lead (``comment=description``), ``payload_constants`` add some (``group_id=2``).
    ``success`` is ``no_error`` (2xx without an error in it) or ``status`` (any 2xx). ``probe_leads`` allows
    to read leads back after a lost answer, which works only where the CRM lets us. ``lead_path`` is the page
    of a lead (``/leads/{id}``), ``project_path`` that of a project, both unknown by default.
    ``utc_offset_hours``: how far solOS's moments, which have no zone, are ahead of UTC.
    """

    host_suffixes: tuple[str, ...] = ("solos.pro",)
    self_hosted: tuple[str, ...] = ()
    user_agent: str = "solOS/1.0"
    projects_path: str = "/backend/public"
    create_path: str = "/api/post/"
    read_path: str = "/api/get/"
    create_module: str = "leads"
    payload_names: tuple[str, ...] = ()
    payload_constants: tuple[str, ...] = ()
    id_paths: tuple[str, ...] = ID_PATHS
    success: str = "no_error"
    probe_leads: bool = False
    lead_path: str = ""
    project_path: str = ""
    utc_offset_hours: float = 0.0
    page_size: int = 100
    walk_limit: int = 1000
    requests_per_second: float = 2.0
    connect_timeout: float = 10.0
    read_timeout: float = 30.0

    @property
    def exact_hosts(self) -> tuple[str, ...]:
        """The vendor has no server of its own that we talk to."""
        return ()

    @property
    def names(self) -> Mapping[str, str]:
        return dict(_pairs(self.payload_names))

    @property
    def constants(self) -> Mapping[str, str | int]:
        """Digits are numbers, as ids are in the vendor's sample."""
        found = dict(_pairs(self.payload_constants))
        return {key: int(text) if text.isdecimal() else text for key, text in found.items()}


def _pairs(lines: tuple[str, ...]) -> list[tuple[str, str]]:
    split = (line.partition("=") for line in lines)
    return [(key.strip(), text.strip()) for key, _, text in split if key.strip()]
