"""Numbers as people write them (pure)."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

SPACES = re.compile(r"[\s\u00a0\u2009\u202f'’_]+")
NUMBER = re.compile(r"[-+−]?\d[\d.,]*")
MOST_DIGITS = 15  # longer ones come back damaged where a CRM keeps floats: amocrm-api-php issue 399


def read_number(text: str) -> Decimal | None:
    """``1 200,50 ₽`` is 1200.50. None where there is no number, or more than one."""
    found = NUMBER.findall(SPACES.sub("", text))
    if len(found) != 1:
        return None
    plain = _plain(found[0].replace("−", "-").rstrip(".,"))
    if sum(c.isdigit() for c in plain) > MOST_DIGITS:
        return None
    try:
        return Decimal(plain)
    except InvalidOperation:
        return None


def written(number: Decimal) -> str:
    """Without an exponent and without idle zeros: ``1200.5``."""
    plain = f"{number:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _plain(digits: str) -> str:
    """One decimal point at most; every other dot or comma groups thousands."""
    comma, dot = digits.rfind(","), digits.rfind(".")
    if comma >= 0 and dot >= 0:
        group, point = (",", ".") if dot > comma else (".", ",")
        return digits.replace(group, "").replace(point, ".")
    mark = "," if comma >= 0 else "."
    if digits.count(mark) > 1 or (mark == "," and re.fullmatch(r"[-+]?[1-9]\d{0,2},\d{3}", digits)):
        return digits.replace(mark, "")
    return digits.replace(",", ".")
