"""What people answer -> the value a field takes: numbers, money, yes and no, choices, web addresses. Pure.

Every reader takes the texts of one answer and gives a ``Read``: the value, or why there is none. What can't
be read with confidence is not read: the caller keeps it in the note with the reason. Texts longer than values
are not looked into, and every pattern takes linear time. Dates are in ``dates``. Why these readers are our
own: docs/decisions/0001-reading-libraries.md.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from connectors.contact import visible
from connectors.draft import Option
from connectors.messages import Message, message
from connectors.text import shorten, tidy

T = TypeVar("T")
LONGEST = 300  # what is longer is a story, not a value
ONE_VALUE = message("the field takes one value")


class Unfit(ValueError):
    """The answer can't go into this kind of field; the text says why."""


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """A value and what of the answer is not in it; or no value and the reason. Reasons are messages."""

    value: T | None
    but: str = ""

    def needed(self) -> T:
        """The value. Raises ``Unfit`` with the reason where there is none."""
        if self.value is None:
            raise Unfit(self.but)
        return self.value


def leaves(answer: Any) -> Iterator[Any]:
    """The single values of an answer of any shape: items of lists (``{"0": ..., "2": ...}`` is one, too),
    what is wrapped (``{"value": ...}``), a file's address (``{"url": ..., "name": ...}``). An object of
    another kind is one value, as it is.
    """
    if isinstance(answer, (list, tuple)):
        for inner in answer:
            yield from leaves(inner)
        return
    wrapped = _wrapped(answer) if isinstance(answer, Mapping) else None
    if wrapped is not None:
        yield from leaves(wrapped)
    elif answer not in (None, "", {}):
        yield answer


def _wrapped(answer: Mapping[str, Any]) -> Any:
    known = {str(key).casefold(): inner for key, inner in answer.items()}
    for key in ("url", "href", "link", "src", "value", "values"):
        if known.get(key) not in (None, "", [], {}):
            return known[key]
    if known and all(re.fullmatch(r"\d{1,4}", key) for key in known):  # PHP's list with holes
        return [known[key] for key in sorted(known, key=int)]
    return None


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# -- numbers and money ----------------------------------------------------------------------------------

