"""A draft laid out as amoCRM's cards: the lead, and whoever comes along (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors import coercion
from connectors.amocrm.facts import Facts
from connectors.amocrm.fields import LONGEST_TEXT, tidy
from connectors.amocrm.sheets import FieldEntry, Sheet, fill
from connectors.amocrm.tracking import tracking
from connectors.contact import is_same_reach
from connectors.draft import LeadDraft, Person, Tag, UnplacedValue
from connectors.text import shorten

IM_KINDS = frozenset({"SKYPE", "ICQ", "JABBER", "GTALK", "MSN"})
NO_ADDRESS = "127.0.0.1"  # the form of an incoming lead wants an address even where we know none


@dataclass(slots=True)
class Parcel:
    """What is sent for one draft. The parts change when amoCRM refuses one of them."""

    lead: Sheet
    contact: Sheet | None = None
    company: Sheet | None = None
    customer: Sheet | None = None
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

    def sheets(self) -> tuple[Sheet, ...]:
        return tuple(s for s in (self.lead, self.contact, self.company) if s)

    def sheet(self, entity: str) -> Sheet | None:
        return next((s for s in (*self.sheets(), self.customer) if s and s.entity == entity), None)

    def without_performer(self) -> None:
        """The responsible person is gone from the CRM: its own default applies."""
        for sheet in (*self.sheets(), self.customer):
            if sheet:
                sheet.head.pop("responsible_user_id", None)

    def name_the_mark(self, uid: str) -> None:
        """Our mark goes into the lead's name where there is no field for it."""
        title = self.lead.head["name"]
        if uid not in title:
            self.lead.head["name"] = f"{shorten(title, LONGEST_TEXT - len(uid) - 3)} [{uid}]"


def pack(draft: LeadDraft, facts: Facts) -> Parcel:
    """Lay a draft out. What does not fit is in ``losses``, beside those that the rules found."""
    parcel = Parcel(lead=_lead(draft), losses=list(draft.losses))
    parcel.contact = _contact(draft)
    parcel.company = _card(draft, "companies", draft.company or draft.person.name or draft.title)
    if not (parcel.company and (draft.company or _concerns(draft, "companies"))):
        parcel.company = None
    parcel.customer = _customer(draft, facts, parcel)
    _fill(parcel, draft, facts)
    _place(parcel, draft, facts)
    _mark(parcel, draft, facts)
    return parcel


def _lead(draft: LeadDraft) -> Sheet:
    sheet = _card(draft, "leads", draft.title)
    sheet.head["name"] = sheet.head.get("name", draft.uid)
    return sheet


def _card(draft: LeadDraft, entity: str, name: str) -> Sheet:
    head: dict[str, Any] = {"name": shorten(tidy(name), LONGEST_TEXT)} if tidy(name) else {}
    if draft.placement.performer.isdigit():
        head["responsible_user_id"] = int(draft.placement.performer)
    return Sheet(entity, head, tags=_tags(draft, entity))


def _tags(draft: LeadDraft, entity: str) -> list[Tag]:
    """Each tag once, whatever its case."""
    own = {tag.name.casefold(): tag for tag in reversed(draft.tags) if tag.entity == entity and tag.name}
    return list(reversed(own.values()))


def _contact(draft: LeadDraft) -> Sheet | None:
    """The name as it was typed: which word is the family name, nobody said."""
    person = draft.person
    known = (person.name, *person.phones, *person.emails, *person.messengers.values())
    name = next((n for n in known if tidy(n)), "")
    if not (name or _concerns(draft, "contacts")):
        return None
    return _card(draft, "contacts", name)


def _customer(draft: LeadDraft, facts: Facts, parcel: Parcel) -> Sheet | None:
    if not _concerns(draft, "customers"):
        return None
    if facts.customers:
        return _card(draft, "customers", draft.person.name or draft.company or draft.title)
    reason = "customers are switched off in this amoCRM account"
    parcel.losses += [
        UnplacedValue(v.question, v.text, reason, "customers", v.target.remote_id)
        for v in draft.values
        if v.target.entity == "customers"
    ]
    return None


def _concerns(draft: LeadDraft, entity: str) -> bool:
    return any(v.target.entity == entity for v in draft.values) or any(t.entity == entity for t in draft.tags)


def _fill(parcel: Parcel, draft: LeadDraft, facts: Facts) -> None:
    for sheet in (*parcel.sheets(), parcel.customer):
        if sheet:
            sheet.pieces, losses = fill(sheet.entity, draft.values, facts)
            parcel.losses += losses
    if parcel.contact:
        _reachable(parcel.contact, draft.person)
    parcel.lead.pieces += tracking(draft, facts.tracking_codes)


def _reachable(sheet: Sheet, person: Person) -> None:
    """Phones, e-mails and messengers first in line, joined with what the rule puts into the same field."""
    reach = {
        "IM": [_messenger(key, text) for key, text in person.messengers.items()],
        "EMAIL": [(text, "WORK") for text in person.emails],
        "PHONE": [(text, "WORK") for text in person.phones],
    }
    for code, pairs in reach.items():
        old = sheet.drop(code)
        values = [
            {"value": shorten(text, LONGEST_TEXT), "enum_code": kind} for text, kind in pairs if tidy(text)
        ]
        for value in old.entry["values"] if old else ():
            if not any(is_same_reach(value["value"], known["value"]) for known in values):
                values.append(value)
        if values:
            text = ", ".join(str(value["value"]) for value in values)
            sheet.pieces.insert(0, FieldEntry({"field_code": code, "values": values}, code.lower(), text))


def _messenger(key: str, text: str) -> tuple[str, str]:
    """(value, kind): a messenger that amoCRM has no kind for is named in the value."""
    return (text, key.upper()) if key.upper() in IM_KINDS else (f"{key}: {text}", "OTHER")


def _place(parcel: Parcel, draft: LeadDraft, facts: Facts) -> None:
    place, head = draft.placement, parcel.lead.head
    if place.pipeline.isdigit():
        head["pipeline_id"] = int(place.pipeline)
    if place.step_kind == "incoming":
        parcel.metadata = _form(draft)
    elif place.step.isdigit():
        head["status_id"] = int(place.step)
    if draft.price.strip():
        _price(parcel, draft.price, facts)


def _price(parcel: Parcel, text: str, facts: Facts) -> None:
    """Whole units: a price in a string or with a fraction is refused (reference 8.12)."""
    read = coercion.price(text, facts.currency)
    if read.value is not None:
        parcel.lead.head["price"] = round(read.value)
    but = "rounded to whole units" if read.value is not None and read.value % 1 else read.but
    if but:
        parcel.losses.append(UnplacedValue("price", text, but, "leads"))


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


def _mark(parcel: Parcel, draft: LeadDraft, facts: Facts) -> None:
    if not facts.mark_field:
        parcel.name_the_mark(draft.uid)
        return
    entry = {"field_id": facts.mark_field, "values": [{"value": draft.uid}]}
    if answer := parcel.lead.drop(str(facts.mark_field)):
        parcel.losses.append(answer.loss("leads", "the field is for our mark"))
    parcel.lead.pieces.insert(0, FieldEntry(entry, kind="mark"))
