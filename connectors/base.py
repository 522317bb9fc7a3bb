"""What every CRM's connector promises.

A connector is built for one account by ``accounts.access``: it is given where the account lives
(``Remote``), an auth object with its token store, a limiter and the integration's own options. It takes
values and returns values; it knows no models and no settings.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit

from connectors.auth import Auth, Bearer, Tokens
from connectors.contact_directory import ContactDirectory, NoDirectory
from connectors.draft import Comparison, Exchange, LeadDraft, Placement, Plan, Problem, Receipt, Target
from connectors.errors import ConnectorError
from connectors.hosts import HostPolicy
from connectors.http import HttpClient, ResponseClassifier
from connectors.lead_status import ChangeNotice, Followed, LeadStatus
from connectors.limiter import RateLimiter
from connectors.messages import message
from connectors.rows import Row
from connectors.ssrf_guard import vet
from connectors.survey import SurveyPage


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that only this CRM's rules say: ``key`` of ``Placement.choices``, ``word`` for people.

    It is an entry of a directory (``Step.entity``), a number (``typed``) that a person looks up in the
    CRM, as no method lists it, or yes or no, with a ``default``. ``name`` is the REST API's, where the
    CRM's own key is no name.
    """

    key: str
    word: str
    directory: str = ""
    typed: bool = False
    default: bool = False
    name: str = ""

    @property
    def is_flag(self) -> bool:
        return not (self.directory or self.typed)


NO_TASKS = message("This CRM makes no tasks through its API")