MOST_DIGITS = 15  # longer ones come back damaged where a CRM keeps floats: amocrm-api-php issue 399
PLAIN = re.compile(rf"[0-9]{{1,{MOST_DIGITS}}}")  # as most come, out of fields for numbers
NUMBER = re.compile(r"(?<![\w.,])[-+]?(?:\d{1,3}(?:[ '’]\d{3})+(?!\d)|\d+)(?:[.,]\d+)*")
TOKEN = re.compile(r"[^\W\d_]+(?:\.[^\W\d_]+)*|[^\w\s]|\d+|_")
SPACED = re.compile(r"(?<=\b[ут])\. (?=[ер]\b)", re.IGNORECASE)  # "т. р.", "у. е."
SQUARES = re.compile(r"(?<=[мm])[23](?!\d)")
SCALES = {
    10**3: "к k тыс тысяч тысяча тысячи тысячу тыщ тыщи тр т.р т.руб тыс.руб thousand",
    10**6: "кк kk млн мил миллион миллиона миллионов лям ляма лямов млн.руб mln million millions",
    10**9: "млрд миллиард миллиарда миллиардов mlrd bn billion billions",
}
SCALE_OF = {word: scale for scale, words in SCALES.items() for word in words.split()}
IN_ROUBLES = frozenset({"тр", "т.р", "т.руб", "тыс.руб", "млн.руб"})
CURRENCIES = {  # ISO 4217, by sign and word; a sign that several countries use (¥, kr) is none of them
    "RUB": "₽ р руб рубль рубля рублей рублях rub rur ruble rubles rouble roubles",
    "USD": "$ usd доллар доллара долларов бакс бакса баксов dollar dollars",
    "EUR": "€ eur евро euro euros",
    "KZT": "₸ kzt тенге тг tenge",
    "BYN": "byn byr бел.руб",
    "UAH": "₴ uah грн гривна гривны гривен гривень hryvnia",
    "UZS": "uzs сум сумов сўм",
    "KGS": "kgs сом сома сомов",
    "TJS": "tjs сомони",
    "GEL": "₾ gel лари",
    "AMD": "֏ amd драм драма драмов",
    "AZN": "₼ azn манат маната манатов",
    "MDL": "mdl лей леев",
    "TRY": "₺ try лира лиры лир",
    "GBP": "£ gbp фунт фунта фунтов pound pounds",
    "CNY": "cny rmb юань юаня юаней yuan",
    "JPY": "jpy иена иены иен yen",
    "INR": "₹ inr рупия рупии рупий",
    "ILS": "₪ ils nis шекель шекеля шекелей",
    "PLN": "pln zł злотый злотых",
    "CHF": "chf",
    "AED": "aed дирхам дирхама дирхамов",
    "THB": "฿ thb бат бата батов",
}
CURRENCY_OF = {word: code for code, words in CURRENCIES.items() for word in words.split()}
BELARUSIAN = _words("бел белорусский белорусских белорусские белорусского")  # roubles of that country
BOUNDS = _words(
    "от до более больше менее меньше свыше выше ниже минимум максимум около примерно приблизительно почти "
    "порядка не за или либо и на из x х from to up under over above below about around almost than least "
    "most max min approx or and of < > ≤ ≥ ~ ≈ ± * × / \\ ^"
)
MULTIPLIERS = _words(  # they change the number, or may: 100 т are tonnes or thousands, 5 M metres or millions
    "т t лимон лимона лимонов косарь косаря косарей сотня сотни сотен десяток десятка десятков дюжина дюжины "
    "дюжин половина половины половиной полтора четверть четвертью третью hundred hundreds dozen dozens half "
    "mio mil lakh crore"
)
MEGA = frozenset({"M", "М"})  # Latin and Cyrillic; small ones are metres
OTHER_MONEY = _words(  # of several countries or of none
    "у.е уе у.e ye крона кроны крон франк франка франков динар динара динаров песо реал реала реалов риал "
    "риалов рияль вон донг донгов форинт форинтов usdt btc биткоин биткоина биткоинов kr кр peso pesos crowns"
)
LEADS = _words(
    'us итого всего сумма бюджет цена стоимость площадь ровно total price budget sum area № = : ( " « - – — .'
)
HARMLESS = _words(". , ; : = ! ( ) \" ' « » - – — №")
UNITS = _words("м m м² m² м³ m³ см cm мм mm км km кг kg г g л l шт pcs ч h мин min с s дн")
NO_NUMBER, NO_WHOLE = message("not a number"), message("not a whole number")
NO_MONEY = message("not a sum of money")
ALONE: dict[str, Message] = {  # there is a number, and more beside it than the number can stand for
    NO_NUMBER: message("not a number alone"),
    NO_WHOLE: message("not a whole number alone"),
    NO_MONEY: message("not a sum of money alone"),
}
MOST_WORDS = 3  # behind a number: "раза в неделю", "кв. м"


@dataclass(frozen=True, slots=True)
class Money:
    """A sum in units of ``currency`` (ISO 4217); empty where the answer names none."""

    amount: Decimal
    currency: str = ""


@dataclass(frozen=True, slots=True)
class _Said:
    """One number and what stands around it; ``words`` are those that are neither scale nor currency."""

    amount: Decimal
    currency: str
    words: int


def number(texts: Sequence[str], *, currency: str = "", whole: bool = False) -> Read[Decimal]:
    """``1 200,50``, ``1,5 млн``, ``54 м²``. A sum of money counts where it is in ``currency``, the account's.

    Several numbers, ranges and limits ("до 3 млн") are not read. A comma before three digits parts thousands
    (``1,200``); a dot does not, unless there are several: ``54.125`` is read, ``30.000`` is not.
    """
    no = NO_WHOLE if whole else NO_NUMBER
    read = _said(texts, no, currency)
    if read.value is None:
        return Read(None, read.but)
    if other := _foreign(read.value, currency):
        return Read(None, other)
    if whole and read.value.amount != read.value.amount.to_integral_value():
        return Read(None, no)
    return Read(read.value.amount)


