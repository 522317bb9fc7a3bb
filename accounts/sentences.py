"""What a person reads when connecting fails: what happened, and what to do, in two languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """``happened`` and ``remedy`` may name the ``{crm}``."""

    happened: str
    remedy: str

    def about(self, crm: str) -> Sentence:
        return Sentence(self.happened.format(crm=crm), self.remedy.format(crm=crm))

    def __str__(self) -> str:
        return f"{self.happened} {self.remedy}"


AGAIN = "Close this window and press “Connect” once more."
AGAIN_RU = "Закройте это окно и нажмите «Подключить» ещё раз."

ENGLISH: dict[str, Sentence] = {
    "missing_state": Sentence("The address has no state, so we can't tell whose connection this is.", AGAIN),
    "forged_state": Sentence("The state in the address was not issued by us.", AGAIN),
    "expired_state": Sentence("This connection was begun too long ago.", AGAIN),
    "unknown_state": Sentence("We no longer know of this connection.", AGAIN),
    "used_state": Sentence(
        "This address was opened before and works only once.",
        "If the account is not connected yet, close this window and press “Connect” once more.",
    ),
    "account_gone": Sentence("The account was disconnected or replaced in the meantime.", AGAIN),
    "denied": Sentence("Access to {crm} was not granted, so nothing was connected.", AGAIN),
    "refused": Sentence("{crm} could not be connected.", AGAIN),
    "busy": Sentence("{crm} does not answer just now.", "Reload this page in a minute."),
    "lost": Sentence("{crm} stopped answering before the connection was complete.", AGAIN),
    "ours": Sentence(
        "The connection to {crm} is not set up correctly on our side.",
        "The operator has to check the settings; please try again later.",
    ),
    "return_url": Sentence(
        "The return address is not on the list of allowed ones.", "Use one that is listed."
    ),
}
RUSSIAN: dict[str, Sentence] = {
    "missing_state": Sentence("В адресе нет параметра state: неизвестно, чьё это подключение.", AGAIN_RU),
    "forged_state": Sentence("Параметр state в адресе выдан не нами.", AGAIN_RU),
    "expired_state": Sentence("Подключение начато слишком давно.", AGAIN_RU),
    "unknown_state": Sentence("Это подключение нам больше не известно.", AGAIN_RU),
    "used_state": Sentence(
        "Этот адрес уже открывали, а работает он один раз.",
        "Если аккаунт ещё не подключён, закройте окно и нажмите «Подключить» ещё раз.",
    ),
    "account_gone": Sentence("Аккаунт тем временем отключили или заменили другим.", AGAIN_RU),
    "denied": Sentence("Доступ к {crm} не выдан, поэтому ничего не подключено.", AGAIN_RU),
    "refused": Sentence("Подключить {crm} не удалось.", AGAIN_RU),
    "busy": Sentence("{crm} сейчас не отвечает.", "Обновите эту страницу через минуту."),
    "lost": Sentence("{crm} перестала отвечать до конца подключения.", AGAIN_RU),
    "ours": Sentence(
        "Подключение к {crm} неверно настроено на нашей стороне.",
        "Настройки должен проверить оператор; попробуйте позже.",
    ),
    "return_url": Sentence("Адреса возврата нет в списке разрешённых.", "Укажите адрес из списка."),
}


def sentence(code: str, crm: str, language: str = "en") -> Sentence:
    """What to say of ``code``; English where the language is none of ours."""
    return (RUSSIAN if language == "ru" else ENGLISH)[code].about(crm)
