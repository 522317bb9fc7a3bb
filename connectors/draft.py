"""The values that travel between the rules and a connector.

``rules`` fills a ``LeadDraft`` from a rule and an answer; a connector turns it into a CRM's requests and
hands back a ``Receipt``. Neither side sees the other's rows or JSON. Remote ids are strings everywhere,
because some CRMs number their things and others name them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a list field: its remote id and the text a person sees."""

    remote_id: str
    text: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A field of the CRM that takes an answer, as our cache knows it. ``type`` is the CRM's own word."""

    entity: str
    remote_id: str
    name: str
    type: str
    code: str = ""
    options: tuple[Option, ...] = ()
    multiple: bool = False


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One answer on its way into one field: plain text, or several texts where several were picked."""

    target: Target
    question: str
    value: str | tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        return self.value if isinstance(self.value, tuple) else (self.value,)

    @property
    def text(self) -> str:
        return ", ".join(self.texts)

    def unplaced(self, reason: str) -> UnplacedValue:
        """It is not in its field."""
        return UnplacedValue(self.question, self.text, reason, self.target.entity, self.target.remote_id)


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag to put on ``entity``; CRMs that know tags by name alone leave ``remote_id`` empty."""

    entity: str
    name: str
    remote_id: str = ""


def keys_of_person(phones: Iterable[str], emails: Iterable[str]) -> list[str]:
    """``Person.keys`` of somebody who is not made."""
    return [f"phone:{phone}" for phone in phones] + [f"email:{email}" for email in emails]


@dataclass(frozen=True, slots=True)
class Person:
    """Who answered. Phones are valid and in E.164, e-mails as ``connectors.contact.email_key`` has them."""

    name: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    messengers: Mapping[str, str] = field(default_factory=dict)
    city: str = ""

    @property
    def known_as(self) -> tuple[str, ...]:
        """Their name and all by which they can be reached, the best to be called by first."""
        return (self.name, *self.phones, *self.emails, *self.messengers.values())

    @property
    def keys(self) -> tuple[str, ...]:
        """What makes two answers the same person: ``phone:+7...`` and ``email:a@b``."""
        return tuple(keys_of_person(self.phones, self.emails))


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the lead goes and who looks after it. Empty strings mean the CRM's own default."""

    performer: str = ""
    pipeline: str = ""
    step: str = ""
    step_kind: str = ""
    choices: Mapping[str, Any] = field(default_factory=dict)


LEAVE, FILL, OVERWRITE = "leave", "fill", "overwrite"


@dataclass(frozen=True, slots=True)
class WriteMode:
    """What may be written into a contact or company that was there before (``connectors.existing``).

    ``usual`` counts for every field that ``fields`` does not name, by remote id or code; ``NAME`` is the
    record's own name. ``append``: phones, e-mails and messengers that it lacks are added.
    """

    usual: str = LEAVE
    append: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)

    NAME: ClassVar[str] = "name"

    def of(self, *keys: str) -> str:
        """The mode of the field that is called so."""
        return next((self.fields[key] for key in keys if key in self.fields), self.usual)

    def adds(self, key: str, is_empty: bool) -> bool:
        """Are phones, e-mails or messengers added to this field? They are never replaced."""
        mode = self.of(key)
        return self.append or mode == OVERWRITE or (mode == FILL and is_empty)


@dataclass(frozen=True, slots=True)
class Task:
    """What somebody is to do about a lead until ``due`` (aware).

    ``performer`` is a remote user; empty: whoever looks after the lead. ``department`` is one in place of a
    person, ``type`` the CRM's own kind of task, each where its ``Capabilities.tasks`` has them.
    """

    text: str
    due: datetime
    performer: str = ""
    department: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class UnplacedValue:
    """An answer that could not go where the rule wanted it. It is in the note; the rule gets a problem."""

    question: str
    value: str
    reason: str
    entity: str = ""
    field_id: str = ""


@dataclass(frozen=True, slots=True)
class Repeated:
    """What to do where the person has an open lead already, instead of making another one.

    ``do`` is ``note`` (the whole answer stands in a note on it) or ``link`` (a mention does). Leads count
    that were made at ``since`` (aware) or later, in ``pipeline``; empty: in any. ``ours`` are leads that we
    made for the person and last saw open, with their external ids, the newest first. ``incoming`` are steps
    out of which a lead is taken when it is changed. ``task``: the draft's task is made there, too.
    """

    do: str
    since: datetime
    pipeline: str = ""
    ours: Mapping[str, str] = field(default_factory=dict)
    incoming: frozenset[str] = frozenset()
    task: bool = False