def money(texts: Sequence[str], *, currency: str = "", foreign: bool = False) -> Read[Money]:
    """A sum, with the currency that it names by sign, code or word, in Russian or English.

    ``currency`` is the account's; a sum in another one is read with ``foreign`` alone.
    """
    no = NO_MONEY
    read = _said(texts, no, currency, is_money=True)
    if read.value is None:
        return Read(None, read.but)
    if read.value.words:
        return Read(None, ALONE[no])
    if not foreign and (other := _foreign(read.value, currency)):
        return Read(None, other)
    return Read(Money(read.value.amount, read.value.currency))


def price(text: str, currency: str = "") -> Read[Decimal]:
    """What the lead is worth, in ``currency``, the account's; where nobody knows that, the sum names none."""
    read = money([tidy(text)], currency=currency)
    if read.value and read.value.currency and not currency:
        said = read.value.currency
        return Read(
            None, message("the sum is in {currency}, the account's currency is not known", currency=said)
        )
    if read.value is None or read.value.amount < 0:
        return Read(None, read.but or message("not a price"))
    return Read(read.value.amount)


def written(number: Decimal) -> str:
    """Without an exponent and without idle zeros: ``1200.5``."""
    plain = f"{number or Decimal(0):f}"  # no "-0"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _foreign(said: _Said, currency: str) -> str:
    if not (said.currency and currency) or said.currency == currency:
        return ""
    return message("the sum is in {currency}, not in {own}", currency=said.currency, own=currency)


def _said(texts: Sequence[str], no: str, own: str, *, is_money: bool = False) -> Read[_Said]:
    """``no`` is the reason where there is no number, ``ALONE`` has the one where it does not stand alone."""
    if len(texts) != 1:
        return Read(None, ONE_VALUE)
    if PLAIN.fullmatch(texts[0]):
        return Read(_Said(Decimal(texts[0]), "", 0))
    said = visible(texts[0]) if len(texts[0]) <= LONGEST else ""
    text = SQUARES.sub(lambda found: "²³"["23".index(found[0])], said.replace("−", "-"))
    text = SPACED.sub(".", text)
    found = list(NUMBER.finditer(text))
    if len(found) != 1:
        return Read(None, ALONE[no] if found else no)
    before = TOKEN.findall(text[: found[0].start()].casefold())
    behind = TOKEN.findall(text[found[0].end() :].casefold())
    tokens = TOKEN.findall(text)
    currency = _currency(tokens, own)
    if currency.value is None:
        return Read(None, currency.but or ALONE[no])
    scale = SCALE_OF.get(behind[0], 1) if behind else 1
    if behind and scale == 1 and _is_part_of_a_name(text[found[0].end()], behind[0]):
        return Read(None, ALONE[no])
    known = CURRENCY_OF.keys() | {own.casefold()} | (BELARUSIAN if currency.value == "BYN" else frozenset())
    words = [word for word in behind[scale > 1 :] if word not in HARMLESS | known]
    is_only_a_letter = scale > 1 and len(behind[0]) == 1  # "5 к ремонту" is no five thousand
    has_limits = any(map(_changes_the_number, words)) or not MEGA.isdisjoint(tokens)
    most = 0 if currency.value or is_only_a_letter else MOST_WORDS
    if has_limits or len(words) > most or any(word not in LEADS | known for word in before):
        return Read(None, ALONE[no])
    amount = _decimal(found[0][0], is_plain=scale == 1, is_money=is_money or bool(currency.value))
    if amount is None or abs(amount * scale) >= 10**MOST_DIGITS:
        return Read(None, no)
    return Read(_Said(amount * scale, currency.value, len(words)))


def _changes_the_number(word: str) -> bool:
    """A limit, a multiple, a fraction: ``1½``, ``2 сотни``, ``от 5``."""
    if word in BOUNDS or word in MULTIPLIERS or word == "+":
        return True
    return any(c.isnumeric() for c in word.rstrip("²³") or word)


def _is_part_of_a_name(next_character: str, word: str) -> bool:
    """``12а`` and ``3D`` are names; ``54м`` and ``99$`` are not."""
    return next_character.isalpha() and word not in UNITS and word not in CURRENCY_OF


def _currency(tokens: Sequence[str], own: str) -> Read[str]:
    """The one currency that is named, empty for none; no value for several and for one that we don't know."""
    found: dict[str, None] = {}
    for token in tokens:
        word = token.casefold()
        if token == own or word in CURRENCY_OF or word in IN_ROUBLES:
            found[own if token == own else CURRENCY_OF.get(word, "RUB")] = None
        elif word in OTHER_MONEY or _looks_like_money(token):
            return Read(None, message("the currency {token} is not known here", token=token))
    if "RUB" in found and any(token.casefold() in BELARUSIAN for token in tokens):
        found = {"BYN": None}
    return Read(next(iter(found), "")) if len(found) < 2 else Read(None)


