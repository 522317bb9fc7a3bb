"""Phones, e-mails and names as people type them, and who is who by them. Pure.

Numbering plans come from ``phonenumbers`` (Google's libphonenumber). ``region`` is the ISO 3166 code of the
country whose local numbers need no country code (``RU``); empty where nobody knows it. Phones are E.164
(``+79990001122``). Texts are read up to ``LONGEST`` characters, every pattern in linear time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberFormat

from connectors.messages import message
from connectors.text import texts_in

NO_PHONE = message("it can't be read as a phone number")
NO_EMAIL = message("it is not an e-mail address")
BESIDE = message("the field has the number without what stands beside it")
LONGEST = 1_000  # what is longer is a text, not a contact
FEWEST_DIGITS, MOST_DIGITS = 5, 17  # E.164 has at most 15, an international prefix adds two
SHORTEST_FOREIGN = 11  # with fewer digits and no plus a number is taken for a local one

# -- the parts of a contact form ------------------------------------------------------------------------

NAME, FIRST, LAST, MIDDLE = "name", "first_name", "last_name", "middle_name"
PHONE, EMAIL, COMPANY, CITY, POSITION = "phone", "email", "company", "city", "position"
MESSENGERS = ("telegram", "whatsapp", "viber", "vkontakte", "facebook", "instagram", "skype")
ALIASES = {
    NAME: "name fullname username yourname contactname clientname fio фио имя вашеимя полноеимя "
    "имяклиента фамилияимя имяифамилия фамилияимяотчество контактноелицо",
    FIRST: "firstname fname first givenname given",
    LAST: "lastname lname last surname familyname family фамилия",
    MIDDLE: "middlename middle secondname patronymic отчество",
    PHONE: "phone phones phonenumber telephone tel mobile mobilephone mobilenumber cell cellphone yourphone "
    "yourtel contactphone workphone homephone телефон телефоны тел ваштелефон номертелефона номер мобильный "
    "мобильныйтелефон моб сотовый рабочийтелефон домашнийтелефон контактныйтелефон",
    EMAIL: "email emails mail emailaddress youremail почта вашапочта электроннаяпочта эпочта элпочта имейл "
    "имэйл емейл емайл мейл адресэлектроннойпочты",
    COMPANY: "company companyname organization organisation компания организация фирма названиекомпании",
    CITY: "city town город вашгород населенныйпункт",
    POSITION: "position jobtitle должность",
    "telegram": "telegram tg телеграм телеграмм тг",
    "whatsapp": "whatsapp wa ватсап вотсап вацап",
    "viber": "viber вайбер",
    "vkontakte": "vkontakte vk вконтакте вк",
    "facebook": "facebook fb фейсбук",
    "instagram": "instagram инстаграм инстаграмм",
    "skype": "skype скайп",
}
PART_OF = {alias: part for part, aliases in ALIASES.items() for alias in aliases.split()}


def part_of(key: str) -> str:
    """What a key of a contact form stands for: ``Phone 2``, ``tel`` and ``Телефон`` are ``phone``.

    Empty for a key that we don't know.
    """
    return _part_of_usual(key) if len(key) <= LONGEST_USUAL_KEY else _part_of(key)


def _part_of(key: str) -> str:
    plain = "".join(filter(str.isalnum, key.casefold().replace("ё", "е")))
    return PART_OF.get(plain) or PART_OF.get(plain.rstrip("0123456789"), "")


# Forms are few, and each of their keys is asked for several times an answer.
LONGEST_USUAL_KEY = 64
_part_of_usual = lru_cache(maxsize=4096)(_part_of)


def full_name(contact: Mapping[str, Any]) -> str:
    """One name out of a name in one piece or in parts (``{"name": {"firstName": ..., "lastName": ...}}``).

    Family name first; parts that the whole name has already are not repeated.
    """
    found: dict[str, list[str]] = {NAME: [], FIRST: [], LAST: [], MIDDLE: []}
    for key, value in contact.items():
        part = part_of(str(key))
        if part == NAME and isinstance(value, Mapping):
            found[NAME].append(full_name(value) or ", ".join(texts_of(value)))
        elif part in found:
            found[part] += texts_of(value)
    whole = ", ".join(dict.fromkeys(filter(None, found[NAME])))
    before = [text for text in found[LAST] if text not in whole]
    behind = [text for text in (*found[FIRST], *found[MIDDLE]) if text not in whole]
    return " ".join(filter(None, (*before, whole, *behind)))


def texts_of(value: Any) -> list[str]:
    """Each text once: of a text or number, of the items of a list, of the values of an object."""
    return list(dict.fromkeys(filter(None, map(visible, texts_in(value)))))


def named(value: Any) -> Any:
    """Of an object what it is called (``{"id": 5, "name": "Тула"}``); anything else as it is."""
    if not isinstance(value, Mapping):
        return value
    known = {str(key).casefold(): inner for key, inner in value.items()}
    return next((known[key] for key in ("name", "title", "label", "text", "value") if known.get(key)), value)


def visible(text: str) -> str:
    """Without characters that nobody sees (zero width, marks of direction); all spaces are plain ones.

    A text longer than ``LONGEST`` is left as it is.
    """
    if len(text) > LONGEST:
        return text.strip()
    return SPACES.sub(" ", text if text.isascii() else INVISIBLE.sub("", text)).strip()


INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe0e\ufe0f\ufeff]"
)
SPACES = re.compile(r"[^\S\n]+")

# -- phones ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reach:
    """What a text says of one way to reach somebody: ``found``, each once, and what could not be read.

    ``but`` is empty where the text is nothing but what was found; else it says what stands in the note alone.
    """

    said: str
    found: tuple[str, ...] = ()
    but: str = ""


def read_phones(value: Any, region: str) -> list[Reach]:
    """The valid numbers in E.164 of each text under a phone's key; several may stand in one text.

    ``value``: a text, a number (``79161234501.0`` as spreadsheets have it), an object (``{"code": "+7",
    "number": "916..."}``), a list of them. A number that its country's plan does not have is not found.
    """
    return [_phones(text, region) for text in dict.fromkeys(filter(None, _phone_texts(value)))]


def phones_in(text: str, region: str) -> frozenset[str]:
    """The valid numbers in a text that a CRM keeps, extensions and words beside them left aside. E.164."""
    return frozenset(_phones(visible(text), region).found)


def stored_keys(phones: Iterable[str], emails: Iterable[str], region: str) -> frozenset[str]:
    """By what a CRM's contact is known, as ``Person.keys`` has it: of texts that people typed there.

    ``region`` is where phones without a country code belong. What is no phone is known by its digits.
    """
    keys = {f"email:{address}" for text in emails for address in emails_in(text)}
    for text in phones:
        found = phones_in(text, region) or ({f"+{digits}"} if (digits := _digits(text)) else ())
        keys |= {f"phone:{phone}" for phone in found}
    return frozenset(keys)


def is_phone(stored: str, phone: str) -> bool:
    """Is ``phone`` (E.164) what a CRM keeps in ``stored``, in its country's spelling, too?"""
    digits = _digits(phone)
    return bool(digits) and (_digits(stored) == digits or phone in phones_in(stored, region_of(phone)))


