"""What people read in their CRM, in their language: names, and why an answer is in the note alone. Pure.

Losses stay English in our database, admin and API, one language for staff; they are translated where a note
is written. A connector composes the section of what found no place with ``lost(losses, draft.language)``, the
same one for all CRMs, and puts it under ``draft.note``. A connector with a new reason adds its line to
``RUSSIAN`` (a test collects the reasons and names those that have none); ``{}`` is what differs: a number, a
choice, the CRM. What a CRM itself says about a value is passed on in its own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from connectors.draft import UnplacedValue
from connectors.messages import RU, Message, message, translate

HEADING = message("Could not be put into fields:")
COMPLETED = message("The answer was completed:")
NAMES = {
    "quiz": message("Quiz"),
    "result": message("Result"),
    "name": message("Name"),
    "phone": message("Phone"),
    "email": message("E-mail"),
    "im": message("Messenger"),
    "company": message("Company"),
    "city": message("City"),
    "price": message("Price"),
    "tags": message("Tags"),
    "analytics": message("Analytics"),
    "page": message("Page"),
    "referrer": message("Came from"),
    "quizID": message("Quiz id"),
    "answerID": message("Answer id"),
    "questionID": message("Question ids"),
}
RUSSIAN = {
    # the rules
    "this CRM has no such record": "в этой CRM нет таких карточек",
    "the CRM has no such field": "в CRM нет такого поля",
    "the field is still to be made": "поле ещё не создано",
    "the CRM chose {} instead": "CRM поставила вместо этого {}",
    "the field was deleted in the CRM": "поле удалено в CRM",
    "it can't be read as a phone number": "не похоже на номер телефона",
    "it is not an e-mail address": "не похоже на адрес e-mail",
    "the field has the number without what stands beside it": "в поле только сам номер, без того, что рядом",
    "a part of it can't be read as a phone number": "часть текста не похожа на номер телефона",
    "a part of it is not an e-mail address": "часть текста не похожа на адрес e-mail",
    # the answer and its field
    "a field of type {} can't be filled by an answer": "поле типа {} нельзя заполнить ответом",
    "another answer already fills the field": "поле уже занято другим ответом",
    "the field is for our mark": "это поле занято номером ответа",
    "neither yes nor no": "ни да, ни нет",
    "not a date": "это не дата",
    "not a date alone": "это не одна дата",
    "which is the day and which the month can't be told": "не ясно, где день, а где месяц",
    "not a time of the day": "не ясно, в котором часу",
    "the time zone {} is not known here": "часовой пояс {} здесь неизвестен",
    "not a number": "это не число",
    "not a number alone": "это не одно число",
    "not a price": "это не цена",
    "not a sum of money": "это не денежная сумма",
    "not a sum of money alone": "это не одна денежная сумма",
    "the sum is in {}, not in {}": "сумма в валюте {}, а не {}",
    "the sum is in {}, the account's currency is not known": "сумма в валюте {}, валюта аккаунта неизвестна",
    "the currency {} is not known here": "валюта {} здесь неизвестна",
    "rounded to whole units": "округлено до целых",
    "rounded to hundredths": "округлено до сотых",
    "not a web address": "это не адрес сайта",
    "not a whole number": "это не целое число",
    "not a whole number alone": "это не одно целое число",
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
    "there is no field for analytics": "нет поля для данных аналитики",
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
    "{} has no money field for it": "в {} нет денежного поля для этого",
    "{} takes a company only with its INN": "{} принимает компанию только с ИНН",
    "{} takes a lead out of incoming when it is changed": "изменённую заявку {} убирает из неразобранного",
}
MORE_LONGEST = 120  # characters that the word of what had no room takes, with its number
BETWEEN = "; "  # several reasons for one answer


def lost(losses: Iterable[UnplacedValue], language: str) -> str:
    """The answers that are nowhere but in the note, each once with the reason; empty where there are none."""
    lines = dict.fromkeys(
        f"- {name_of(loss.question, language)}: {loss.value.strip()} ({say(loss.reason, language)})"
        for loss in losses
    )
    return "\n".join((translate(HEADING, language), *lines)) if lines else ""


def completed(language: str) -> str:
    """The heading of a note about a later body."""
    return translate(COMPLETED, language)


def parts(text: str, longest: int, most: int, language: str) -> list[str]:
    """The text in pieces of at most ``longest`` characters, cut between lines where that can be.

    At most ``most`` pieces: the last one says for how many characters there was no room. An empty text has
    no pieces.
    """
    pieces = list(_pieces(text, longest))
    if len(pieces) <= most:
        return pieces
    room = longest - MORE_LONGEST
    kept = pieces[most - 1][:room].rstrip()
    left = sum(map(len, pieces[most - 1 :])) - len(kept)
    more = message(
        "… ({left} more characters had no room, the whole answer is in the quiz service)", left=left
    )
    return [*pieces[: most - 1], f"{kept}\n{translate(more, language)}"]


def _pieces(text: str, longest: int) -> Iterator[str]:
    while len(text) > longest:
        end = text.rfind("\n", 0, longest + 1)
        end = end if end > 0 else longest
        yield text[:end]
        text = text[end:].removeprefix("\n")
    if text:
        yield text


def name_of(key: str, language: str) -> str:
    """Our word for a part of the answer; a question is called as it was asked."""
    return translate(NAMES[key], language) if key in NAMES else key


def say(reason: str, language: str) -> str:
    """The reason of a loss; as it is where it has no translation."""
    if isinstance(reason, Message):
        return translate(reason, language)
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
