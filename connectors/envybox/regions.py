"""Regions and time zones as Envybox takes them (reference 4.2): names of subjects, ``UTC+05:00``. Pure.

The vendor shows no list: "Russia, Ukraine, Kazakhstan subjects", Moscow and St Petersburg on their own. The
names here are the official ones in Russian.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

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
