"""A draft laid out as Bitrix24's records: the deal or lead, its contact and its company (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Any

from connectors import coercion
from connectors.bitrix24.client import Command
from connectors.bitrix24.fields import convert, holds_several
from connectors.bitrix24.options import LEAD as LEAD_FLAG
from connectors.bitrix24.options import SOURCE, STATUS, TYPE
from connectors.bitrix24.portal import Facts
from connectors.coercion import Unfit
from connectors.contact import email_key
from connectors.custom_fields import Fit, fit_values
from connectors.draft import FieldValue, LeadDraft, Problem, UnplacedValue
from connectors.messages import message
from connectors.text import shorten, tidy

DEAL, LEAD, CONTACT, COMPANY = "CRM_DEAL", "CRM_LEAD", "CRM_CONTACT", "CRM_COMPANY"
WORDS = {DEAL: "deal", LEAD: "lead", CONTACT: "contact", COMPANY: "company"}
ORIGINATOR = "quiz"  # ours on every record that we make; never to be changed, old records carry it
LONGEST_NAME = 255  # characters; no bound is documented (reference 7)
UTM = frozenset({"utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"})
STAGE = re.compile(r"[A-Za-z0-9_:.-]{1,50}")
MESSENGERS = {"telegram": "TELEGRAM", "viber": "VIBER", "vkontakte": "VK", "skype": "SKYPE"}
REACH = ("PHONE", "EMAIL", "IM")  # what a contact or company is reached by
MAIL_WORDS = ("e-mail", "email", "почт")
NOT_THIS = {
    LEAD: message("the rule makes deals, this is a lead's field"),
    DEAL: message("the rule makes leads"),
}
NO_CODE = message("the field's name in requests is not known; refresh the list of fields")


@dataclass(frozen=True, slots=True)
class FieldEntry:
    """A value of one user field (``code``: UF_CRM_...) and the answer that it carries."""

    code: str
    value: Any
    question: str = ""
    text: str = ""
    field_id: str = ""

    def loss(self, entity: str, reason: str) -> UnplacedValue:
        return UnplacedValue(self.question or self.code, self.text, reason, entity, self.field_id)


@dataclass(slots=True)
class Record:
    """One record to be made. ``entity`` is Bitrix24's word for its type (CRM_DEAL), ``head`` its own fields
    by name, ``entries`` the answers in user fields, each of which can be taken out alone."""

    entity: str
    head: dict[str, Any]
    entries: list[FieldEntry] = field(default_factory=list)

    @property
    def word(self) -> str:
        """As in method names: ``deal``."""
        return WORDS[self.entity]

    @property
    def values(self) -> dict[str, Any]:
        return {**self.head, **{entry.code: entry.value for entry in self.entries}}

    def add(self, entry: FieldEntry) -> None:
        """A list of texts in a field of ours, behind what a rule puts there."""
        own = next((one for one in self.entries if one.code == entry.code), None)
        if own:
            self.entries.remove(own)
            value, text = [*_listed(own.value), *entry.value], f"{own.text}; {entry.text}"
            entry = replace(own, value=value, text=text)
        self.entries.append(entry)

    def command(self, **links: Any) -> Command:
        """``crm.deal.add`` and its siblings; ``links`` are what is known only by now."""
        given = {**self.values, **{name: value for name, value in links.items() if value}}
        return Command(
            f"crm.{self.word}.add", {"fields": given}, safe=False, why=message("the {word}", word=self.word)
        )

    def strip(self, complaint: str) -> list[UnplacedValue]:
        """After a refusal: take out the values it names, or else all that the record can do without."""
        words = complaint.lower()
        named = [entry for entry in self.entries if entry.code.lower() in words]
        if not named and any(word in words for word in MAIL_WORDS):
            return self._cut("EMAIL", complaint)
        taken = named or self.entries
        self.entries = [entry for entry in self.entries if entry not in taken]
        losses = [entry.loss(self.entity, complaint) for entry in taken]
        return losses or [*self._cut("EMAIL", complaint), *self._cut("IM", complaint)]

    def lost_whole(self, reason: str) -> list[UnplacedValue]:
        """What the record would have carried, for a portal that won't have it at all."""
        said = [
            UnplacedValue(
                name.lower(), entry["VALUE"] if isinstance(entry, dict) else str(entry), reason, self.entity
            )
            for name in ("NAME", "TITLE", "PHONE", "EMAIL", "IM")
            for entry in _listed(self.head.get(name))
        ]
        return [*said, *(entry.loss(self.entity, reason) for entry in self.entries)]

    def _cut(self, name: str, complaint: str) -> list[UnplacedValue]:
        entries = self.head.pop(name, [])
        return [UnplacedValue(name.lower(), entry["VALUE"], complaint, self.entity) for entry in entries]


