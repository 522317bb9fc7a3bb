"""The list of deliveries as a file: what it tells, in whose language, who may take it, and who took it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connectors.messages import from_column, message
from rules.admin import delivery_file
from rules.models import Answer, Delivery
from tests.admin.conftest import PERSONAL
from tests.admin.test_bulk import HELD, choose_all
from tests.admin.test_pages import list_of

Deliver = Callable[..., Delivery]
TAKE = "download_chosen"


def table(reply: Any) -> list[list[str]]:
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert reply.headers["Content-Disposition"].startswith('attachment; filename="deliveries_')
    text = b"".join(reply.streaming_content).decode("utf-8-sig")
    return list(csv.reader(text.splitlines(), delimiter=";"))


def kept() -> list[str]:
    return [str(from_column(text)) for text in LogEntry.objects.values_list("change_message", flat=True)]


def test_all_of_a_filter_is_told_in_the_language_of_whoever_takes_it(
    operator: Client, deliver: Deliver
) -> None:
    deliver("waiting")
    paused = deliver("held", held_because="rule_paused", error=message("The rule is paused"))
    first = deliver("held", held_because="cancelled", error=message("It was cancelled"))
    link = "https://flowers.amocrm.ru/leads/7"
    second = deliver("held", remote_id="7", remote_link=link)
    operator.cookies[settings.LANGUAGE_COOKIE_NAME] = "ru"
    head, *rows = table(choose_all(operator, TAKE))
    assert head == [
        "Отправка", "Квиз", "Номер ответа", "Клиент", "Подключение", "Имя", "Телефон", "E-mail", "Состояние",
        "Причина", "Заявка", "Адрес заявки", "Создана", "Доставлена",
    ]  # fmt: skip
    assert [row[0] for row in rows] == [str(row.pk) for row in (second, first, paused)]
    told = dict(zip(head, rows[1], strict=True))
    assert (told["Имя"], told["Телефон"]) == (PERSONAL[1], PERSONAL[0])
    assert (told["Квиз"], told["Клиент"], told["Подключение"]) == ("101", "shop", "amoCRM: Flower shop")
    assert (told["Состояние"], told["Причина"]) == (
        "задержана", "Отменена: отправлять не нужно. Отправка отменена",
    )  # fmt: skip
    assert rows[2][9] == "Правило на паузе"  # which both say
    assert rows[0][10:12] == ["7", link]


def test_nothing_that_somebody_typed_is_calculated_or_opened(operator: Client, deliver: Deliver) -> None:
    row = deliver("held", remote_id="9", remote_link="javascript:alert(1)")
    contact = {"name": "=HYPERLINK(1)", "phone": "+7 unreadable", "email": "@SUM(1)"}
    Answer.objects.filter(pk=row.answer_id).update(payload={"contact": contact})
    [_head, told] = table(choose_all(operator, TAKE))
    assert told[5:8] == ["'=HYPERLINK(1)", "'+7 unreadable", "'@SUM(1)"]
    assert told[11] == ""


def test_a_long_file_is_read_portion_by_portion_while_it_is_sent(
    operator: Client, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_file, "PORTION", 2)
    rows = [deliver("held") for _ in range(5)]
    reply: Any = choose_all(operator, TAKE)
    pieces: Iterator[bytes] = iter(reply.streaming_content)
    assert next(pieces).startswith(b"\xef\xbb\xbf")
    with CaptureQueriesContext(connection) as seen:
        assert next(pieces).count(b"\r\n") == 2
    assert len(seen) == 2  # of five rows two were read: their keys, and what is told of them
    assert b"".join(pieces).count(b"\r\n") == 3
    assert Delivery.objects.count() == len(rows)


def test_rows_picked_by_hand_and_who_took_them(operator: Client, deliver: Deliver) -> None:
    picked, _other = deliver("held"), deliver("held")
    chosen = {"action": TAKE, "_selected_action": [picked.pk]}
    [_head, told] = table(operator.post(HELD, chosen))
    assert told[0] == str(picked.pk)
    assert kept() == ["Downloaded as a file with names, phones and e-mails; deliveries: 1."]
    assert LogEntry.objects.get().user.get_username() == "operator"
    Delivery.objects.update(state="waiting", held_because="")
    html = operator.post(HELD, chosen, follow=True).content.decode()
    assert "There is nothing to download" in html
    assert len(kept()) == 1


def test_whom_an_answer_was_of_is_gone_from_the_file_once_it_is_erased(
    operator: Client, deliver: Deliver
) -> None:
    row = deliver("held")
    Answer.objects.filter(pk=row.answer_id).update(payload={})
    [_head, told] = table(choose_all(operator, TAKE))
    assert told[5:8] == ["", "", ""]


def test_whoever_may_not_read_who_answered_gets_no_file(viewer: Client, deliver: Deliver) -> None:
    deliver("held")
    assert TAKE not in viewer.get(list_of(Delivery)).content.decode()
    reply = choose_all(viewer, TAKE)
    assert not reply.streaming
    assert kept() == []