def is_same_reach(stored: str, ours: str) -> bool:
    """Is what a CRM keeps in ``stored`` our phone (E.164), e-mail or messenger's name, in any spelling?"""
    if stored.strip().casefold() == ours.strip().casefold():
        return True
    address = email_key(ours)
    return email_key(stored) == address if address else is_phone(stored, ours)


def lacking(there: Sequence[str], ours: Iterable[str]) -> list[str]:
    """What of ours is not there yet, in any spelling."""
    return [one for one in ours if not any(is_same_reach(stored, one) for stored in there)]


def region_of(phone: str) -> str:
    """The country of a number in E.164, ``RU``; empty where it has none."""
    number = _parsed(phone, "")
    return (phonenumbers.region_code_for_number(number) or "") if number else ""


def is_of_region(phone: str, region: str) -> bool:
    """Has a number in E.164 the country code of this region? Else texts of the region don't tell it."""
    code = phonenumbers.country_code_for_region(region)
    if RUSSIAN_MOBILE.fullmatch(phone):
        return code == RUSSIA
    number = _parsed(phone, "")
    return number is not None and number.country_code == code


def national_digits(phone: str) -> str:
    """A number in E.164 without its country code: ``9990001122``. For searches by the end of a number."""
    if mobile := RUSSIAN_MOBILE.fullmatch(phone):
        return mobile[1]
    number = _parsed(phone, "")
    return phonenumbers.national_significant_number(number) if number else _digits(phone)


def spellings(phone: str) -> tuple[str, ...]:
    """How people and telephone systems write a number in E.164, itself first: for CRMs that compare texts."""
    number = _parsed(phone, "")
    if number is None:
        return (phone,)
    international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    bare = phonenumbers.national_significant_number(number)
    code = f"+{number.country_code}"
    inside = national.partition("(")[2]
    bracketed = [f"{code} ({inside}"] if inside else []
    return tuple(
        dict.fromkeys((phone, national, _digits(national), bare, _digits(phone), international, *bracketed))
    )


