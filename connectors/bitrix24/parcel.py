"""A draft laid out as Bitrix24's records: the deal or lead, and whoever comes along (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors import coercion
from connectors.bitrix24.cards import Card, FieldEntry, fill, multifield
from connectors.bitrix24.choices import LEAD as LEAD_FLAG
from connectors.bitrix24.choices import SOURCE, STATUS, TYPE
from connectors.bitrix24.facts import Facts
from connectors.contact import email_key
from connectors.draft import LeadDraft, Problem, UnplacedValue
from connectors.text import shorten, tidy

DEAL, LEAD, CONTACT, COMPANY = "CRM_DEAL", "CRM_LEAD", "CRM_CONTACT", "CRM_COMPANY"
ORIGINATOR = "quiz"  # ours on every record that we make; never to be changed, old records carry it
LONGEST_NAME = 255  # no bound is documented (reference 7)
UTM = frozenset({"utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"})
STAGE = re.compile(r"[A-Za-z0-9_:.-]{1,50}")
MESSENGERS = {"telegram": "TELEGRAM", "viber": "VIBER", "vkontakte": "VK", "skype": "SKYPE"}
NOT_THIS = {LEAD: "the rule makes deals, this is a lead's field", DEAL: "the rule makes leads"}


@dataclass(slots=True)
class Parcel:
    """What is sent for one draft. Links between the records are added once their ids are known."""

    record: Card
    contact: Card | None = None
    company: Card | None = None
    losses: list[UnplacedValue] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def cards(self) -> tuple[Card, ...]:
        return tuple(card for card in (self.record, self.contact, self.company) if card)


def pack(draft: LeadDraft, facts: Facts) -> Parcel:
    """Lay a draft out. What does not fit is in ``losses``, beside those that the rules found."""
    parcel = Parcel(Card(_kind(draft, facts), _record(draft)), losses=list(draft.losses))
    parcel.contact, parcel.company = _contact(draft), _company(draft)
    _place(parcel, draft, facts)
    _price(parcel, draft, facts)
    for card in parcel.cards:
        card.head |= {"ORIGINATOR_ID": ORIGINATOR, "ORIGIN_ID": draft.uid, **_performer(draft)}
        card.pieces, losses = fill(card, draft.values, facts.zone, facts.currency)
        parcel.losses += losses
    _tag(parcel, draft, facts)
    _track(parcel, draft, facts)
    _homeless(parcel, draft)
    _unreachable(parcel, draft)
    return parcel


def wants_lead(choices: Mapping[str, Any]) -> bool:
    return choices.get(LEAD_FLAG) is True


def _kind(draft: LeadDraft, facts: Facts) -> str:
    """Where the portal keeps no leads, a lead would turn into a deal behind our back (reference 4.7)."""
    return LEAD if wants_lead(draft.placement.choices) and not facts.simple else DEAL


def _record(draft: LeadDraft) -> dict[str, Any]:
    head = {"TITLE": _name(draft.title) or draft.uid}
    if page := tidy(draft.visit.page):
        head["SOURCE_DESCRIPTION"] = shorten(page, LONGEST_NAME)
    for name, text in draft.utm.items():
        if name in UTM and tidy(text):
            head[name.upper()] = shorten(tidy(text), LONGEST_NAME)
    return head


def _performer(draft: LeadDraft) -> dict[str, str]:
    """Nobody named: the portal's own default, the user who connected."""
    performer = draft.placement.performer
    return {"ASSIGNED_BY_ID": performer} if performer.isdigit() else {}


def _contact(draft: LeadDraft) -> Card | None:
    """The name as it was typed: which word is the family name, nobody said."""
    person = draft.person
    known = (person.name, *person.phones, *person.emails, *person.messengers.values())
    name = next((n for n in map(_name, known) if n), "")
    if not (name or _concerns(draft, CONTACT)):
        return None
    parts = {
        "NAME": name or draft.uid,
        "PHONE": multifield(person.phones),
        "EMAIL": multifield(email for email in person.emails if email_key(email)),
        "IM": [entry for key, text in person.messengers.items() for entry in _messenger(key, text)],
    }
    return Card(CONTACT, {key: value for key, value in parts.items() if value})


def _messenger(key: str, text: str) -> list[dict[str, str]]:
    """One that Bitrix24 has no kind for is named in the value."""
    kind = MESSENGERS.get(key)
    return multifield([text], kind) if kind else multifield([f"{key}: {text}"], "OTHER")


def _company(draft: LeadDraft) -> Card | None:
    if not (tidy(draft.company) or _concerns(draft, COMPANY)):
        return None
    return Card(COMPANY, {"TITLE": _name(draft.company) or _name(draft.person.name) or draft.uid})


def _concerns(draft: LeadDraft, entity: str) -> bool:
    return any(one.target.entity == entity for one in draft.values) or any(
        tag.entity == entity for tag in draft.tags
    )


