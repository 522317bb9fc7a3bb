"""A draft laid out for Envybox: the body of the lead, and what the deal and client get later (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.coercion import Unfit, price
from connectors.custom_fields import TAKEN, Fit, fit_values
from connectors.draft import FieldValue, LeadDraft, Problem, UnplacedValue
from connectors.envybox import tracking
from connectors.envybox.client import is_id, searchable
from connectors.envybox.fields import CURRENCY, convert, holds_several, json_number
from connectors.envybox.options import SOURCE, queues, takes_into_work
from connectors.messages import message
from connectors.note_texts import lost, parts
from connectors.tasks import QUESTION
from connectors.text import paragraphs, shorten, tidy

LONGEST_NAME = 255
LONGEST_COMMENT = 8_000  # no bound is documented (reference 7.2)
MOST_COMMENTS = 40  # more than the longest body that is taken in
MESSENGERS = frozenset({"viber", "instagram", "whatsapp", "telegram", "vkontakte", "facebook", "skype"})
MORE_CONTACTS = ("position", "home_phone")
EXTENSION = re.compile(r"(.*\d)[\s,;(]*(?:доб|ext|вн|x|#)[\s.:№]*(\d{1,6})\)?", re.IGNORECASE | re.DOTALL)
INN = re.compile(r"\d{10}|\d{12}")
COMPANY = ("kpp", "ogrn", "legal_address", "postal_address")
NO_MONEY_FIELD = message("Envybox has no money field for it")
ONLY_LEAD = message("the rule leaves leads, this belongs to what a lead becomes")


@dataclass(frozen=True, slots=True)
class FieldEntry:
    """One answer in one custom field."""

    input_id: str
    value: Any
    question: str
    text: str

    def loss(self, entity: str, reason: str) -> UnplacedValue:
        return UnplacedValue(self.question, self.text, reason, entity, self.input_id)


@dataclass(slots=True)
class Payload:
    """What is sent for one draft. ``head`` and ``values`` make the lead, ``entries`` wait by record.

    ``company`` is what the client gets once there is one: ``short_name``, ``inn`` and what else was told.
    """

    draft: LeadDraft
    deal: bool
    queue: bool
    head: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    entries: dict[str, list[FieldEntry]] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    company: dict[str, str] = field(default_factory=dict)
    losses: list[UnplacedValue] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def external_id(self) -> str:
        return searchable(self.draft.uid)

    def body(self) -> dict[str, Any]:
        """The request of lead/set and lead/workset."""
        custom = [{"input_id": int(one.input_id), "value": one.value} for one in self.entries.get("lead", ())]
        values = {**self.values, "comment": self.comment()}
        return {"method": "create", **self.head, "values": values | ({"custom": custom} if custom else {})}

    def bare(self) -> dict[str, Any]:
        """The same without whatever may be at fault: person, source, further contacts, fields."""
        head = {name: value for name, value in self.head.items() if name in ("pipeline_id", "tags")}
        return {"method": "create", **head, "values": {**self.values, "comment": self.comment()}}

    def comment(self) -> str:
        """The lead's own comment, and in the last line the external id."""
        return f"{''.join(self.comments()[:1])}\n\n{self.external_id}".strip()

    def comments(self) -> list[str]:
        """The readable answers and what found no place, in as many comments as it takes."""
        language = self.draft.language
        text = paragraphs(self.draft.note, lost(self.losses, language))
        return parts(text, LONGEST_COMMENT, MOST_COMMENTS, language)

    def lose(self, entity: str, reason: str) -> None:
        """All the entries of a record stay in the note."""
        for one in self.entries.pop(entity, ()):
            self.losses.append(one.loss(entity, reason))


def pack(draft: LeadDraft, money_fields: Sequence[str] = ()) -> Payload:
    """Lay a draft out. What does not fit is in ``losses``, beside those that the rules found.

    ``money_fields`` are the deals' fields that make up a sum, the first free one takes the price.
    """
    choices = draft.placement.choices
    payload = Payload(draft, takes_into_work(choices), queues(choices), losses=list(draft.losses))
    payload.tags = list(dict.fromkeys(name for tag in draft.tags if (name := tidy(tag.name))))
    _place(payload, draft)
    _person(payload, draft)
    payload.values |= tracking.values_of(draft)
    payload.head |= dict(tracking.head_of(draft))
    _fill(payload, draft)
    _price(payload, draft, money_fields)
    if not payload.deal:
        for entity in ("deal", "client"):
            payload.lose(entity, ONLY_LEAD)
        if draft.task:
            payload.losses.append(UnplacedValue(QUESTION, draft.task.text, ONLY_LEAD, QUESTION))
    _company(payload, draft)
    return payload


