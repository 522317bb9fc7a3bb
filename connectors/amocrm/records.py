"""A draft laid out as amoCRM's records: the lead, its contact, company and customer (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors import coercion
from connectors.amocrm.facts import Facts
from connectors.amocrm.fields import JOINED, LONGEST_TEXT, Fit, convert, tidy
from connectors.amocrm.lists import SEVERAL
from connectors.coercion import Unfit
from connectors.contact import is_same_reach
from connectors.custom_fields import TAKEN
from connectors.draft import FieldValue, LeadDraft, Person, Tag, Target, UnplacedValue
from connectors.messages import message
from connectors.text import shorten

MOST_VALUES = 40  # a lead, a contact and a company in /leads/complex take 40 values each (reference 4.2)


@dataclass(slots=True)
class FieldEntry:
    """One entry of ``custom_fields_values`` and its answer. ``kind``: answer, external_id or tracking."""

    body: dict[str, Any]
    question: str = ""
    text: str = ""
    kind: str = "answer"

    @property
    def key(self) -> str:
        return str(self.body.get("field_id") or self.body.get("field_code"))

    def loss(self, entity: str, reason: str) -> UnplacedValue:
        return UnplacedValue(self.question or self.key, self.text, reason, entity, self.key)


@dataclass(slots=True)
class Record:
    """A record to be made: ``entity`` is amoCRM's word (leads, contacts, companies, customers)."""

    entity: str
    attributes: dict[str, Any] = field(default_factory=dict)
    entries: list[FieldEntry] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    by_name: set[str] = field(default_factory=set)  # tags whose id was refused

    def body(self) -> dict[str, Any]:
        """The record as amoCRM takes it, with as many values as it takes at once."""
        body = dict(self.attributes)
        if self.entries:
            body["custom_fields_values"] = [entry.body for entry in self.entries[:MOST_VALUES]]
        if self.tags:
            body["_embedded"] = {"tags": [self._tag(tag) for tag in self.tags]}
        return body

    def rest(self) -> list[FieldEntry]:
        """What did not go in and is sent by PATCH afterwards."""
        return self.entries[MOST_VALUES:]

    def drop(self, key: str) -> FieldEntry | None:
        """Take the value of a field out."""
        found = next((entry for entry in self.entries if entry.key == key), None)
        if found:
            self.entries.remove(found)
        return found

    def _tag(self, tag: Tag) -> dict[str, Any]:
        """By id or by name: both at once double tags (amocrm-api-php issue 257)."""
        if tag.remote_id.isdigit() and tag.name not in self.by_name:
            return {"id": int(tag.remote_id)}
        return {"name": tag.name}


def fill(
    entity: str, values: Iterable[FieldValue], facts: Facts
) -> tuple[list[FieldEntry], list[UnplacedValue]]:
    """The answers of one record as entries, one a field, and what does not fit."""
    entries: dict[str, FieldEntry] = {}
    losses: list[UnplacedValue] = []
    for value in values:
        if value.target.entity == entity:
            losses += _enter(entries, value, facts)
    return list(entries.values()), losses


def _enter(entries: dict[str, FieldEntry], value: FieldValue, facts: Facts) -> list[UnplacedValue]:
    target = value.target
    if not (target.code or target.remote_id.isdigit()):
        return [value.unplaced(message("the field is unknown in amoCRM"))]
    try:
        fit = convert(value.texts, target, facts.zone, facts.currency)
    except Unfit as exc:
        return [value.unplaced(str(exc))]
    if not fit.values:
        return []
    taken = entries.get(address(target))
    if taken is None:
        entries[address(target)] = FieldEntry(field_body(target, fit.values), value.question, value.text)
    elif not _join(taken, value, fit):
        return [value.unplaced(TAKEN)]
    return [value.unplaced(fit.but)] if fit.but else []


def address(target: Target) -> str:
    """Phone and e-mail fields go by their code, which person and rule may both fill; the rest by id."""
    return target.code if target.type == "multitext" and target.code else target.remote_id or target.code


def field_body(target: Target, values: Iterable[dict[str, Any]]) -> dict[str, Any]:
    where = address(target)
    name = {"field_id": int(where)} if where.isdigit() else {"field_code": where}
    return {**name, "values": list(values)}


def _join(taken: FieldEntry, value: FieldValue, fit: Fit) -> bool:
    """A second answer for the same field: added where the type can hold it."""
    values = taken.body["values"]
    if value.target.type in SEVERAL:
        values.extend(new for new in fit.values if new not in values)
    elif value.target.type in JOINED and isinstance(values[0].get("value"), str):
        both = convert([values[0]["value"], value.text], value.target)
        if both.but:
            return False
        values[0] = {**values[0], **both.values[0]}
    else:
        return False
    taken.text = f"{taken.text}, {value.text}"
    return True