def _place(parcel: Parcel, draft: LeadDraft, facts: Facts) -> None:
    place, choices, head = draft.placement, draft.placement.choices, parcel.record.head
    if place.performer and not place.performer.isdigit():
        _warn(
            parcel, "not_an_id", f"{place.performer!r} is no user of Bitrix24 and is left out.", "performer"
        )
    if wants_lead(choices) and facts.simple:
        words = "This Bitrix24 keeps no leads (simple CRM mode): deals are made instead."
        _warn(parcel, "simple_mode", words, LEAD_FLAG)
    head |= _directory(choices, "SOURCE_ID", SOURCE)
    if parcel.record.entity == LEAD:
        head |= _directory(choices, "STATUS_ID", STATUS)
        return
    head |= _directory(choices, "TYPE_ID", TYPE)
    _stage(parcel, place.pipeline, place.step)


def _stage(parcel: Parcel, pipeline: str, step: str) -> None:
    """A step tells its pipeline: ``C3:NEW`` is in 3, a bare ``NEW`` in 0 (reference 3.3)."""
    if pipeline and not pipeline.isdigit():
        _warn(parcel, "not_an_id", f"{pipeline!r} is no pipeline of Bitrix24 and is left out.", "pipeline")
        return
    own = pipeline_of(step) if step else ""
    if own or pipeline:
        parcel.record.head["CATEGORY_ID"] = pipeline or own
    if step and STAGE.fullmatch(step):
        parcel.record.head["STAGE_ID"] = step


def pipeline_of(step: str) -> str:
    prefix, colon, _ = step.partition(":")
    return prefix.removeprefix("C") if colon else "0"


def _directory(choices: Mapping[str, Any], name: str, key: str) -> dict[str, str]:
    value = str(choices.get(key) or "")
    return {name: value} if STAGE.fullmatch(value) else {}


def _price(parcel: Parcel, draft: LeadDraft, facts: Facts) -> None:
    if not draft.price.strip():
        return
    read = coercion.price(draft.price, facts.currency)
    if read.value is None:
        parcel.losses.append(UnplacedValue("price", draft.price, read.but, parcel.record.entity))
        return
    if read.value != round(read.value, 2):
        parcel.losses.append(
            UnplacedValue("price", draft.price, "rounded to hundredths", parcel.record.entity)
        )
    parcel.record.head["OPPORTUNITY"] = f"{read.value:.2f}"
    if facts.currency:
        parcel.record.head["CURRENCY_ID"] = facts.currency


def _tag(parcel: Parcel, draft: LeadDraft, facts: Facts) -> None:
    """Bitrix24 has no tags: they are texts in a field of ours (reference 4.6)."""
    for card in parcel.cards:
        names = list(dict.fromkeys(tag.name for tag in draft.tags if tag.entity == card.entity and tag.name))
        if code := facts.tag_fields.get(card.entity) if names else None:
            card.add(FieldEntry(code, names, "tags", ", ".join(names)))
        elif names:
            reason = "there is no field for tags"
            parcel.losses.append(UnplacedValue("tags", ", ".join(names), reason, card.entity))


def _track(parcel: Parcel, draft: LeadDraft, facts: Facts) -> None:
    """Client ids and the marks beyond UTM: Bitrix24 has no fields of its own for them."""
    marks = {name: text for name, text in draft.utm.items() if name not in UTM}
    told = {**marks, **draft.visit.client_ids, "referrer": draft.visit.referrer}
    lines = [f"{name}: {text}" for name, text in told.items() if tidy(text)]
    card = parcel.record
    if code := facts.tracking_fields.get(card.entity) if lines else None:
        card.add(FieldEntry(code, lines, "analytics", "; ".join(lines)))
    elif lines:
        parcel.losses.append(
            UnplacedValue("analytics", "; ".join(lines), "there is no field for analytics", card.entity)
        )


def _homeless(parcel: Parcel, draft: LeadDraft) -> None:
    """Answers for the kind of record that this rule does not make, unless they are placed elsewhere, too."""
    other = LEAD if parcel.record.entity == DEAL else DEAL
    placed = {piece.question for card in parcel.cards for piece in card.pieces}
    for value in draft.values:
        if value.target.entity == other and value.question not in placed:
            reason = NOT_THIS[other]
            parcel.losses.append(
                UnplacedValue(value.question, value.text, reason, other, value.target.remote_id)
            )


def _unreachable(parcel: Parcel, draft: LeadDraft) -> None:
    """One bad e-mail fails the whole record, so it is not sent (reference 4.1)."""
    bad = [email for email in draft.person.emails if not email_key(email)]
    parcel.losses += [UnplacedValue("email", email, "it is not an e-mail address", CONTACT) for email in bad]


def _name(text: str) -> str:
    return shorten(tidy(text), LONGEST_NAME)


def _warn(parcel: Parcel, code: str, message: str, where: str) -> None:
    parcel.problems.append(Problem(code, message, where))
