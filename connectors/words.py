"""What people read in their CRM, in their language: names, and why an answer is in the note alone. Pure.

Losses stay English in our database, admin and API, one language for staff; they are translated where a note
is written. A connector composes the section of what found no place with ``lost(losses, draft.language)``, the
same one for all CRMs, and puts it under ``draft.note``. A connector with a new reason adds its line to
``RUSSIAN`` (a test collects the reasons and names those that have none); ``{}`` is what differs: a number, a
choice, the CRM. What a CRM itself says about a value is passed on in its own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from connectors.draft import Loss

RU, EN = "ru", "en"
LANGUAGES = (RU, EN)
HEADING = {RU: "Не удалось занести в поля:", EN: "Could not be put into fields:"}
COMPLETED = {RU: "Ответ дополнен:", EN: "The answer was completed:"}
NAMES = {
    "quiz": {RU: "Квиз", EN: "Quiz"},
    "result": {RU: "Результат", EN: "Result"},
    "name": {RU: "Имя", EN: "Name"},
    "phone": {RU: "Телефон", EN: "Phone"},
    "email": {RU: "E-mail", EN: "E-mail"},
    "im": {RU: "Мессенджер", EN: "Messenger"},
    "company": {RU: "Компания", EN: "Company"},
    "city": {RU: "Город", EN: "City"},
    "price": {RU: "Цена", EN: "Price"},
    "tags": {RU: "Теги", EN: "Tags"},
    "page": {RU: "Страница", EN: "Page"},
    "referrer": {RU: "Откуда пришли", EN: "Came from"},
}
RUSSIAN = {
    # the rules
    "this CRM has no such record": "в этой CRM нет таких карточек",
    "the CRM has no such field": "в CRM нет такого поля",
    "the field is still to be made": "поле ещё не создано",
    "the field was deleted in the CRM": "поле удалено в CRM",
    "it can't be read as a phone number": "не похоже на номер телефона",
    "it is not an e-mail address": "не похоже на адрес e-mail",
    # the answer and its field
    "a field of type {} can't be filled by an answer": "поле типа {} нельзя заполнить ответом",
    "another answer already fills the field": "поле уже занято другим ответом",
    "neither yes nor no": "ни да, ни нет",
    "not a date": "это не дата",
    "not a number": "это не число",
    "not a price": "это не цена",
    "not a sum of money": "это не денежная сумма",
    "not a web address": "это не адрес сайта",
    "not a whole number": "это не целое число",
    "not an e-mail address": "это не адрес e-mail",
    "only the first address": "занесён только первый адрес",
    "shortened to {} characters": "сокращено до {} символов",
    "the field has no choice {}": "в поле нет варианта {}",
    "the field takes one choice": "в поле помещается один вариант",
    "the field takes one value": "в поле помещается одно значение",
    # the CRM and its records
    "it was changed in the CRM since and is left as it is": "с тех пор изменено в CRM и оставлено как есть",
    "the company came after the lead was made": "компания названа уже после создания сделки",
    "customers are switched off in this {} account": "покупатели в этом аккаунте {} отключены",
    "the company was in {} already and is left as it is": "компания уже была в {} и оставлена как есть",
    "the contact was in {} already and is left as it is": "контакт уже был в {} и оставлен как есть",
    "the field is gone": "такого поля больше нет",
    "the field is unknown in {}": "в {} нет такого поля",
    "the field's name in requests is not known; refresh the list of fields": (
        "имя поля для запросов неизвестно, обновите список полей"
    ),
    "the person is an {} customer already, who is left as is": (
        "этот человек уже есть среди покупателей {}, его карточка оставлена как есть"
    ),
    "the rule makes deals, this is a lead's field": "правило создаёт сделки, а это поле лида",
    "the rule makes leads": "правило создаёт лиды",
    "there is no field for tags": "нет поля для тегов",
    "{} fails on this statistics field": "{} отвечает ошибкой на это поле статистики",
    "the rule leaves leads, this belongs to what a lead becomes": (
        "правило не превращает лиды в сделки, а это поле сделки или клиента"
    ),
    "{} adds contacts to clients, and this lead has none yet": (
        "{} добавляет контакты клиентам, а клиента у этого лида ещё нет"
    ),
    "{} made no deal of the lead": "в {} из лида не создана сделка",
    "{} refused the lead with all its fields": "{} не принимает лид со всеми его полями",
    "{} refused this value": "{} не принимает это значение",
    "{} refuses the lead: {}": "{} не принимает заявку: {}",
    "{} takes a company only with its INN": "{} принимает компанию только с ИНН",
    "{} takes a lead out of incoming when it is changed": "изменённую заявку {} убирает из неразобранного",
}
BETWEEN = "; "  # several reasons for one answer


def lost(losses: Iterable[Loss], language: str) -> str:
    """The answers that are nowhere but in the note, each once with the reason; empty where there are none."""
    lines = dict.fromkeys(
        f"- {name_of(loss.question, language)}: {loss.value.strip()} ({say(loss.reason, language)})"
        for loss in losses
    )
    return "\n".join((HEADING[language], *lines)) if lines else ""


def name_of(key: str, language: str) -> str:
    """Our word for a part of the answer; a question is called as it was asked."""
    return NAMES[key][language] if key in NAMES else key


def say(reason: str, language: str) -> str:
    """The reason of a loss; as it is where it has no translation."""
    return (_in_russian(reason) or reason) if language == RU else reason


def _in_russian(reason: str) -> str:
    """The last of several reasons is split off first: a choice may have a semicolon in its own text."""
    cuts = [] if reason in RUSSIAN else [match.start() for match in re.finditer(BETWEEN, reason)]
    for cut in reversed(cuts):
        head, tail = reason[:cut], _one_in_russian(reason[cut + len(BETWEEN) :])
        if tail and (first := _in_russian(head)):
            return f"{first}{BETWEEN}{tail}"
    return _one_in_russian(reason)


def _one_in_russian(reason: str) -> str:
    for pattern, russian in PATTERNS:
        if found := pattern.fullmatch(reason):
            return russian.format(*found.groups())
    return ""


def _pattern(english: str) -> re.Pattern[str]:
    return re.compile("(.+)".join(map(re.escape, english.split("{}"))), re.DOTALL)


PATTERNS = [(_pattern(english), russian) for english, russian in RUSSIAN.items()]
