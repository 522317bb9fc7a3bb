"""A draft laid out for Envybox: the body of the lead, and what the deal and client get later (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.coercion import Unfit, shorten, tidy
from connectors.draft import LeadDraft, Loss, Problem
from connectors.envybox.answers import mark_of
from connectors.envybox.choices import SOURCE, queues, takes_into_work
from connectors.envybox.fields import convert
from connectors.words import lost

LONGEST_NAME, LONGEST_MARK = 255, 255
LONGEST_COMMENT = 8_000  # no bound is documented (reference 7.2)
CUT = "… (shortened, the whole answer is in the quiz service)"
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
MESSENGERS = frozenset({"viber", "instagram", "whatsapp", "telegram", "vkontakte", "facebook", "skype"})
REGIONS = frozenset({"Москва", "Санкт-Петербург"})  # cities that are regions; others only stand in the note
CLIENT_IDS = {"google_client_id": "google", "yandex_client_id": "yandex"}
VISIT = "WhiteCallback_visit"
ONLY_LEAD = "the rule leaves leads, this belongs to what a lead becomes"


@dataclass(frozen=True, slots=True)
class Piece:
    """One answer in one custom field."""

    input_id: str
    value: Any
    question: str
    text: str


@dataclass(slots=True)
class Parcel:
    """What is sent for one draft. ``head`` and ``values`` make the lead, ``pieces`` wait by record."""

    mark: str
    deal: bool
    queue: bool
    head: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    pieces: dict[str, list[Piece]] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    note: str = ""
    language: str = "ru"

    def body(self) -> dict[str, Any]:
        """The request of lead/set and lead/workset."""
        custom = [{"input_id": int(one.input_id), "value": one.value} for one in self.pieces.get("lead", ())]
        values = {**self.values, "comment": self.comment()}
        return {"method": "create", **self.head, "values": values | ({"custom": custom} if custom else {})}

    def bare(self) -> dict[str, Any]:
        """The same without whatever may be at fault: person, source, further contacts, fields."""
        kept: dict[str, Any] = {
            name: self.head[name] for name in ("pipeline_id", "tags") if name in self.head
        }
        return {"method": "create", **kept, "values": {**self.values, "comment": self.comment()}}

    def comment(self) -> str:
        """The readable answers, what found no place, and in the last line our mark."""
        text = "\n\n".join(filter(None, (self.note, tidy(lost(self.losses, self.language)))))
        if len(text) > LONGEST_COMMENT:
            text = text[: LONGEST_COMMENT - len(CUT)] + CUT
        return f"{text}\n\n{self.mark}".strip()

    def lose(self, entity: str, reason: str) -> None:
        """All the pieces of a record stay in the note."""
        for one in self.pieces.pop(entity, ()):
            self.losses.append(Loss(one.question, one.text, reason, entity, one.input_id))


def pack(draft: LeadDraft) -> Parcel:
    """Lay a draft out. What does not fit is in ``losses``, beside those that the rules found."""
    choices = draft.placement.choices
    parcel = Parcel(mark_of(draft.uid), takes_into_work(choices), queues(choices))
    parcel.losses, parcel.note, parcel.language = list(draft.losses), tidy(draft.note), draft.language
    parcel.tags = list(dict.fromkeys(name for tag in draft.tags if (name := tidy(tag.name))))
    _place(parcel, draft)
    _person(parcel, draft)
    _origin(parcel, draft)
    _fill(parcel, draft)
    if not parcel.deal:
        for entity in ("deal", "client"):
            parcel.lose(entity, ONLY_LEAD)
    company = tidy(draft.company)
    if company and company not in parcel.note:
        parcel.losses.append(Loss("company", company, "Envybox takes a company only with its INN"))
    return parcel


def _place(parcel: Parcel, draft: LeadDraft) -> None:
    """The deal's pipeline is named from the start; employee 0 is the administrator (OBS)."""
    place = draft.placement
    named = {
        "pipeline_id": ("pipeline", place.pipeline),
        "employee_id": ("performer", place.performer),
        "inbox_type_id": (SOURCE, str(place.choices.get(SOURCE) or "")),
    }
    for name, (where, remote_id) in named.items():
        if is_id(remote_id):
            parcel.head[name] = int(remote_id)
        elif remote_id:
            _warn(parcel, f"{remote_id!r} is no id of Envybox and is left out.", where)
    if place.step and not is_id(place.step):
        _warn(parcel, f"{place.step!r} is no id of Envybox and is left out.", "step")
    if parcel.tags:
        parcel.head["tags"] = parcel.tags


def _person(parcel: Parcel, draft: LeadDraft) -> None:
    person = draft.person
    names = (person.name, draft.title, *person.phones, *person.emails, draft.uid)
    parcel.values["name"] = next(name for name in map(_name, names) if name)
    phones, emails = [digits(phone) for phone in person.phones], [tidy(email) for email in person.emails]
    more: list[dict[str, str]] = []
    for name, kind, found in (("phone", "mobile_phone", phones), ("email", "email", emails)):
        if found:
            parcel.values[name] = found[0]
        more += [{"type": kind, "value": one} for one in found[1:]]
    messengers = ((key.lower(), tidy(text)) for key, text in person.messengers.items())
    more += [{"type": key, "value": text} for key, text in messengers if key in MESSENGERS and text]
    if more:
        parcel.head["contact_data"] = more
    if tidy(person.city) in REGIONS:
        parcel.head["region"] = tidy(person.city)


def _origin(parcel: Parcel, draft: LeadDraft) -> None:
    for name in UTM:
        if text := tidy(draft.utm.get(name, "")):
            parcel.values[name] = shorten(text, LONGEST_MARK)
    ids = draft.visit.client_ids
    for name, word in CLIENT_IDS.items():
        if found := next((tidy(text) for key, text in ids.items() if word in key.lower()), ""):
            parcel.values[name] = shorten(found, LONGEST_MARK)
    if is_id(ids.get(VISIT, "")):
        parcel.head["visit_id"] = int(ids[VISIT])


def _fill(parcel: Parcel, draft: LeadDraft) -> None:
    for one in draft.values:
        target, text = one.target, tidy(one.text)
        try:
            fit = convert(one.texts, target)
            if not is_id(target.remote_id):
                raise Unfit("the CRM has no such field")
        except Unfit as exc:
            parcel.losses.append(Loss(one.question, text, str(exc), target.entity, target.remote_id))
            continue
        if fit.value is None:
            continue
        if fit.but:
            parcel.losses.append(Loss(one.question, text, fit.but, target.entity, target.remote_id))
        piece = Piece(target.remote_id, fit.value, one.question, text)
        parcel.pieces.setdefault(target.entity, []).append(piece)
        if fit.unproven:
            words = f"Envybox does not tell the options of «{target.name}»: answers go there as texts."
            _warn(parcel, words, f"FieldsRule.{target.entity}", "options_unknown")


def fields_of(pieces: Iterable[Piece]) -> Mapping[str | int, Any]:
    return {one.input_id: one.value for one in pieces}


def digits(phone: str) -> str:
    return re.sub(r"\D", "", phone)


def is_id(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,18}", text))


def _name(text: str) -> str:
    return shorten(tidy(text), LONGEST_NAME)


def _warn(parcel: Parcel, message: str, where: str, code: str = "not_an_id") -> None:
    parcel.problems.append(Problem(code, message, where))
