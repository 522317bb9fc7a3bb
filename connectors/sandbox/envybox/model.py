"""What an account holds. Ids are numbers here; how they travel is the writer's business (``show``)."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

LEAD, CLIENT, DEAL = 1, 2, 3
SERVICE, CUSTOM = 1, 2
NEW, IN_WORK, WON, LOST = 2001, 2002, 2003, 2004


@dataclass
class Employee:
    id: int
    user_id: int
    name: str
    surname: str
    email: str = ""
    profession: str = ""


@dataclass
class InboxType:
    id: int
    name: str
    type: str = "1"
    deleted_at: float | None = None


@dataclass
class Stage:
    id: int
    name: str
    status_id: int
    position: int
    color: str = "rgb(35, 148, 254)"
    deleted_at: float | None = None


@dataclass
class Pipeline:
    id: int
    element: int
    name: str
    primary: bool = False
    manual: bool = True  # allow_manual_change_stage
    stages: dict[int, Stage] = field(default_factory=dict)
    deleted_at: float | None = None

    @property
    def first(self) -> Stage:
        alive = [stage for stage in self.stages.values() if stage.deleted_at is None]
        return min(alive, key=lambda stage: stage.position)

    def named(self, name: str) -> Stage:
        return next(stage for stage in self.stages.values() if stage.name == name)


@dataclass
class Input:
    """A field: of the CRM (service) or of the account (custom)."""

    id: int
    element: int
    name: str
    type_id: int = 2
    name_id: str = ""
    value_type: int = CUSTOM
    pipeline_id: int | None = None
    required: bool = False
    addon: str = ""
    use_in_pipeline: bool = False
    transfer_input_id: int | None = None
    deleted_at: float | None = None

    def __post_init__(self) -> None:
        self.name_id = self.name_id or f"crm_{self.id}"


@dataclass
class Card:
    """What leads, deals and clients share."""

    id: int
    created_at: float
    service: dict[str, Any] = field(default_factory=dict)  # by name_id
    custom: dict[int, Any] = field(default_factory=dict)  # by input id
    updated_at: float = 0.0
    deleted_at: float | None = None


@dataclass
class Lead(Card):
    stage_id: int = 0
    pipeline_id: int = 0
    deal_pipeline_id: int = 0
    deal_stage_id: int = 0
    employee_id: int = 0
    user_id: int = 0
    department_id: int = 0
    inbox_type_id: int = 0
    parent_id: int = 0
    merged: list[int] = field(default_factory=list)  # children
    client_id: int = 0
    deals: list[int] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    contacts: list[dict[str, Any]] = field(default_factory=list)
    record_link: str = ""
    visit_id: int = 0
    stage_updated_at: float = 0.0
    keys: tuple[str, ...] = ()  # phones and e-mails, normalised


@dataclass
class Deal(Card):
    client_id: int = 0
    pipeline_id: int = 0
    stage_id: int = 0
    employee_id: int = 0
    user_id: int = 0
    department_id: int = 0
    inbox_type_id: int = 0
    leads: list[int] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    stage_updated_at: float = 0.0
    closed_at: float | None = None
    in_inbox: bool = False
    parent_id: int = 0


@dataclass
class Contact:
    """A person of a client, with a row for each phone and e-mail."""

    id: int
    client_id: int
    name: str
    phones: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)
    created_at: float = 0.0


@dataclass
class Client(Card):
    contacts: list[Contact] = field(default_factory=list)
    companies: list[dict[str, Any]] = field(default_factory=list)
    deals: list[int] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)


@dataclass
class Log:
    id: int
    element: int
    element_id: int
    type_id: int
    data: dict[str, Any]
    created_at: float
    user_id: int = 0
    employee_id: int = 0


@dataclass
class Task:
    id: int
    deal_id: int
    time: int
    comment: str
    employee_id: int = 0
    department_id: int = 0
    success: bool = False
    created_at: float = 0.0


@dataclass
class Crm:
    """One customer's Envybox."""

    id: int
    subdomain: str
    key: str
    port: int | None = None
    own_host: str = ""  # a white-label address
    user_id: int = 501
    name: str = ""
    webhook_url: str = ""
    employees: dict[int, Employee] = field(default_factory=dict)
    inbox_types: dict[int, InboxType] = field(default_factory=dict)
    pipelines: dict[int, Pipeline] = field(default_factory=dict)
    inputs: dict[tuple[int, int], dict[int, Input]] = field(default_factory=dict)  # by element, value type
    leads: dict[int, Lead] = field(default_factory=dict)
    deals: dict[int, Deal] = field(default_factory=dict)
    clients: dict[int, Client] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)
    tags: dict[str, int] = field(default_factory=dict)
    queue: list[tuple[float, dict[str, Any]]] = field(default_factory=list)  # lead/workset, by due time
    intake: list[tuple[float, int]] = field(default_factory=list)  # automatic intake, by due time

    def __post_init__(self) -> None:
        self.name = self.name or self.subdomain
        self.numbers = itertools.count(self.id * 100_000 + 1)
        self.leads_of: dict[str, list[int]] = defaultdict(list)  # by phone or e-mail
        self.clients_of: dict[str, int] = {}
        self.logs_of: dict[tuple[int, int], list[Log]] = defaultdict(list)  # by element and its id

    @property
    def host(self) -> str:
        return self.own_host or f"{self.subdomain}.envycrm.com"

    def new_id(self) -> int:
        return next(self.numbers)

    def lines(self, element: int) -> Iterator[Pipeline]:
        return (line for line in self.pipelines.values() if line.element == element)

    def primary(self, element: int) -> Pipeline:
        return next(line for line in self.lines(element) if line.primary)

    def stage(self, stage_id: int) -> Stage | None:
        lines = self.pipelines.values()
        return next((line.stages[stage_id] for line in lines if stage_id in line.stages), None)

    def line(self, name: str, element: int = DEAL) -> Pipeline:
        return next(line for line in self.lines(element) if line.name == name)

    def input(self, name: str, element: int = DEAL, value_type: int = CUSTOM) -> Input:
        return next(one for one in self.inputs[element, value_type].values() if one.name == name)

    def tag_id(self, name: str) -> int:
        return self.tags.setdefault(name, len(self.tags) + 1)
