"""What people answered in the demo's quiz: a dozen visits, some of them with something odd."""

from __future__ import annotations

from typing import Any

from config.openapi.quiz import SECOND, THIRD, UNSURE, VISIT, answer, person

LONG_STORY = "Новый дом за парком, второй подъезд, ключи у консьержа, чертежи пришлю. " * 8
ODD_OPTION = "Евроремонт как у соседей"
TWICE = "+79161234501"  # the phone of who answers twice
UTM = {
    "utm_source": "yandex",
    "utm_medium": "cpc",
    "utm_campaign": "remont-msk",
    "utm_term": "ремонт под ключ",
}

ANSWERS: tuple[dict[str, Any], ...] = (
    VISIT,
    SECOND,
    THIRD,
    answer(4, person("Павел Ким", "+79265551004", company="ООО «Ромашка»"), area=210, repair="Дизайнерский"),
    answer(
        5,
        person("Ольга Зайцева", "+79165551005"),
        more={"utm": UTM, "clientIDs": {"yclid": "1883551"}},
        area=38,
    ),
    answer(6, person("Дмитрий", "+79055551006"), place=LONG_STORY, area=64),
    answer(7, person("Елена Соколова", "+79855551007"), repair=ODD_OPTION, area=45),
    answer(8, person("Анна Белова", TWICE), repair="Косметический", place="Москва, Южное Тушино"),
    UNSURE,
    answer(10, person("Наталья Фёдорова", "+79675551010", city="Тверь"), rooms=["Гостиная"], budget=350000),
    answer(11, person("", "+79995551011"), area=29, repair="Косметический"),
    answer(12, {"name": "Виктор", "email": "viktor@mail.example"}, date="15.04.2026", style="Классика"),
)
REPEATED = ANSWERS[0]
"""The quiz service sends this one again, as it would after a timeout."""