def _phone_texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        parts = {"".join(filter(str.isalnum, str(key).casefold())): inner for key, inner in value.items()}
        code = next(filter(None, (_calling_code(parts.get(key)) for key in PHONE_CODES)), "")
        numbers = next((texts_of(parts[key]) for key in PHONE_NUMBERS if parts.get(key)), [])
        for number in map(_unfloated, numbers or texts_of(value)):
            yield _joined(code, number) if code and numbers else number
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _phone_texts(inner)
    elif value is not None and not isinstance(value, bool):
        yield _unfloated(visible(str(value)))


PHONE_CODES = ("code", "countrycode", "dialcode", "callingcode", "prefix", "iso2", "country", "region")
PHONE_NUMBERS = ("e164", "full", "international", "number", "phone", "phonenumber", "tel", "value")


def _calling_code(value: Any) -> str:
    """``7`` of ``+7``, 7, ``RU``; empty where nothing of it is one."""
    for text in texts_of(value):
        if digits := _digits(_unfloated(text)):
            return digits
        if code := phonenumbers.country_code_for_region(text.upper()):
            return str(code)
    return ""


def _joined(code: str, number: str) -> str:
    """The code may stand in the number, too."""
    if number.startswith(("+", "00")):
        return number
    tries = (f"+{code} {number}", f"+{number}")
    return next((text for text in tries if _e164(text, "")), tries[0])


FLOATED = re.compile(r"\d{7,15}\.0{1,6}|\d(?:[.,]\d{1,15})?[eE]\+?\d{1,2}")


def _unfloated(text: str) -> str:
    """``79161234501.0`` and ``7.9161234501E10``: numbers that went through a spreadsheet."""
    if not FLOATED.fullmatch(text):
        return text
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return text
    return f"{number:.0f}" if number == number.to_integral_value() else text


# Most of what comes, behind its plus or its region. The library says the same of it and takes twenty times as
# long; tests/properties/test_phones.py holds the two together.
RUSSIAN_MOBILE = re.compile(r"(?:\+7|RU[78]?)(9[0-9]{9})")
PLAIN = re.compile(r"\+?[0-9 ()-]+")  # nothing for the patterns below to find
RUSSIA = 7  # its country code, and Kazakhstan's
NO_DIGITS = re.compile(r"[^0-9]+")
RUN = re.compile(r"\+? ?[(\[]?\d(?:[^\w+,;|\n]{0,4}\d)+")
BETWEEN = re.compile(r"[,;|\n]|/(?!/)|(?<=\d)\s+(?=\+)|\s(?:или|либо|и|or|and)\s", re.IGNORECASE)
EXTENSION = re.compile(
    r"""(?<![\s,;])[\s,;]*+ (?:
          (?: \( \s* )? (?:доб(?:авочный)?|внутр(?:енний)?|вн|ext(?:ension|n)?|x|х) \b \.? [\s:№\#]*
          | ;?ext= | \#
        ) \d{1,6} \s* \)?""",
    re.IGNORECASE | re.VERBOSE,
)
LABEL = re.compile(r"(?:tel|phone|mobile|тел|моб|телефон)(?:\.?\s*:\s*|\.\s*|\s+)", re.IGNORECASE)


def _phones(said: str, region: str) -> Reach:
    if len(said) > LONGEST:
        return Reach(said, (), NO_PHONE)
    if PLAIN.fullmatch(said) and (found := _e164(said, region)):
        return Reach(said, (found,))
    text = LABEL.sub("", unicodedata.normalize("NFKC", said))
    plain = EXTENSION.sub("", text)
    if found := _e164(plain, region):
        return Reach(said, (found,), "" if plain == text else BESIDE)
    numbers: dict[str, None] = {}
    rest, unread = "", False
    for piece in BETWEEN.split(plain):
        runs = [run for run in RUN.findall(piece) if len(_digits(run)) >= FEWEST_DIGITS]
        for run in runs:
            if several := _of_run(run, region):
                numbers |= dict.fromkeys(several)
                piece = piece.replace(run, "", 1)
            else:
                unread = True
        rest += piece
    if not numbers:
        return Reach(said, (), NO_PHONE)
    if unread:
        return Reach(said, tuple(numbers), message("a part of it can't be read as a phone number"))
    aside = plain != text or any(c.isalnum() for c in rest)
    return Reach(said, tuple(numbers), BESIDE if aside else "")


def _of_run(run: str, region: str) -> list[str]:
    """One number, or several with spaces between them where each word is one; empty where neither."""
    if one := _e164(run, region):
        return [one]
    found = [_e164(word, region) for word in run.split()]
    return found if all(found) else []