IM_KINDS = frozenset({"SKYPE", "ICQ", "JABBER", "GTALK", "MSN"})
NO_ADDRESS = "127.0.0.1"  # the form of an incoming lead wants an address even where we know none


@dataclass(slots=True)
class Payload:
    """What is sent for one draft. The parts change when amoCRM refuses one of them."""

    lead: Record
    contact: Record | None = None
    company: Record | None = None
    customer: Record | None = None
    contact_id: str = ""
    metadata: dict[str, Any] | None = None
    losses: list[UnplacedValue] = field(default_factory=list)
    later: list[FieldEntry] = field(default_factory=list)  # statistics that made the creation fail

    def body(self, uid: str) -> dict[str, Any]:
        """The item of ``POST /leads/complex``."""
        body = {**self.lead.body(), "request_id": uid}
        embedded = dict(body.get("_embedded", {}))
        if self.contact_id:
            embedded["contacts"] = [{"id": int(self.contact_id)}]
        elif self.contact:
            embedded["contacts"] = [self.contact.body()]
        if self.company:
            embedded["companies"] = [self.company.body()]
        if self.metadata:
            embedded["metadata"] = self.metadata
        return {**body, "_embedded": embedded} if embedded else body

    def records(self) -> tuple[Record, ...]:
        return tuple(s for s in (self.lead, self.contact, self.company) if s)

    def record(self, entity: str) -> Record | None:
        return next((s for s in (*self.records(), self.customer) if s and s.entity == entity), None)

    def without_performer(self) -> None:
        """The responsible person is gone from the CRM: its own default applies."""
        for record in (*self.records(), self.customer):
            if record:
                record.attributes.pop("responsible_user_id", None)

    def put_performer(self, performer: str) -> None:
        """Whoever looks after it; nobody: amoCRM's own default applies."""
        self.without_performer()
        for record in (*self.records(), self.customer):
            if record and performer.isdigit():
                record.attributes["responsible_user_id"] = int(performer)

    def put_uid_into_name(self, uid: str) -> None:
        """The external id goes into the lead's name where there is no field for it."""
        title = self.lead.attributes["name"]
        if uid not in title:
            self.lead.attributes["name"] = f"{shorten(title, LONGEST_TEXT - len(uid) - 3)} [{uid}]"


def pack(draft: LeadDraft, facts: Facts) -> Payload:
    """Lay a draft out. What does not fit is in ``losses``, beside those that the rules found."""
    payload = Payload(lead=_lead(draft), losses=list(draft.losses))
    payload.contact = _contact(draft)
    payload.company = _record(draft, "companies", draft.company or draft.person.name or draft.title)
    if not (payload.company and (draft.company or draft.concerns("companies"))):
        payload.company = None
    payload.customer = _customer(draft, facts, payload)
    _fill(payload, draft, facts)
    _place(payload, draft, facts)
    _external_id(payload, draft, facts)
    return payload


def _lead(draft: LeadDraft) -> Record:
    record = _record(draft, "leads", draft.title)
    record.attributes["name"] = record.attributes.get("name", draft.uid)
    return record


def _record(draft: LeadDraft, entity: str, name: str) -> Record:
    attributes: dict[str, Any] = {"name": shorten(tidy(name), LONGEST_TEXT)} if tidy(name) else {}
    if draft.placement.performer.isdigit():
        attributes["responsible_user_id"] = int(draft.placement.performer)
    return Record(entity, attributes, tags=_tags(draft, entity))


def _tags(draft: LeadDraft, entity: str) -> list[Tag]:
    """Each tag once, whatever its case."""
    own = {tag.name.casefold(): tag for tag in reversed(draft.tags) if tag.entity == entity and tag.name}
    return list(reversed(own.values()))


def _contact(draft: LeadDraft) -> Record | None:
    """The name as it was typed: which word is the family name, nobody said."""
    name = next((n for n in draft.person.known_as if tidy(n)), "")
    if not (name or draft.concerns("contacts")):
        return None
    return _record(draft, "contacts", name)


def _customer(draft: LeadDraft, facts: Facts, payload: Payload) -> Record | None:
    if not draft.concerns("customers"):
        return None
    if facts.customers:
        return _record(draft, "customers", draft.person.name or draft.company or draft.title)
    reason = message("customers are switched off in this amoCRM account")
    payload.losses += [one.unplaced(reason) for one in draft.values if one.target.entity == "customers"]
    return None


def _fill(payload: Payload, draft: LeadDraft, facts: Facts) -> None:
    for record in (*payload.records(), payload.customer):
        if record:
            record.entries, losses = fill(record.entity, draft.values, facts)
            payload.losses += losses
    if payload.contact:
        _reachable(payload.contact, draft.person)
    payload.lead.entries += tracking(draft, facts.tracking_codes)


