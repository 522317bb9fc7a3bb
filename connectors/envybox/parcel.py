"""A draft laid out for Envybox: the body of the lead, and what the deal and client get later (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.coercion import Unfit, price, written
from connectors.draft import LeadDraft, Problem, Target, UnplacedValue
from connectors.envybox.answers import mark_of
from connectors.envybox.choices import SOURCE, queues, takes_into_work
from connectors.envybox.fields import CURRENCY, convert
from connectors.envybox.regions import region_of, timezone_of
from connectors.joining import TAKEN, one_per_field
from connectors.note_texts import lost, parts
from connectors.text import shorten, tidy

LONGEST_NAME, LONGEST_MARK = 255, 255
LONGEST_COMMENT = 8_000  # no bound is documented (reference 7.2)
MOST_COMMENTS = 40  # more than the longest body that is taken in
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
MESSENGERS = frozenset({"viber", "instagram", "whatsapp", "telegram", "vkontakte", "facebook", "skype"})
# What the two counters' ids are called: with the vendor's name in it, or as we and the counters call them.
CLIENT_IDS = {
    "google_client_id": ("google", ("gclientid", "ga_client_id", "_ga", "ga")),
    "yandex_client_id": ("yandex", ("_ym_uid", "ym_uid", "ym_client_id")),
}
VISIT = "WhiteCallback_visit"
MORE_CONTACTS = ("position", "home_phone")
EXTENSION = re.compile(r"(.*\d)[\s,;(]*(?:доб|ext|вн|x|#)[\s.:№]*(\d{1,6})\)?", re.IGNORECASE | re.DOTALL)
INN = re.compile(r"\d{10}|\d{12}")
COMPANY = ("kpp", "ogrn", "legal_address", "postal_address")
NO_MONEY_FIELD = "Envybox has no money field for it"
ONLY_LEAD = "the rule leaves leads, this belongs to what a lead becomes"


@dataclass(frozen=True, slots=True)
class FieldEntry:
    """One answer in one custom field."""

    input_id: str
    value: Any
    question: str
    text: str


@dataclass(slots=True)
class Parcel:
    """What is sent for one draft. ``head`` and ``values`` make the lead, ``pieces`` wait by record.

    ``company`` is what the client gets once there is one: ``short_name``, ``inn`` and what else was told.
    """

    mark: str
    deal: bool
    queue: bool
    head: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    pieces: dict[str, list[FieldEntry]] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    company: dict[str, str] = field(default_factory=dict)
    losses: list[UnplacedValue] = field(default_factory=list)
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
        """The lead's own comment, and in the last line our mark."""
        return f"{''.join(self.comments()[:1])}\n\n{self.mark}".strip()

    def comments(self) -> list[str]:
        """The readable answers and what found no place, in as many comments as it takes."""
        text = "\n\n".join(filter(None, (self.note, tidy(lost(self.losses, self.language)))))
        return parts(text, LONGEST_COMMENT, MOST_COMMENTS, self.language)

    def lose(self, entity: str, reason: str) -> None:
        """All the pieces of a record stay in the note."""
        for one in self.pieces.pop(entity, ()):
            self.losses.append(UnplacedValue(one.question, one.text, reason, entity, one.input_id))


def pack(draft: LeadDraft, money_fields: Sequence[str] = ()) -> Parcel:
    """Lay a draft out. What does not fit is in ``losses``, beside those that the rules found.

    ``money_fields`` are the deals' fields that make up a sum, the first free one takes the price.
    """
    choices = draft.placement.choices
    parcel = Parcel(mark_of(draft.uid), takes_into_work(choices), queues(choices))
    parcel.losses, parcel.note, parcel.language = list(draft.losses), tidy(draft.note), draft.language
    parcel.tags = list(dict.fromkeys(name for tag in draft.tags if (name := tidy(tag.name))))
    _place(parcel, draft)
    _person(parcel, draft)
    _place_of(parcel, draft)
    _origin(parcel, draft)
    _fill(parcel, draft)
    _price(parcel, draft, money_fields)
    if not parcel.deal:
        for entity in ("deal", "client"):
            parcel.lose(entity, ONLY_LEAD)
    _company(parcel, draft)
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
    told = ((key, tidy(draft.more.get(key, ""))) for key in MORE_CONTACTS)
    more += [{"type": key, "value": text} for key, text in told if text]
    if work := tidy(draft.more.get("work_phone", "")):
        split = EXTENSION.fullmatch(work)
        number, addon = split.groups() if split else (work, "")
        more.append({"type": "work_phone", "value": number, **({"addon": addon} if addon else {})})
    if more:
        parcel.head["contact_data"] = more