EXTERNAL_ID_FIELD_GONE = "mark_field_gone"  # code of a Problem: `Connector.prepare` makes the field again


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a rule: ``code`` for machines, ``message`` for people, ``field`` where."""

    code: str
    message: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """Where the answer came from. ``answered_at`` is aware."""

    answered_at: datetime
    quiz_id: str
    quiz_title: str = ""
    page: str = ""
    referrer: str = ""
    ip: str = ""
    client_ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LeadDraft:
    """What a connector is asked to create for one delivery.

    ``uid`` is our external id, the same on every try. ``journal`` names what earlier tries already made
    (``{"lead": "1500001", "contact": "1600001"}``) and must not be made again. ``look_first`` says that an
    earlier try ended unclear: whatever the journal lacks may exist all the same. ``known_contact`` is the
    remote contact that we remember for this person. ``utm`` has all marks by lower-cased names
    (``utm_source``, ``openstat_ad``). ``more`` is what was told beside the usual (``inn``, ``position``,
    ``work_phone``), for CRMs that have a place for it. ``note`` is the readable record of the whole body, of
    any length. ``losses`` are values that the rules could not place before the connector even saw them.
    ``language`` is the note's (``connectors.note_texts``). ``task`` is made once the lead is there
    (``connectors.tasks``); a later body makes none. ``repeated``: an open lead of the person is joined
    (``connectors.repeated``).

    ``existing`` says by our words (``contact``) what may be written into records that are there already;
    whoever is not named there is treated as the CRM's connector always does. With ``asks_owner`` the
    placement's performer is a stopgap: once the contact is known, ``Journal.assign`` says who it is.

    With ``formers`` the lead is there and is brought up to date (``Capabilities.updates``): they are the
    drafts of the answer's earlier bodies, the oldest first, ``revision`` is the number of this one (1: the
    first). What still stands as one of them wrote it is overwritten, what people changed is left alone.
    ``replay`` is the number of the replay that this is, if it is one: then the step and who is responsible
    follow the draft, too, as far as people left them alone, and the formers are what was sent before by
    whatever version of the rule.
    """

    uid: str
    title: str
    visit: Visit
    person: Person = Person()
    company: str = ""
    price: str = ""
    placement: Placement = Placement()
    values: tuple[FieldValue, ...] = ()
    tags: tuple[Tag, ...] = ()
    utm: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    task: Task | None = None
    language: str = "ru"
    losses: tuple[UnplacedValue, ...] = ()
    journal: Mapping[str, str] = field(default_factory=dict)
    look_first: bool = False
    known_contact: str = ""
    existing: Mapping[str, WriteMode] = field(default_factory=dict)
    asks_owner: bool = False
    revision: int = 1
    formers: tuple[LeadDraft, ...] = ()
    replay: int = 0
    repeated: Repeated | None = None

    def concerns(self, entity: str) -> bool:
        """Has the rule anything for records of this type, as the CRM calls it?"""
        return entity in {value.target.entity for value in self.values} | {tag.entity for tag in self.tags}

    @property
    def edition(self) -> str:
        """What tells this update of a lead from its others: ``2`` for a revision, ``p7`` for a replay."""
        return f"p{self.replay}" if self.replay else str(self.revision)

    def note_step(self, number: int = 1) -> str:
        """The journal's step for the note with this number: each update has its own (``note-2``)."""
        return _numbered(f"note-{self.edition}" if self.formers else "note", number)

    def note_mark(self, number: int = 1) -> str:
        """What tells this note from the lead's others."""
        return _numbered(f"{self.uid}-{self.edition}" if self.formers else self.uid, number)


def _numbered(word: str, number: int) -> str:
    return word if number == 1 else f"{word}/{number}"


STEP, PERFORMER, TAGS, NOTE, CONTACT, TITLE = "step", "performer", "tags", "note", "contact", "title"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One part of a lead as it stands in the CRM (``before``, empty: nothing) and as a draft has it.

    ``what`` is what people call it: a question, or one of the words above; of ``STEP`` and ``PERFORMER`` the
    values are remote ids. ``kept``: it is left alone for the reason ``why``, mostly that people changed it.
    """

    what: str
    before: str
    after: str
    entity: str = ""
    field_id: str = ""
    kept: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a lead that is there differs from a draft. ``gone``: it was deleted in the CRM."""

    changes: tuple[FieldChange, ...] = ()
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer as a person may see them: redacted, cut to a readable length.

    ``made`` are the steps of the journal that it led to, alone or with others.
    """

    method: str
    url: str
    request: str
    status: int
    response: str
    seconds: float
    made: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a connector made of a draft. ``journal`` is complete; ``link`` opens the lead in the CRM.

    ``adopted`` says that the lead was found by our external id instead of created, ``losses`` what is only in
    the note, ``problems`` what the rule's owner should mend (a dead responsible person, a deleted field).
    ``placed`` is where the CRM says that the new lead is; None where it was not read back, an empty part
    where it does not say.
    """

    uid: str
    journal: Mapping[str, str]
    link: str = ""
    adopted: bool = False
    losses: tuple[UnplacedValue, ...] = ()
    problems: tuple[Problem, ...] = ()
    placed: Placement | None = None
    trace: tuple[Exchange, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """A request that a delivery would send, for the preview."""

    method: str
    url: str
    body: Any = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The preview of one delivery: the requests in order, and what would be dropped and why."""

    requests: tuple[PlannedRequest, ...]
    losses: tuple[UnplacedValue, ...] = ()
    problems: tuple[Problem, ...] = ()
