"""An answer comes in parts: the same lead is brought up to date, whoever touched it meanwhile."""

from __future__ import annotations

import pytest

from rules.models import Answer, Delivery, FormerBody

NAME, PHONE = {"name": "Анна"}, "+79161234501"


def said(question, text):
    return {"questionID": question, "question": f"Вопрос {question}", "answer": text}


def first(quiz, **body):
    return quiz.post("k-1", **{"contact": NAME, "answers": [said("1", "a")], "complete": False, **body})


def second(quiz, **body):
    contact = {**NAME, "phone": PHONE}
    return quiz.post("k-1", **{"contact": contact, "answers": [said("1", "b"), said("2", "c")], **body})


@pytest.fixture
def mapped(quiz):
    """A rule that puts question 1 into a field of the lead."""
    quiz.field = quiz.field_id("Ссылка на результат")
    quiz.change_rule(Fieldsrule={"Lead": [{"QuestionID": {"1": quiz.field}}]})
    quiz.work()
    return quiz
