"""What people answered in the demo's quiz: a dozen visits, some of them with something odd."""

from __future__ import annotations

from typing import Any

QUIZ_ID = 4201
TITLE = "Рассчитайте стоимость ремонта"
QUESTIONS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (  # id, title, type, options
    ("area", "Какая площадь квартиры?", "number", ()),
    ("repair", "Какой ремонт нужен?", "select", ("Косметический", "Капитальный", "Дизайнерский")),
    ("rooms", "Какие комнаты?", "multiselect", ("Кухня", "Спальня", "Ванная", "Гостиная")),
    ("date", "Когда приехать на замер?", "date", ()),
    ("budget", "На какой бюджет рассчитываете?", "number", ()),
    ("style", "Какой стиль вам ближе?", "select", ("Сканди", "Лофт", "Классика", "Минимализм")),
    ("place", "Где находится квартира?", "text", ()),
)
QUIZ: dict[str, Any] = {
    "title": TITLE,
    "questions": [
        {"id": key, "title": title, "type": kind, "options": list(options)}
        for key, title, kind, options in QUESTIONS
    ],
    "contact": [{"key": "name", "title": "Имя"}, {"key": "phone", "title": "Телефон"}],
}
TITLES = {key: (title, kind) for key, title, kind, _ in QUESTIONS}
LONG_STORY = "Новый дом за парком, второй подъезд, ключи у консьержа, чертежи пришлю. " * 8
ODD_OPTION = "Евроремонт как у соседей"
TWICE = "+79161234501"  # the phone of who answers twice


def answer(
    number: int, contact: dict[str, str], *, more: dict[str, Any] | None = None, **given: Any
) -> dict[str, Any]:
    """One finished quiz, as a quiz service sends it."""
    asked = [
        {"questionID": key, "question": TITLES[key][0], "type": TITLES[key][1], "answer": value}
        for key, value in given.items()
    ]
    visit = {"page": "https://remont.example/quiz", "referrer": "https://yandex.ru/", "ip": "203.0.113.7"}
    head = {"quizID": QUIZ_ID, "answerID": f"visit-{number:02d}", "quiz": {"title": TITLE}}
    return {**head, "contact": contact, "answers": asked, **visit, **(more or {})}


def person(name: str, phone: str, **more: str) -> dict[str, str]:
    return {"name": name, "phone": phone, **more}


UTM = {
    "utm_source": "yandex",
    "utm_medium": "cpc",
    "utm_campaign": "remont-msk",
    "utm_term": "ремонт под ключ",
}

ANSWERS: tuple[dict[str, Any], ...] = (
    answer(1, person("Анна Белова", "+7 916 123-45-01"), area=54, repair="Капитальный", style="Сканди"),
    answer(
        2,
        person("Сергей Орлов", "8 (903) 555-10-02", email="orlov@mail.example"),
        area="72,5",
        budget="1 200 000",
    ),
    answer(3, person("Марина", "+79035551003"), rooms=["Кухня", "Ванная"], date="2026-03-08"),
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
    answer(9, person("Игорь", "+79295551009", telegram="@igor_remont"), area="не знаю", style="Лофт"),
    answer(10, person("Наталья Фёдорова", "+79675551010", city="Тверь"), rooms=["Гостиная"], budget=350000),
    answer(11, person("", "+79995551011"), area=29, repair="Косметический"),
    answer(12, {"name": "Виктор", "email": "viktor@mail.example"}, date="15.04.2026", style="Классика"),
)
REPEATED = ANSWERS[0]
"""The quiz service sends this one again, as it would after a timeout."""