def _reachable(record: Record, person: Person) -> None:
    """Phones, e-mails and messengers first in line, joined with what the rule puts into the same field."""
    reach = {
        "IM": [_messenger(key, text) for key, text in person.messengers.items()],
        "EMAIL": [(text, "WORK") for text in person.emails],
        "PHONE": [(text, "WORK") for text in person.phones],
    }
    for code, pairs in reach.items():
        old = record.drop(code)
        values = [
            {"value": shorten(text, LONGEST_TEXT), "enum_code": kind} for text, kind in pairs if tidy(text)
        ]
        for value in old.body["values"] if old else ():
            if not any(is_same_reach(value["value"], known["value"]) for known in values):
                values.append(value)
        if values:
            text = ", ".join(str(value["value"]) for value in values)
            record.entries.insert(0, FieldEntry({"field_code": code, "values": values}, code.lower(), text))


def _messenger(key: str, text: str) -> tuple[str, str]:
    """(value, kind): a messenger that amoCRM has no kind for is named in the value."""
    return (text, key.upper()) if key.upper() in IM_KINDS else (f"{key}: {text}", "OTHER")


def _place(payload: Payload, draft: LeadDraft, facts: Facts) -> None:
    place, attributes = draft.placement, payload.lead.attributes
    if place.pipeline.isdigit():
        attributes["pipeline_id"] = int(place.pipeline)
    if place.step_kind == "incoming":
        payload.metadata = _form(draft)
    elif place.step.isdigit():
        attributes["status_id"] = int(place.step)
    if draft.price.strip():
        _price(payload, draft.price, facts)


def _price(payload: Payload, text: str, facts: Facts) -> None:
    """Whole units: a price in a string or with a fraction is refused (reference 8.12)."""
    read = coercion.price(text, facts.currency)
    if read.value is not None:
        payload.lead.attributes["price"] = round(read.value)
    but = message("rounded to whole units") if read.value is not None and read.value % 1 else read.but
    if but:
        payload.losses.append(UnplacedValue("price", text, but, "leads"))


def _form(draft: LeadDraft) -> dict[str, Any]:
    """An incoming step can't be named; this form makes an incoming lead instead (reference 4.2, 4.10)."""
    visit = draft.visit
    return {
        "category": "forms",
        "form_id": visit.quiz_id or "quiz",
        "form_name": shorten(visit.quiz_title or draft.title, LONGEST_TEXT),
        "form_page": shorten(visit.page or "quiz", LONGEST_TEXT),
        "form_sent_at": int(visit.answered_at.timestamp()),
        "ip": visit.ip or NO_ADDRESS,
        "referer": shorten(visit.referrer or visit.page or "quiz", LONGEST_TEXT),
    }


def _external_id(payload: Payload, draft: LeadDraft, facts: Facts) -> None:
    if not facts.mark_field:
        payload.put_uid_into_name(draft.uid)
        return
    entry = {"field_id": facts.mark_field, "values": [{"value": draft.uid}]}
    if answer := payload.lead.drop(str(facts.mark_field)):
        payload.losses.append(answer.loss("leads", message("the field is for our external id")))
    payload.lead.entries.insert(0, FieldEntry(entry, kind="external_id"))


# How people and counters call what amoCRM keeps under its own code.
ALIASES = {
    "GA": "GCLIENTID",
    "_GA": "GCLIENTID",
    "CLIENT_ID": "GCLIENTID",
    "GA_CLIENT_ID": "GCLIENTID",
    "YM": "_YM_UID",
    "YM_UID": "_YM_UID",
    "YM_CLIENT_ID": "_YM_UID",
    "YM_COUNTER": "_YM_COUNTER",
    "ROISTAT_VISIT": "ROISTAT",
    "REFERER": "REFERRER",
    **{name: f"UTM_{name}" for name in ("SOURCE", "MEDIUM", "CAMPAIGN", "CONTENT", "TERM")},
}


def tracking(draft: LeadDraft, codes: Collection[str]) -> list[FieldEntry]:
    """The statistics that this account has fields for and that no answer fills already."""
    used = {value.target.code for value in draft.values if value.target.entity == "leads"}
    found: dict[str, FieldEntry] = {}
    for name, text in _given(draft):
        code = name.strip().upper().replace("-", "_")
        code = code if code in codes else ALIASES.get(code, code)
        short = shorten(tidy(text), LONGEST_TEXT)
        if short and code in codes and code not in used and code not in found:
            entry = {"field_code": code, "values": [{"value": short}]}
            found[code] = FieldEntry(entry, name, text, kind="tracking")
    return list(found.values())


def _given(draft: LeadDraft) -> Iterator[tuple[str, str]]:
    yield from _texts(draft.utm)
    yield from _texts(draft.visit.client_ids)
    yield "referrer", draft.visit.referrer


def _texts(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((str(name), str(text)) for name, text in given.items() if text)
