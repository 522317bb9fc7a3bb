"""Bodies of POST /answers as hypothesis makes them, what stands in them, and how a person finds it again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st

UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
CONTACT_KEYS = (
    *("name", "phone", "phones", "email", "emails", "company", "city", "firstName", "lastName", "secondName"),
    *(
        "Name",
        "Phone",
        "Email",
        "tel",
        "ФИО",
        "телефон",
        "telegram",
        "whatsapp",
        "viber",
        "skype",
        "vkontakte",
    ),
    *("inn", "ИНН", "position", "workPhone", "home_phone", "region", "timezone", "recordLink", "address"),
)
MARKS = (
    *("utm_source", "UTM_SOURCE", "source", "utm_medium", "utm_campaign", "utm_content", "utm_term"),
    *("utm_referrer", "openstat_service", "openstat_ad", "roistat", "from", "yclid", "gclid", "fbclid"),
    *("_ym_uid", "_ga", "gclientid", "yandexClientID", "googleClientID", "WhiteCallback_visit"),
)
# What forms really send, so that fields are filled and refused, persons found and not found.
PLAUSIBLE = (
    *(
        "+79161234501",
        "8 (916) 123-45-01",
        "+7 (000) 000-00-00",
        "00 49 30 901820",
        "+7 495 123-45-67 доб. 12",
    ),
    *(
        "anna@demo.example",
        "anna@",
        "Анна <a@b.example>",
        "1 500 000,50 ₽",
        "1,5 млн",
        "от 10 до 20",
        "54 м²",
    ),
    *(
        "08.03.2026",
        "28.11.2026 - 30.11.2026",
        "2026-11-28T00:00:00.000Z",
        "Кухня",
        "Капитальный",
        "да",
        "нет",
    ),
    *("https://quiz.example/?a=1&b=2", "Московская область", "7707083893", "UTC+5", "&lt;b&gt; $result[c0]"),
)


def _told(text: str, number: int) -> str:
    """A text that nothing else in the body contains."""
    return f"{text}{number}"


words = st.builds(
    _told,
    st.text(st.characters(exclude_categories=("Cs",)), max_size=30),
    st.integers(min_value=10**7, max_value=10**8),
)
numbers = st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9).map(lambda one: round(one, 3))
scalars = words | st.sampled_from(PLAUSIBLE) | numbers | st.booleans() | st.none()
keys = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
files = st.fixed_dictionaries({"url": words.map("https://cdn.example/{}".format), "name": words})
values = st.recursive(
    scalars | files | st.fixed_dictionaries({"value": scalars}),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)


def maps(known: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """Mostly what should be there, sometimes anything."""
    return st.dictionaries(st.sampled_from(known) | keys, scalars | values, max_size=6) | values


def bodies(questions: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Whole bodies; ``questions`` are the ids that the rule maps."""
    item = st.fixed_dictionaries(
        {"questionID": st.sampled_from(questions) | words | st.integers(0, 10**6)},
        optional={"question": words, "type": words, "answer": values, "score": values, "": values},
    )
    known = {
        "quiz": st.fixed_dictionaries({"title": words | values}, optional={"version": values}) | values,
        "contact": maps(CONTACT_KEYS),
        "answers": st.lists(item, max_size=6) | st.lists(item | values, max_size=4) | values,
        "utm": maps(MARKS),
        "clientIDs": maps(MARKS),
        **dict.fromkeys(("page", "referrer", "ip", "price", "result"), scalars | values),
    }
    unknown = st.dictionaries(keys.filter(lambda key: key not in known), values, max_size=3)
    ids = {"quizID": st.integers(0, 2**31), "answerID": words}
    return st.builds(lambda top, more: {**more, **top}, st.fixed_dictionaries(ids, optional=known), unknown)


def scalars_in(value: Any) -> Iterator[Any]:
    """Every text, number, yes and no, however deep."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from scalars_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scalars_in(inner)
    elif value is not None:
        yield value


def spellings(value: Any) -> tuple[str, ...]:
    """How a person would recognise it, once ``plain``."""
    if isinstance(value, bool):
        return ("да",) if value else ("нет",)
    if isinstance(value, float) and value.is_integer():
        return (f"{value:.0f}",)
    return (plain(str(value)),)


def plain(text: str) -> str:
    """Without what no CRM keeps, white space as one space."""
    return " ".join(UNSTORABLE.sub("", text).split())
