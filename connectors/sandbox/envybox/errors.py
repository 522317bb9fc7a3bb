"""Refusals: a body with a code and a Russian sentence (reference 1.3, 1.4). Most codes are our guess."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.sandbox.core import Reply

KNOWN: dict[str, tuple[int, str]] = {
    "WRONG_KEY": (401, "Неправильный ключ api"),
    "NO_METHOD": (404, "Метод не найден"),
    "NO_LEAD": (404, "Лид с данным id не найден"),
    "IN_WORK": (400, "Лид уже взят в работу"),
    "NO_LEAD_ID": (400, "Не указан lead_id"),
    "NO_DEAL": (404, "Сделка не найдена"),
    "NO_DEAL_LOG": (404, "Сделка с данным id не найдена"),
    "NO_DEAL_ID": (400, "Не указан deal_id"),
    "SAME_STAGE": (400, "Сделка уже находится на данном этапе"),
    "NO_MANUAL": (400, "Ручная смена этапа запрещена"),
    "NO_FIELD": (404, "Поле не найдено"),
    "BAD_REQUEST": (500, "Неверный request"),
    "NO_CLIENT": (500, "Клиент не найден"),
}


class Refused(Exception):
    """A method says no; ``name`` is a line of KNOWN."""

    def __init__(self, name: str, message: str = "") -> None:
        super().__init__(name)
        self.name, self.message = name, message or KNOWN[name][1]

    def code(self, switches: Mapping[str, Any]) -> int:
        return int(switches["codes"].get(self.name, KNOWN[self.name][0]))

    def reply(self, switches: Mapping[str, Any]) -> Reply:
        code = self.code(switches)
        status = code if switches["statuses"] == "mirrored" else 200
        return Reply.json(status, {"status_code": code, "message": self.message})


def missing(name: str) -> Refused:
    return Refused("BAD_REQUEST", f"Не указан {name}")