def _place(payload: Payload, draft: LeadDraft) -> None:
    """The deal's pipeline is named from the start; employee 0 is the administrator (OBS)."""
    place = draft.placement
    named = {
        "pipeline_id": ("pipeline", place.pipeline),
        "employee_id": ("performer", place.performer),
        "inbox_type_id": (SOURCE, str(place.choices.get(SOURCE) or "")),
    }
    for name, (where, remote_id) in named.items():
        if is_id(remote_id):
            payload.head[name] = int(remote_id)
        elif remote_id:
            _warn(
                payload,
                message("{remote_id} is no id of Envybox and is left out.", remote_id=repr(remote_id)),
                where,
            )
    if place.step and not is_id(place.step):
        _warn(payload, message("{step} is no id of Envybox and is left out.", step=repr(place.step)), "step")
    if payload.tags:
        payload.head["tags"] = payload.tags


def _person(payload: Payload, draft: LeadDraft) -> None:
    person = draft.person
    names = (person.name, draft.title, *person.phones, *person.emails, draft.uid)
    payload.values["name"] = next(name for name in map(_name, names) if name)
    phones, emails = [digits(phone) for phone in person.phones], [tidy(email) for email in person.emails]
    more: list[dict[str, str]] = []
    for name, kind, found in (("phone", "mobile_phone", phones), ("email", "email", emails)):
        if found:
            payload.values[name] = found[0]
        more += [{"type": kind, "value": one} for one in found[1:]]
    messengers = ((key.lower(), tidy(text)) for key, text in person.messengers.items())
    more += [{"type": key, "value": text} for key, text in messengers if key in MESSENGERS and text]
    told = ((key, tidy(draft.more.get(key, ""))) for key in MORE_CONTACTS)
    more += [{"type": key, "value": text} for key, text in told if text]
    if work := tidy(draft.more.get("work_phone", "")):
        split = EXTENSION.fullmatch(work)
        number, addon = split.groups() if split else (work, "")
        more.append({"type": "work_phone", "value": number, **({"addon": addon} if addon else {})})
    if more:
        payload.head["contact_data"] = more


def _fill(payload: Payload, draft: LeadDraft) -> None:
    def fit_of(value: FieldValue) -> Fit:
        fit = convert(value.texts, value.target)
        if not is_id(value.target.remote_id):
            raise Unfit(message("the CRM has no such field"))
        return fit

    fitting, losses = fit_values(draft.values, fit_of, holds_several)
    payload.losses += losses
    for one, fit in fitting:
        target = one.target
        entry = FieldEntry(target.remote_id, fit.value, one.question, tidy(one.text))
        payload.entries.setdefault(target.entity, []).append(entry)
        if fit.unproven:
            words = message(
                "Envybox does not tell the options of «{target_name}»: answers go there as texts.",
                target_name=target.name,
            )
            _warn(payload, words, f"FieldsRule.{target.entity}", "options_unknown")


def _price(payload: Payload, draft: LeadDraft, money_fields: Sequence[str]) -> None:
    """A deal has no price of its own: its sum is that of its money fields."""
    if not draft.price.strip():
        return
    read = price(draft.price, CURRENCY)
    if read.value is None:
        payload.losses.append(UnplacedValue("price", draft.price, read.but, "deal"))
        return
    taken = {entry.input_id for entry in payload.entries.get("deal", ())}
    free = next((one for one in money_fields if one not in taken), "")
    if not free:
        payload.losses.append(
            UnplacedValue("price", draft.price, TAKEN if money_fields else NO_MONEY_FIELD, "deal")
        )
        return
    entry = FieldEntry(free, json_number(read.value), "price", draft.price)
    payload.entries.setdefault("deal", []).append(entry)


def _company(payload: Payload, draft: LeadDraft) -> None:
    """A client takes a company by name and INN; without one it stands in the note."""
    name, inn = _name(draft.company), re.sub(r"\s", "", draft.more.get("inn", ""))
    if name and payload.deal and INN.fullmatch(inn):
        more = {key: text for key in COMPANY if (text := tidy(draft.more.get(key, "")))}
        payload.company = {"short_name": name, "inn": inn, **more}
    elif name and name not in draft.note:
        payload.losses.append(
            UnplacedValue("company", name, message("Envybox takes a company only with its INN"))
        )


def fields_of(entries: Iterable[FieldEntry]) -> Mapping[str | int, Any]:
    return {one.input_id: one.value for one in entries}


def digits(phone: str) -> str:
    return re.sub(r"\D", "", phone)


def _name(text: str) -> str:
    return shorten(tidy(text), LONGEST_NAME)


def _warn(payload: Payload, message: str, where: str, code: str = "not_an_id") -> None:
    payload.problems.append(Problem(code, message, where))