def _looks_like_money(token: str) -> bool:
    """A code of three capitals, or a sign."""
    is_code = len(token) == 3 and token.isascii() and token.isupper()
    return is_code or unicodedata.category(token[0]) == "Sc"


def _decimal(text: str, *, is_plain: bool, is_money: bool) -> Decimal | None:
    """One decimal point at most; other marks must part threes. ``is_plain``: no "млн" follows."""
    digits = text.translate(NO_SPACES)
    if PRINTED.fullmatch(digits) and f"{float(digits):.17g}" == digits:
        digits = text = repr(float(digits))
    marks = [mark for mark in digits if mark in ",."]
    if len(digits.strip("+-.,")) - len(marks) > MOST_DIGITS or (text[0] == "+" and len(digits) > MOST_SIGNED):
        return None
    if len(marks) == 1:
        is_group = is_plain and digits == text and GROUP.fullmatch(digits)
        if is_group and marks == ["."] and (is_money or digits.endswith("0")):
            return None  # 1.500: one and a half, or a thousand and a half? A computer writes no last zero
        digits = digits.replace(",", "" if is_group else ".")
    elif marks:
        if not (BY_COMMAS.fullmatch(digits) or BY_DOTS.fullmatch(digits)):
            return None
        digits = digits.replace(marks[0], "").replace(",", ".")
    return Decimal(digits)


NO_SPACES = str.maketrans("", "", " '’")
# Maybe a float with all of its digits: 54.1 as 54.100000000000001.
PRINTED = re.compile(r"-?\d{1,15}\.\d{2,17}")
GROUP = re.compile(r"[-+]?[1-9]\d{0,2}[.,]\d{3}")
BY_COMMAS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
BY_DOTS = re.compile(r"[-+]?\d{1,3}(?:\.\d{3})+(?:,\d+)?")
MOST_SIGNED = 10  # digits of a number with a plus: longer ones are phones

# -- yes and no -----------------------------------------------------------------------------------------

YES = _words(
    "да yes y true 1 on + ok ок okay ага угу конечно ✓ ✔ ✅ ☑ есть checked верно истина вкл нужно надо "
    "согласен согласна agree agreed принимаю"
) | {"i agree", "да, конечно"}
NO = _words(
    "нет не no n false 0 off - ✗ ✘ ❌ ☐ unchecked неверно ложь выкл нету несогласен отказ отказываюсь "
    "disagree"
) | {"не согласен", "не согласна", "не надо", "не нужно", "i disagree", "нет, спасибо", "no, thanks"}


def yes_no(texts: Sequence[str]) -> Read[bool]:
    """A tick, in Russian, English or a sign."""
    if len(texts) != 1:
        return Read(None, ONE_VALUE)
    word = visible(texts[0][:LONGEST]).casefold().rstrip(".! ")
    if word not in YES | NO:
        return Read(None, message("neither yes nor no"))
    return Read(word in YES)


# -- choices --------------------------------------------------------------------------------------------

TYPOGRAPHY = str.maketrans(
    dict.fromkeys("‐‑‒–—―−", "-") | dict.fromkeys("«»“”„‟‹›\"'‘’‚`´", '"') | {"×": "x", "⁄": "/", "ё": "е"}
)
CHOICES_BETWEEN = re.compile(r"([,;\n|])")
MOST_CHOICES = 50  # parts of one text
LONGEST_CHOICE, LONGEST_NAMED = 2_000, 100


def choices(texts: Sequence[str], options: Iterable[Option]) -> Read[tuple[Option, ...]]:
    """The options that are meant, each once: by the letter, or by the same words in other typography.

    A text that is no option is split at commas, semicolons and lines, if all its parts are options. No value
    where nothing is an option; ``but`` names what is not.
    """
    known = tuple(options)
    exact = {option.text: option for option in reversed(known)}
    loose = {plain_choice(option.text): option for option in reversed(known)}
    chosen: dict[str, Option] = {}
    missing: list[str] = []
    for text in texts:
        found = _chosen(text, exact, loose)
        chosen |= {option.remote_id: option for option in found}
        missing += [] if found else [text]
    named = ", ".join(repr(shorten(text, LONGEST_NAMED)) for text in missing)
    but = message("the field has no choice {named}", named=named) if missing else ""
    return Read(tuple(chosen.values()) or None, but)


