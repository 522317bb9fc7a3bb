"""Where a visitor came from, as Envybox takes it: UTM marks, ids of counters, region and time zone. Pure.

Regions are names of subjects, zones ``UTC+05:00`` (reference 4.2). The vendor shows no list of regions:
"Russia, Ukraine, Kazakhstan subjects", Moscow and St Petersburg on their own. The names here are the official
ones in Russian.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.draft import LeadDraft
from connectors.text import is_id, shorten, tidy

UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
LONGEST = 255  # characters of a UTM mark or an id; no bound is documented
# What the two counters' ids are called: with the vendor's name in it, or as we and the counters call them.
CLIENT_IDS = {
    "google_client_id": ("google", ("gclientid", "ga_client_id", "_ga", "ga")),
    "yandex_client_id": ("yandex", ("_ym_uid", "ym_uid", "ym_client_id")),
}
VISIT = "WhiteCallback_visit"


def values_of(draft: LeadDraft) -> dict[str, str]:
    """What goes among a lead's ``values``: UTM marks and ids of counters."""
    found = {name: tidy(draft.utm.get(name, "")) for name in UTM}
    ids = draft.visit.client_ids
    for name, (vendor, keys) in CLIENT_IDS.items():
        named = [text for key, text in ids.items() if vendor in key.lower()]
        ours = [text for known in keys for key, text in ids.items() if key.lower() == known]
        found[name] = next(filter(None, map(tidy, (*named, *ours))), "")
    return {name: shorten(text, LONGEST) for name, text in found.items() if text}


def head_of(draft: LeadDraft) -> Iterator[tuple[str, Any]]:
    """What stands beside a lead's ``values``.

    A region by its name, which a city may be; a zone as it was told; the visit that the vendor's widget
    counted; the record of a call.
    """
    if region := region_of(draft.more.get("region", "")) or region_of(draft.person.city):
        yield "region", region
    if zone := timezone_of(draft.more.get("timezone", ""), draft.visit.answered_at):
        yield "timezone", zone
    if is_id(visit := draft.visit.client_ids.get(VISIT, "")):
        yield "visit_id", int(visit)
    if re.match(r"(?i)https?://\S+$", record := tidy(draft.more.get("record_link", ""))):
        yield "record_link", record


# -- regions and zones ------------------------------------------------------------------------------------

CITIES = "Москва, Санкт-Петербург, Севастополь, Киев, Астана, Алматы, Шымкент"
REPUBLICS = (
    "Адыгея, Алтай, Башкортостан, Бурятия, Дагестан, Донецкая Народная, Ингушетия, Кабардино- "
    "Балкарская, Калмыкия, Карачаево-Черкесская, Карелия, Коми, Крым, Луганская Народная, Марий Эл, "
    "Мордовия, Саха (Якутия), Северная Осетия, Татарстан, Тыва, Удмуртская, Хакасия, Чеченская, "
    "Чувашская"
)
TERRITORIES = (
    "Алтайский, Забайкальский, Камчатский, Краснодарский, Красноярский, Пермский, Приморский, "
    "Ставропольский, Хабаровский"
)
PROVINCES = (
    # Russia
    "Амурская, Архангельская, Астраханская, Белгородская, Брянская, Владимирская, Волгоградская, "
    "Вологодская, Воронежская, Запорожская, Ивановская, Иркутская, Калининградская, Калужская, "
    "Кемеровская, Кировская, Костромская, Курганская, Курская, Ленинградская, Липецкая, Магаданская, "
    "Московская, Мурманская, Нижегородская, Новгородская, Новосибирская, Омская, Оренбургская, "
    "Орловская, Пензенская, Псковская, Ростовская, Рязанская, Самарская, Саратовская, Сахалинская, "
    "Свердловская, Смоленская, Тамбовская, Тверская, Томская, Тульская, Тюменская, Ульяновская, "
    "Херсонская, Челябинская, Ярославская, "
    # Ukraine
    "Винницкая, Волынская, Днепропетровская, Житомирская, Закарпатская, Ивано-Франковская, Киевская, "
    "Кировоградская, Львовская, Николаевская, Одесская, Полтавская, Ровненская, Сумская, Тернопольская, "
    "Харьковская, Хмельницкая, Черкасская, Черниговская, Черновицкая, "
    # Kazakhstan
    "Абайская, Акмолинская, Актюбинская, Алматинская, Атырауская, Восточно-Казахстанская, Жамбылская, "
    "Жетысуская, Западно-Казахстанская, Карагандинская, Костанайская, Кызылординская, Мангистауская, "
    "Павлодарская, Северо-Казахстанская, Туркестанская, Улытауская"
)
DISTRICTS = "Ненецкий, Ханты-Мансийский, Чукотский, Ямало-Ненецкий"
COUNTRIES = "Казахстан"  # the sandbox's and some accounts' word for the whole of it
KINDS = re.compile(r"\b(республика|область|обл|край|автономн\w+|округ|ао|г|город)\b\.?")
OFFSET = re.compile(r"(?:utc|gmt)?\s*([+-])\s*(\d{1,2})(?::?(\d{2}))?")
MOST_HOURS = 12


def region_of(text: str) -> str:
    """The subject that is named, in full; empty where the text names none or something smaller."""
    return NAMES.get(_key(text), "")


def timezone_of(text: str, at: datetime) -> str:
    """``UTC+5``, ``+05:00`` or ``Asia/Yekaterinburg`` as ``UTC+05:00``, empty for others; ``at`` is aware."""
    if found := OFFSET.fullmatch(text.strip().lower()):
        span = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        return _written(-span if found[1] == "-" else span)
    try:
        return _written(at.astimezone(ZoneInfo(text.strip())).utcoffset() or timedelta())
    except (KeyError, ValueError, OSError):  # no such zone, or no name of one
        return ""


def _written(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    if abs(minutes) > MOST_HOURS * 60:
        return ""
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _key(text: str) -> str:
    return " ".join(re.findall(r"\w+", KINDS.sub(" ", text.lower().replace("ё", "е"))))


def _names() -> dict[str, str]:
    named = {
        **dict.fromkeys(CITIES.split(", "), "{}"),
        **dict.fromkeys(REPUBLICS.split(", "), "Республика {}"),
        **dict.fromkeys(TERRITORIES.split(", "), "{} край"),
        **dict.fromkeys(PROVINCES.split(", "), "{} область"),
        **dict.fromkeys(DISTRICTS.split(", "), "{} автономный округ"),
        **dict.fromkeys(COUNTRIES.split(", "), "{}"),
        "Еврейская": "{} автономная область",
    }
    # Republics that are called by an adjective have it first.
    full = {
        name: f"{name} Республика" if form == "Республика {}" and name.endswith("ая") else form.format(name)
        for name, form in named.items()
    }
    return {_key(name): words for name, words in full.items()}


NAMES = _names()