@dataclass(frozen=True, slots=True)
class TaskSupport:
    """Tasks that a CRM makes on a lead. ``refusal`` says why it makes none, empty where it does.

    ``departments``: a task may be a department's in place of a person's. ``types``: its tasks have kinds.
    """

    refusal: str = NO_TASKS
    departments: bool = False
    types: bool = False

    def __bool__(self) -> bool:
        return not self.refusal

    def __str__(self) -> str:
        kinds = (name for name in ("departments", "types") if getattr(self, name))
        return "no" if self.refusal else ", ".join(("yes", *kinds))


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a CRM can do, said as data. Callers ask these; nobody asks which CRM it is."""

    oauth: bool = False  # the account is connected on a consent page and its tokens are refreshed
    portal_first: bool = False  # the user names the portal before the consent page
    credentials: tuple[str, ...] = ()  # what an account without a consent page is opened with (accounts.keys)
    batch: int = 1  # how many leads `deliver` takes at a time, so that requests are full
    parallel: int = 1  # how many batches of one account may be in flight at a time
    spread: int = 0  # fewer leads than these are spread over them, at least so many in each; 0: they are not
    find_by_external_id: bool = False  # a lead can be looked up by our external id
    surveys: bool = False  # its leads can be walked with our external ids (`survey`)
    creates_fields: bool = False  # fields can be made through the API
    updates: bool = False  # a lead that is there can be brought up to date (`LeadDraft.formers`)
    joins: bool = False  # an open lead of the person can be found and given a note (`LeadDraft.repeated`)
    deletes_leads: bool = False  # a lead can be deleted through the API; done to tests alone
    follow: int = 0  # how many leads `follow` is asked about at a time; 0: it can't be asked
    hooks: bool = False  # the CRM posts changes of leads to an address that `subscribe` names
    observes: bool = False  # lists hold what was seen in passing: a row that is missing proves nothing
    tells_rights: bool = False  # `check` learns which rights our sign-in has; where not, nobody can ask
    records: tuple[str, ...] = ()  # what a lead may be by now (`Standing.record`), the likeliest first
    refresh_every: int = 0  # seconds between renewals of tokens; 0: at two thirds of their life
    directory: bool = False  # all of an account's contacts can be walked, and followed as they change
    contact_codes: Mapping[str, str] = field(default_factory=dict)  # contact key (phone) -> Field.code
    lists: tuple[str, ...] = ()  # the lists that can be synced, in the order a rule needs them
    entities: Mapping[str, str] = field(default_factory=dict)  # our word -> the CRM's word in Field.entity
    choices: tuple[Choice, ...] = ()  # what its rules say beyond performer, pipeline and step
    tasks: TaskSupport = TaskSupport()  # tasks on leads that are made through the API (`LeadDraft.task`)
    existing: tuple[str, ...] = ()  # our words of records that are found, and written by `LeadDraft.existing`
    tells_owner: bool = False  # a contact's own responsible is known before its lead is made


# Columns of the cached lists that most CRMs fill.
LIST_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "users": ("email", "role"),
    "pipelines": ("entity", "is_main"),
    "steps": ("pipeline_id", "entity", "kind", "color"),
    "fields": ("entity", "type", "code"),
    "tags": ("entity", "color"),
}


@dataclass(frozen=True, slots=True)
class RestShape:
    """What REST shows of a CRM that no contract describes, beyond what its capabilities say.

    ``account`` are columns of the account that not every CRM fills, ``flags`` booleans of the account by
    their REST name, read from its facts; ``columns`` by list what its rows fill beyond id and name.
    ``mapped`` are the kinds of record whose fields a rule names: all of ``can.entities`` where it is empty.
    ``longest_secret`` is the most characters of a credential. ``texts`` are descriptions for the OpenAPI
    document by component or property (``Account``, ``User.email``), each in place of a general one.
    """

    account: tuple[str, ...] = ("name",)
    flags: Mapping[str, Callable[[Mapping[str, Any]], bool]] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: LIST_COLUMNS)
    mapped: tuple[str, ...] = ()
    longest_secret: int = 1000
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Remote:
    """One account in its CRM. ``facts`` is what ``Connector.prepare`` and ``identify`` learned of it."""

    base_url: str
    remote_id: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose account it is. ``facts`` are small things a delivery needs (time zone, switched-on parts)."""

    remote_id: str
    name: str
    host: str
    subdomain: str = ""
    country: str = ""
    user_id: str = ""
    user_name: str = ""
    user_email: str = ""
    user_role: str = ""
    user_group: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Callback:
    """What a CRM's consent page sent back, checked: the code and the host to exchange it at."""

    code: str
    host: str
    remote_id: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """The fruit of an exchange: tokens, and the host at which they are good."""

    tokens: Tokens
    host: str
    remote_id: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a CRM tells of an installation in one of its accounts; nothing of it is proven yet.

    ``secret`` proves the notices of this installation. The first one can only be proven by the tokens it
    brings (``grant``), a removal brings none.
    """

    remote_id: str
    secret: str = field(repr=False)
    removed: bool = False
    grant: Grant | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """Something of the CRM's lists that a rule names: of ``pipelines``, or of ``steps`` and directories.

    ``word`` is what a person calls it, ``field`` where the rule says it. ``entity`` and ``pipeline`` narrow
    the list as its rows do. Without a ``vital`` one leads land in the wrong place.
    """

    what: str
    remote_id: str
    word: str
    field: str
    entity: str = ""
    pipeline: str = ""
    vital: bool = True


@dataclass(frozen=True, slots=True)
class FieldWish:
    """A field that a rule wants made: which record type, what it is called, which question fills it.

    ``question_type`` is the quiz's word (text, number, date, select, multiselect, file, phone, email ...),
    ``choices`` its texts where it has any.
    """

    entity: str
    name: str
    question_type: str = "text"
    choices: tuple[str, ...] = ()


class Journal(Protocol):
    """Where a connector writes down what it made, before it sends the next request."""

    def record(self, done: Mapping[str, Mapping[str, str]]) -> None:
        """Keep ``{uid: {step: remote id}}`` durably, in one statement."""

    def assign(self, owners: Mapping[str, str]) -> Mapping[str, str]:
        """Who looks after the leads of drafts that ask (``LeadDraft.asks_owner``), ``{uid: remote user}``.

        ``owners``: who looks after the contact of each, empty where nobody does or it is new. It is kept
        before this returns, so that a later try does not ask again. Only where ``can.tells_owner``.
        """


class SignIn(Protocol):
    """How an account of an OAuth CRM is connected. One object per process, built from the options."""

    def authorize_url(self, state: str, portal: str = "") -> str:
        """The consent page to send the browser to."""

    def read_callback(self, query: Mapping[str, str], portal: str = "") -> Callback:
        """Check what came back. Raises ``BadCallback`` (denied, missing, or a host that isn't allowed)."""

    def exchange(self, callback: Callback) -> Grant:
        """Code for tokens. Raises ``BadCallback`` (used, expired), ``OurMistake`` or ``TryLater``."""

    def refresh(self, host: str, tokens: Tokens, facts: Mapping[str, Any] | None = None) -> Grant:
        """New tokens for old. Raises ``NeedsReconnect`` (definitive), ``OurMistake`` or ``TryLater``.

        ``facts`` are the account's, for CRMs whose tokens name the server that renews them.
        Never ``Unclear``: the same refresh token may always be sent again.
        """

    def read_uninstall(self, query: Mapping[str, str]) -> str:
        """The remote account id of a genuine uninstall call. Raises ``BadCallback``."""

    def read_notice(self, form: Mapping[str, str]) -> Notice | None:
        """A posted notice, None where it is about something else. Only where the CRM posts notices."""


class Connector(ABC):
    """One account's CRM. Subclasses fill in ``can`` and the methods below.

    ``can`` is data of the class. An object may have a ``can`` of its own where an ability is the account's
    own (a search that only some accounts allow); whoever has no connector at hand asks the class, which
    then claims the lesser. ``rest`` is read only for CRMs without a contract (``registry.Entry.contract``).
    """

    auth_class: ClassVar[type[Auth]] = Bearer
    can: Capabilities
    rest: ClassVar[RestShape] = RestShape()

    def __init__(
        self, remote: Remote, auth: Auth, limiter: RateLimiter, options: Any, hosts: HostPolicy
    ) -> None:
        self.remote = remote
        self.auth = auth
        self.limiter = limiter
        self.options = options
        self.hosts = hosts
        self.directory: ContactDirectory = NoDirectory()

    def client_at(
        self,
        base_url: str,
        reader: ResponseClassifier,
        on_exchange: Callable[[Exchange], None] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpClient:
        """With the account's sign-in, at its pace. A host that the operator allowed by name is reached at
        public addresses alone."""
        if urlsplit(base_url).netloc in getattr(self.options, "self_hosted", ()):
            vet(self.remote.base_url)
        return HttpClient(
            base_url,
            reader,
            auth=self.auth,
            limiter=self.limiter,
            timeout=(self.options.connect_timeout, self.options.read_timeout),
            headers=headers,
            on_exchange=on_exchange,
        )

    # -- connecting ---------------------------------------------------------------------------------

    @staticmethod
    def sign_in(options: Any, hosts: HostPolicy) -> SignIn:
        """The OAuth side; only where ``can.oauth``."""
        raise NotImplementedError

    @abstractmethod
    def identify(self) -> Identity:
        """Ask the CRM who we are talking to."""

    def prepare(self) -> Mapping[str, Any]:
        """Make in the CRM what deliveries rely on (a field for external ids); returns facts to keep."""
        return {}

    @abstractmethod
    def check(self) -> tuple[Problem, ...]:
        """Is the account alive and which rights are missing? Raises like any call."""

    # -- mirroring ----------------------------------------------------------------------------------

    def fetch(self, what: str) -> Iterator[Sequence[Row]]:
        """Walk one of ``can.lists``, page by page. Raises like any call."""
        if what not in self.can.lists:
            raise ValueError(f"{type(self).__name__} has no list called {what}")
        return self.pages_of(what)

    def pages_of(self, what: str) -> Iterator[Sequence[Row]]:
        """The same, which each CRM with lists has; ``what`` is one of them."""
        raise NotImplementedError

    # -- rules --------------------------------------------------------------------------------------

    @classmethod
    def zone(cls, facts: Mapping[str, Any]) -> tzinfo | None:
        """By which clock the account's people work; None where the CRM does not tell. Pure."""
        return None

    @classmethod
    def named(cls, place: Placement, facts: Mapping[str, Any]) -> tuple[Named, ...]:
        """What a rule names of the account's lists, pipelines before what is in them. Pure."""
        pipeline = Named("pipelines", place.pipeline, message("Pipeline"), "PipelineID")
        step = Named("steps", place.step, message("Step"), "StepID", pipeline=place.pipeline)
        return tuple(one for one in (pipeline, step) if one.remote_id)

    @classmethod
    def refuses_task(cls, place: Placement) -> str:
        """Why a lead that goes there can't have a task; empty where it can. Pure."""
        return cls.can.tasks.refusal

    @staticmethod
    def holds_several(target: Target) -> bool:
        """Can a field hold the answers to several questions: texts one after another, several choices? Pure.

        The layout of a lead (``custom_fields.one_per_field``) and the checks of rules both ask this.
        """
        return target.multiple

    @staticmethod
    def chooses(target: Target) -> bool:
        """Is an answer in this field one of its options, which we know? Pure."""
        return bool(target.options)

    @staticmethod
    def demands(details: Mapping[str, Any]) -> bool:
        """Does the CRM call this field required, be it at some steps only? Pure; ``details`` are those of its
        row. False where a CRM does not say."""
        return False

    def create_fields(self, wishes: Sequence[FieldWish], known: Sequence[Target]) -> list[Target]:
        """Make the wished fields, aligned with ``wishes``; what ``known`` or the CRM already has is taken.

        A repeat makes no second field. Only where ``can.creates_fields``.
        """
        raise NotImplementedError

    # -- people -------------------------------------------------------------------------------------

    def use_directory(self, directory: ContactDirectory) -> None:
        """Find people in a directory of the account's contacts, where it is complete. ``can`` may change."""
        self.directory = directory

    def has_more_contacts_than(self, number: int) -> bool:
        """Asked before a first walk. Raises like any call; only where ``can.directory``."""
        raise NotImplementedError

    def walk_contacts(self, goes_on: Callable[[], bool]) -> bool:
        """Read contacts into the directory from where the last walk ended, as long as ``goes_on`` says.

        True once the end was reached. Raises like any call; only where ``can.directory``.
        """
        raise NotImplementedError

    # -- delivering ---------------------------------------------------------------------------------

    @abstractmethod
    def deliver(self, drafts: Sequence[LeadDraft], journal: Journal) -> list[Receipt | ConnectorError]:
        """Create what the drafts ask for; one outcome per draft, in order. Never raises.

        At most ``can.batch`` drafts. Every remote id is recorded in ``journal`` as soon as it is known.
        """

    def take_over(self, former: Connector) -> None:
        """``former``, of the same account, begins nothing more; its copies may deliver in other threads."""
        return

    def compare(self, drafts: Sequence[LeadDraft]) -> list[Comparison | ConnectorError]:
        """What ``deliver`` would change of leads that are there; an outcome per draft, in order.

        Never raises, reads only. Only for drafts with ``formers``, where ``can.updates``.
        """
        raise NotImplementedError

    @abstractmethod
    def plan(self, draft: LeadDraft) -> Plan:
        """The requests that ``deliver`` would send for this draft on a first try. Sends nothing."""

    def find_all(self, uids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Every lead that carries one of these external ids, ``{uid: lead ids}``: several where one was made
        twice. What a look does not see is missing. Raises like any call; only where
        ``can.find_by_external_id``."""
        raise NotImplementedError

    def survey(self, since: datetime, place: Mapping[str, Any]) -> SurveyPage:
        """A part of the leads that were made since then; ``place`` is empty at first, then that of the part
        before. Raises like any call; only where ``can.surveys``. Reads only: it may be repeated at any time.
        """
        raise NotImplementedError

    # -- following ----------------------------------------------------------------------------------

    def follow(self, leads: Sequence[Followed]) -> list[LeadStatus | ConnectorError | None]:
        """How these leads stand now, in order; None for one that can't be found yet. Never raises.

        At most ``can.follow`` of them. Reads only: it may be repeated at any time.
        """
        raise NotImplementedError

    def delete_lead(self, lead: Followed) -> None:
        """Delete the record that a delivery made, while it is ours; what is gone already is fine.

        Raises like any call. Only where ``can.deletes_leads``.
        """
        raise NotImplementedError

    def subscribe(self, url: str, contacts: bool = False) -> None:
        """Have changes of leads posted to ``url``; a repeat changes nothing. Only where ``can.hooks``.

        ``contacts``: those of contacts, too, and without it no longer; only where ``can.directory``. Raises
        like any call: ``Refused`` where the account's plan or our rights don't allow it.
        """
        raise NotImplementedError

    def unsubscribe(self, url: str) -> None:
        """Have nothing more posted to ``url``; raises like any call. Only where ``can.hooks``."""
        raise NotImplementedError

    @staticmethod
    def read_hook(form: Mapping[str, str]) -> ChangeNotice:
        """What a posted notice is about. Pure, for any form: one that makes no sense names no records.

        Where a CRM's notices are not documented, any of them is reason enough to look.
        """
        return ChangeNotice()