@dataclass(slots=True)
class Payload:
    """What is sent for one draft. Links between the records are added once their ids are known.

    ``losses`` begins with those that the rules found.
    """

    record: Record
    contact: Record | None = None
    company: Record | None = None
    losses: list[UnplacedValue] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def records(self) -> tuple[Record, ...]:
        return tuple(one for one in (self.record, self.contact, self.company) if one)

    def of(self, word: str) -> Record | None:
        """Its ``contact`` or ``company``."""
        return self.contact if word == "contact" else self.company

    def put_performer(self, performer: str) -> None:
        """Whoever looks after it; nobody: the user who connected does."""
        for record in self.records:
            record.head.pop("ASSIGNED_BY_ID", None)
            if performer.isdigit():
                record.head["ASSIGNED_BY_ID"] = performer

    def lose(self, question: str, value: str, *, reason: str) -> None:
        """It is not in the deal or lead."""
        self.losses.append(UnplacedValue(question, value, reason, self.record.entity))

    def warn(self, code: str, message: str, where: str) -> None:
        self.problems.append(Problem(code, message, where))


def payload_of(draft: LeadDraft, facts: Facts) -> Payload:
    """Lay a draft out. What does not fit is in ``losses``."""
    # Where the portal keeps no leads, a lead would turn into a deal behind our back (reference 4.7).
    kind = LEAD if draft.placement.choices.get(LEAD_FLAG) is True and not facts.simple else DEAL
    payload = Payload(Record(kind, _head(draft)), _contact(draft), _company(draft), list(draft.losses))
    _place(payload, draft, facts)
    _price(payload, draft, facts)
    performer = draft.placement.performer
    own = {"ORIGINATOR_ID": ORIGINATOR, "ORIGIN_ID": draft.uid}
    own |= {"ASSIGNED_BY_ID": performer} if performer.isdigit() else {}  # else the user who connected
    for record in payload.records:
        record.head |= own
        record.entries, losses = entries_of(record.entity, draft.values, facts.zone, facts.currency)
        payload.losses += losses
    _tag(payload, draft, facts)
    _track(payload, draft, facts)
    _misplaced(payload, draft)
    for email in draft.person.emails:  # one bad e-mail fails the whole record, so it is not sent (4.1)
        if not email_key(email):
            payload.losses.append(
                UnplacedValue("email", email, message("it is not an e-mail address"), CONTACT)
            )
    return payload


# -- the records' own fields ----------------------------------------------------------------------------


def _head(draft: LeadDraft) -> dict[str, Any]:
    head = {"TITLE": _name(draft.title) or draft.uid}
    if page := tidy(draft.visit.page):
        head["SOURCE_DESCRIPTION"] = shorten(page, LONGEST_NAME)
    for name, text in draft.utm.items():
        if name in UTM and tidy(text):
            head[name.upper()] = shorten(tidy(text), LONGEST_NAME)
    return head


def _contact(draft: LeadDraft) -> Record | None:
    """The name as it was typed: which word is the family name, nobody said."""
    person = draft.person
    name = next((n for n in map(_name, person.known_as) if n), "")
    if not (name or draft.concerns(CONTACT)):
        return None
    parts = {
        "NAME": name or draft.uid,
        "PHONE": multifield(person.phones),
        "EMAIL": multifield(email for email in person.emails if email_key(email)),
        "IM": [entry for key, text in person.messengers.items() for entry in _messenger(key, text)],
    }
    return Record(CONTACT, {key: value for key, value in parts.items() if value})


def _messenger(key: str, text: str) -> list[dict[str, str]]:
    """One that Bitrix24 has no kind for is named in the value."""
    kind = MESSENGERS.get(key)
    return multifield([text], kind) if kind else multifield([f"{key}: {text}"], "OTHER")


def multifield(texts: Iterable[str], kind: str = "WORK") -> list[dict[str, str]]:
    """Phones, e-mails and messengers as Bitrix24 keeps them (reference 4.2)."""
    return [{"VALUE": text, "VALUE_TYPE": kind} for text in dict.fromkeys(map(tidy, texts)) if text]


def _company(draft: LeadDraft) -> Record | None:
    if not (tidy(draft.company) or draft.concerns(COMPANY)):
        return None
    return Record(COMPANY, {"TITLE": _name(draft.company) or _name(draft.person.name) or draft.uid})