def _place_of(parcel: Parcel, draft: LeadDraft) -> None:
    """Where the client is: a region by its name, which a city may be; a time zone as it was told."""
    if region := region_of(draft.more.get("region", "")) or region_of(draft.person.city):
        parcel.head["region"] = region
    if zone := timezone_of(draft.more.get("timezone", ""), draft.visit.answered_at):
        parcel.head["timezone"] = zone


def _origin(parcel: Parcel, draft: LeadDraft) -> None:
    for name in UTM:
        if text := tidy(draft.utm.get(name, "")):
            parcel.values[name] = shorten(text, LONGEST_MARK)
    ids = draft.visit.client_ids
    for name, (vendor, keys) in CLIENT_IDS.items():
        named = [text for key, text in ids.items() if vendor in key.lower()]
        ours = [text for known in keys for key, text in ids.items() if key.lower() == known]
        if found := next(filter(None, map(tidy, (*named, *ours))), ""):
            parcel.values[name] = shorten(found, LONGEST_MARK)
    if is_id(ids.get(VISIT, "")):
        parcel.head["visit_id"] = int(ids[VISIT])
    if re.match(r"(?i)https?://\S+$", record := tidy(draft.more.get("record_link", ""))):
        parcel.head["record_link"] = record


def _fill(parcel: Parcel, draft: LeadDraft) -> None:
    values, losses = one_per_field(draft.values, holds_several)
    parcel.losses += losses
    for one in values:
        target, text = one.target, tidy(one.text)
        try:
            fit = convert(one.texts, target)
            if not is_id(target.remote_id):
                raise Unfit("the CRM has no such field")
        except Unfit as exc:
            parcel.losses.append(UnplacedValue(one.question, text, str(exc), target.entity, target.remote_id))
            continue
        if fit.value is None:
            continue
        if fit.but:
            parcel.losses.append(UnplacedValue(one.question, text, fit.but, target.entity, target.remote_id))
        piece = FieldEntry(target.remote_id, fit.value, one.question, text)
        parcel.pieces.setdefault(target.entity, []).append(piece)
        if fit.unproven:
            words = f"Envybox does not tell the options of «{target.name}»: answers go there as texts."
            _warn(parcel, words, f"FieldsRule.{target.entity}", "options_unknown")


def _price(parcel: Parcel, draft: LeadDraft, money_fields: Sequence[str]) -> None:
    """A deal has no price of its own: its sum is that of its money fields."""
    if not draft.price.strip():
        return
    read = price(draft.price, CURRENCY)
    if read.value is None:
        parcel.losses.append(UnplacedValue("price", draft.price, read.but, "deal"))
        return
    taken = {piece.input_id for piece in parcel.pieces.get("deal", ())}
    free = next((one for one in money_fields if one not in taken), "")
    if not free:
        parcel.losses.append(
            UnplacedValue("price", draft.price, TAKEN if money_fields else NO_MONEY_FIELD, "deal")
        )
        return
    sum_ = int(read.value) if read.value == read.value.to_integral_value() else float(written(read.value))
    parcel.pieces.setdefault("deal", []).append(FieldEntry(free, sum_, "price", draft.price))


def _company(parcel: Parcel, draft: LeadDraft) -> None:
    """A client takes a company by name and INN; without one it stands in the note."""
    name, inn = _name(draft.company), re.sub(r"\s", "", draft.more.get("inn", ""))
    if name and parcel.deal and INN.fullmatch(inn):
        more = {key: text for key in COMPANY if (text := tidy(draft.more.get(key, "")))}
        parcel.company = {"short_name": name, "inn": inn, **more}
    elif name and name not in parcel.note:
        parcel.losses.append(UnplacedValue("company", name, "Envybox takes a company only with its INN"))


def holds_several(target: Target) -> bool:
    """Texts do, and lists, of which nobody tells how many choices they take."""
    return target.type not in ("1", "9")


def fields_of(pieces: Iterable[FieldEntry]) -> Mapping[str | int, Any]:
    return {one.input_id: one.value for one in pieces}


def digits(phone: str) -> str:
    return re.sub(r"\D", "", phone)


def is_id(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,18}", text))


def _name(text: str) -> str:
    return shorten(tidy(text), LONGEST_NAME)


def _warn(parcel: Parcel, message: str, where: str, code: str = "not_an_id") -> None:
    parcel.problems.append(Problem(code, message, where))