def _e164(text: str, region: str) -> str:
    """One number alone. As it stands first; then as one with a country code whose plus was left out."""
    digits = _digits(text)
    if not FEWEST_DIGITS <= len(digits) <= MOST_DIGITS or _has_letters(text):
        return ""
    plus = text.lstrip(" (").startswith("+")
    mobile = RUSSIAN_MOBILE.fullmatch(f"{'+' if plus else region}{digits}")
    if mobile and len(set(mobile[1])) > 1:
        return f"+7{mobile[1]}"
    tries = [(f"+{digits}", ""), (digits, region)] if plus else [(digits, region)]
    if not plus:
        tries += [("+" + digits[len(p) :], "") for p in ("00", "011", "810") if digits.startswith(p)]
        tries += [(f"+{digits}", "")] if len(digits) >= SHORTEST_FOREIGN else []
    for candidate, home in tries:
        number = _parsed(candidate, home)
        if number and phonenumbers.is_valid_number(number) and not _is_made_up(number):
            return phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return ""


def _is_made_up(number: phonenumbers.PhoneNumber) -> bool:
    """+7 999 999-99-99 and 1 234 567-89-01 fit a plan, and are what people type who give no number.

    As a number of theirs it would make one person of many.
    """
    digits = phonenumbers.national_significant_number(number)
    return len(set(digits)) == 1 or f"{number.country_code}{digits}" in "1234567890123456"


@lru_cache(maxsize=1024)  # a lead's phone is asked for several times while its batch is under way
def _parsed(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return None


def _has_letters(text: str) -> bool:
    return text.lower() != text.upper() if text.isascii() else any(c.isalpha() for c in text)


def _digits(text: str) -> str:
    if text.isascii():
        return NO_DIGITS.sub("", text)
    return "".join(str(unicodedata.decimal(c)) for c in text if c.isdecimal())


# -- e-mails --------------------------------------------------------------------------------------------

LOCAL, LABEL_OF_HOST = r"[^@\s,;:/<>\"()\[\]]{1,64}", r"[^\W_](?:[\w-]{0,61}[^\W_])?"
ADDRESS = re.compile(rf"{LOCAL}@(?:{LABEL_OF_HOST}\.){{1,9}}(?:[^\W\d_]{{2,63}}|xn--[a-z0-9-]{{2,59}})")
ANGLES = re.compile(r"[^<>\n]{0,200}<\s*([^<>\s]{3,255})\s*>")
MAIL_BETWEEN = re.compile(r"[,;|\n]|\s/\s|\s(?:или|либо|и|or|and)\s", re.IGNORECASE)


def read_emails(value: Any) -> list[Reach]:
    """The addresses in each text under an e-mail's key, as ``email_key`` has them.

    Of an object (``{"value": ..., "type": "work"}``) only texts with an "@" are read, if there are any.
    """
    texts = texts_of(value)
    addresses = [text for text in texts if "@" in text] if isinstance(value, Mapping) else []
    return [_emails(text) for text in addresses or texts]


def emails_in(text: str) -> frozenset[str]:
    """The addresses in a text that a CRM keeps, as ``email_key`` has them."""
    return frozenset(_emails(visible(text)).found)


def email_key(text: str) -> str:
    """An address as it is compared: lower case, no ``mailto:``, name or brackets around, its domain's letters
    in their own script (``xn--80a1acny.xn--p1ai`` is ``почта.рф``). Empty where it is no address.
    """
    text = unicodedata.normalize("NFC", visible(text))
    if len(text) > LONGEST:
        return ""
    if "<" in text and (found := ANGLES.fullmatch(text)):
        text = found[1]
    text = text.casefold().removeprefix("mailto:").partition("?")[0].strip(" .,;<>\"'«»()[]")
    if not ADDRESS.fullmatch(text) or ".." in text:
        return ""
    name, _, domain = text.rpartition("@")
    return f"{name}@{_own_script(domain)}"


def _own_script(domain: str) -> str:
    if "xn--" not in domain:
        return domain
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain


def _emails(said: str) -> Reach:
    if len(said) > LONGEST:
        return Reach(said, (), NO_EMAIL)
    if one := email_key(said):
        return Reach(said, (one,))
    pieces = [piece for part in MAIL_BETWEEN.split(said) if part.strip() for piece in _mail_pieces(part)]
    keys = [email_key(piece) for piece in pieces]
    found = tuple(dict.fromkeys(filter(None, keys)))
    if not found:
        return Reach(said, (), NO_EMAIL)
    return Reach(said, found, "" if all(keys) else message("a part of it is not an e-mail address"))


def _mail_pieces(part: str) -> list[str]:
    """Spaces and slashes part addresses only where there is one between each two of them."""
    words = re.split(r"[\s/]+", part.strip())
    return words if len(words) > 1 and all("@" in word for word in words) else [part]
