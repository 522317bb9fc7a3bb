"""The quiz of the examples, which is the demo's too, and some of those who finished it."""

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


VISIT = answer(1, person("Анна Белова", "+7 916 123-45-01"), area=54, repair="Капитальный", style="Сканди")
SECOND = answer(
    2,
    person("Сергей Орлов", "8 (903) 555-10-02", email="orlov@mail.example"),
    area="72,5",
    budget="1 200 000",
)
THIRD = answer(3, person("Марина", "+79035551003"), rooms=["Кухня", "Ванная"], date="2026-03-08")
# Who does not know the area.
UNSURE = answer(9, person("Игорь", "+79295551009", telegram="@igor_remont"), area="не знаю", style="Лофт")
