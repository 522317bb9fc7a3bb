"""What a person reads when connecting fails: what happened, and what to do, in two languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """``happened`` and ``remedy`` may name the ``{crm}``, and accounts that the error names."""

    happened: str
    remedy: str

    def about(self, names: Mapping[str, str]) -> Message:
        return Message(self.happened.format_map(names), self.remedy.format_map(names))

    def __str__(self) -> str:
        return f"{self.happened} {self.remedy}"


AGAIN = "Close this window and press “Connect” once more."
AGAIN_RU = "Закройте это окно и нажмите «Подключить» ещё раз."

ENGLISH: dict[str, Message] = {
    "missing_state": Message("The address has no state, so we can't tell whose connection this is.", AGAIN),
    "forged_state": Message("The state in the address was not issued by us.", AGAIN),
    "expired_state": Message("This connection was begun too long ago.", AGAIN),
    "unknown_state": Message("We no longer know of this connection.", AGAIN),
    "used_state": Message(
        "This address was opened before and works only once.",
        "If the account is not connected yet, close this window and press “Connect” once more.",
    ),
    "account_gone": Message("The account was disconnected or replaced in the meantime.", AGAIN),
    "another_account": Message(
        "You chose the {crm} account “{chosen}”, but “{connected}” is connected. Nothing was changed.",
        "To go on with “{connected}”, press “Connect” once more and choose it. To use “{chosen}” instead, "
        "disconnect “{connected}” first.",
    ),
    "denied": Message("Access to {crm} was not granted, so nothing was connected.", AGAIN),
    "refused": Message("{crm} could not be connected.", AGAIN),
    "busy": Message("{crm} does not answer just now.", "Reload this page in a minute."),
    "lost": Message("{crm} stopped answering before the connection was complete.", AGAIN),
    "ours": Message(
        "The connection to {crm} is not set up correctly on our side.",
        "The operator has to check the settings; please try again later.",
    ),
    "return_url": Message(
        "The return address is not on the list of allowed ones.", "Use one that is listed."
    ),
}
RUSSIAN: dict[str, Message] = {
    "missing_state": Message("В адресе нет параметра state: неизвестно, чьё это подключение.", AGAIN_RU),
    "forged_state": Message("Параметр state в адресе выдан не нами.", AGAIN_RU),
    "expired_state": Message("Подключение начато слишком давно.", AGAIN_RU),
    "unknown_state": Message("Это подключение нам больше не известно.", AGAIN_RU),
    "used_state": Message(
        "Этот адрес уже открывали, а работает он один раз.",
        "Если аккаунт ещё не подключён, закройте окно и нажмите «Подключить» ещё раз.",
    ),
    "account_gone": Message("Аккаунт тем временем отключили или заменили другим.", AGAIN_RU),
    "another_account": Message(
        "Вы выбрали аккаунт {crm} «{chosen}», а подключён «{connected}». Ничего не изменилось.",
        "Чтобы продолжить с «{connected}», нажмите «Подключить» ещё раз и выберите его. Чтобы перейти на "
        "«{chosen}», сначала отключите «{connected}».",
    ),
    "denied": Message("Доступ к {crm} не выдан, поэтому ничего не подключено.", AGAIN_RU),
    "refused": Message("Подключить {crm} не удалось.", AGAIN_RU),
    "busy": Message("{crm} сейчас не отвечает.", "Обновите эту страницу через минуту."),
    "lost": Message("{crm} перестала отвечать до конца подключения.", AGAIN_RU),
    "ours": Message(
        "Подключение к {crm} неверно настроено на нашей стороне.",
        "Настройки должен проверить оператор; попробуйте позже.",
    ),
    "return_url": Message("Адреса возврата нет в списке разрешённых.", "Укажите адрес из списка."),
}


def sentence(code: str, crm: str, language: str = "en", names: Mapping[str, str] | None = None) -> Message:
    """What to say of ``code``; English where the language is none of ours."""
    return (RUSSIAN if language == "ru" else ENGLISH)[code].about({"crm": crm, **(names or {})})