def _place(payload: Payload, draft: LeadDraft, facts: Facts) -> None:
    place, choices, head = draft.placement, draft.placement.choices, payload.record.head
    if place.performer and not place.performer.isdigit():
        words = message(
            "{performer} is no user of Bitrix24 and is left out.", performer=repr(place.performer)
        )
        payload.warn("not_an_id", words, "performer")
    if choices.get(LEAD_FLAG) is True and facts.simple:
        words = message("This Bitrix24 keeps no leads (simple CRM mode): deals are made instead.")
        payload.warn("simple_mode", words, LEAD_FLAG)
    head |= _directory(choices, "SOURCE_ID", SOURCE)
    if payload.record.entity == LEAD:
        head |= _directory(choices, "STATUS_ID", STATUS)
        return
    head |= _directory(choices, "TYPE_ID", TYPE)
    if place.pipeline and not place.pipeline.isdigit():
        words = message(
            "{pipeline} is no pipeline of Bitrix24 and is left out.", pipeline=repr(place.pipeline)
        )
        payload.warn("not_an_id", words, "pipeline")
        return
    if pipeline := place.pipeline or (pipeline_of(place.step) if place.step else ""):
        head["CATEGORY_ID"] = pipeline
    if STAGE.fullmatch(place.step):
        head["STAGE_ID"] = place.step


def pipeline_of(step: str) -> str:
    """A step tells its pipeline: ``C3:NEW`` is in 3, a bare ``NEW`` in 0 (reference 3.3)."""
    prefix, colon, _ = step.partition(":")
    return prefix.removeprefix("C") if colon else "0"


def _directory(choices: Mapping[str, Any], name: str, key: str) -> dict[str, str]:
    value = str(choices.get(key) or "")
    return {name: value} if STAGE.fullmatch(value) else {}


def _price(payload: Payload, draft: LeadDraft, facts: Facts) -> None:
    if not draft.price.strip():
        return
    record = payload.record
    read = coercion.price(draft.price, facts.currency)
    if read.value is None:
        payload.lose("price", draft.price, reason=read.but)
        return
    if read.value != round(read.value, 2):
        payload.lose("price", draft.price, reason=message("rounded to hundredths"))
    record.head["OPPORTUNITY"] = f"{read.value:.2f}"
    if facts.currency:
        record.head["CURRENCY_ID"] = facts.currency


# -- answers in user fields -----------------------------------------------------------------------------


def entries_of(
    entity: str, values: Iterable[FieldValue], zone: tzinfo, currency: str
) -> tuple[list[FieldEntry], list[UnplacedValue]]:
    """The answers meant for this type of record, and what of them fits nowhere."""

    def fit_of(value: FieldValue) -> Fit:
        fit = convert(value.texts, value.target, zone, currency)
        if not value.target.code:
            raise Unfit(NO_CODE)
        return fit

    own = (value for value in values if value.target.entity == entity)
    fitting, losses = fit_values(own, fit_of, holds_several)
    entries = {
        one.target.code: FieldEntry(one.target.code, fit.value, one.question, one.text, one.target.remote_id)
        for one, fit in fitting
    }
    return list(entries.values()), losses


def _tag(payload: Payload, draft: LeadDraft, facts: Facts) -> None:
    """Bitrix24 has no tags: they are texts in a field of ours (reference 4.6)."""
    for record in payload.records:
        names = list(
            dict.fromkeys(tag.name for tag in draft.tags if tag.entity == record.entity and tag.name)
        )
        if code := facts.tag_fields.get(record.entity) if names else None:
            record.add(FieldEntry(code, names, "tags", ", ".join(names)))
        elif names:
            payload.losses.append(
                UnplacedValue("tags", ", ".join(names), message("there is no field for tags"), record.entity)
            )


def _track(payload: Payload, draft: LeadDraft, facts: Facts) -> None:
    """Client ids and the marks beyond UTM: Bitrix24 has no fields of its own for them."""
    marks = {name: text for name, text in draft.utm.items() if name not in UTM}
    told = {**marks, **draft.visit.client_ids, "referrer": draft.visit.referrer}
    lines = [f"{name}: {text}" for name, text in told.items() if tidy(text)]
    record = payload.record
    if code := facts.tracking_fields.get(record.entity) if lines else None:
        record.add(FieldEntry(code, lines, "analytics", "; ".join(lines)))
    elif lines:
        payload.lose("analytics", "; ".join(lines), reason=message("there is no field for analytics"))


def _misplaced(payload: Payload, draft: LeadDraft) -> None:
    """Answers for the kind of record that this rule does not make, unless they are placed elsewhere, too."""
    other = LEAD if payload.record.entity == DEAL else DEAL
    placed = {entry.question for record in payload.records for entry in record.entries}
    for value in draft.values:
        if value.target.entity == other and value.question not in placed:
            payload.losses.append(value.unplaced(NOT_THIS[other]))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _name(text: str) -> str:
    return shorten(tidy(text), LONGEST_NAME)