def plain_choice(text: str) -> str:
    """One form for ``100 м²`` and ``100 М2``, ``«Люкс»`` and ``"Люкс"``, ``1–2`` and ``1 - 2``."""
    return _plain_usual(text) if len(text) <= LONGEST_NAMED else _plain(text)


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", html.unescape(visible(text))).casefold().translate(TYPOGRAPHY)
    return re.sub(r" ?([-/&,;|]) ?", r"\1", " ".join(text.split()))


# A field's options are compared with each answer anew, and answers are mostly options.
_plain_usual = lru_cache(maxsize=4096)(_plain)


def _chosen(text: str, exact: Mapping[str, Option], loose: Mapping[str, Option]) -> list[Option]:
    if len(text) > LONGEST_CHOICE:
        return []
    if whole := exact.get(text) or loose.get(plain_choice(text)):
        return [whole]
    pieces = CHOICES_BETWEEN.split(text)
    return _all_options(pieces, loose) if 1 < len(pieces) < 2 * MOST_CHOICES else []


def _all_options(pieces: Sequence[str], loose: Mapping[str, Option]) -> list[Option]:
    """``pieces``: parts and what stands between them in turn; empty parts name nothing.

    An option may have a comma of its own, so the longest row of parts that is one comes first.
    """
    found: list[Option] = []
    while pieces:
        ends = range(len(pieces), 0, -2) if pieces[0].strip() else ()
        fit = next((end for end in ends if plain_choice("".join(pieces[:end])) in loose), 0)
        if fit:
            found.append(loose[plain_choice("".join(pieces[:fit]))])
        elif pieces[0].strip():
            return []
        pieces = pieces[max(fit, 1) + 1 :]
    return found


# -- addresses ------------------------------------------------------------------------------------------

SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,20}://", re.IGNORECASE)
SCHEMES = frozenset({"http", "https", "ftp"})
HOST = re.compile(
    r"[\w-]{1,63}(?:\.[\w-]{1,63})*\.(?:[^\W\d_]{2,63}|xn--[a-z0-9-]{2,59})\.?|\d{1,3}(?:\.\d{1,3}){3}"
)
LONGEST_ADDRESS = 2_000
# Without a scheme the end of a name must be known: "план.pdf" and "И.И.Иванов" are no addresses.
FILES = _words(
    "pdf doc docx xls xlsx ppt pptx txt rtf odt csv json xml zip rar jpg jpeg png gif webp heic svg bmp tif "
    "tiff mp3 mp4 avi mov mkv wav ogg dwg psd html htm php py exe apk"
)
OWN_SCRIPT_ZONES = _words(
    "рф рус москва дети онлайн сайт орг ком бел укр қаз срб мкд бг ею мон հայ გე xn--p1ai xn--p1acf xn--90ais"
)


def web_address(texts: Sequence[str]) -> Read[str]:
    """The first address, with ``https://`` where it has no scheme; the others are told."""
    first = visible(texts[0][: LONGEST_ADDRESS + 1])
    named = SCHEME.match(first)
    address = first if named else f"https://{first}"
    if len(address) > LONGEST_ADDRESS or re.search(r"\s", address):
        return Read(None, NO_ADDRESS)
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return Read(None, NO_ADDRESS)
    is_mail = not named and "@" in parts.netloc
    if parts.scheme.lower() not in SCHEMES or is_mail or not HOST.fullmatch(host):
        return Read(None, NO_ADDRESS)
    if not named and not _is_a_zone(host.rstrip(".").rpartition(".")[2]):
        return Read(None, NO_ADDRESS)
    return Read(address, message("only the first address") if len(texts) > 1 else "")


def _is_a_zone(name: str) -> bool:
    """No number either: 10.20.30.40 may be anything."""
    return name in OWN_SCRIPT_ZONES or (name.isascii() and name.isalpha() and name not in FILES)


NO_ADDRESS = message("not a web address")
