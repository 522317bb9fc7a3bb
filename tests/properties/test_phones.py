"""Russian mobile numbers are read past the library, and as it reads them; so are letters and digits."""

from __future__ import annotations

import os
import re
from unittest import mock

from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors import contact
from connectors.contact import Reach, is_of_region, national_digits, read_phones

often = settings(
    max_examples=int(os.environ.get("PROPERTY_EXAMPLES", "300")),
    derandomize=True,
    database=None,
    deadline=None,
)
NEVER = re.compile(r"(?!)()")
prefixes = st.sampled_from(["", "+", "7", "8", "+7", "+8", "+77", "+78", "87", "007", "8107", "+375"])
national = st.from_regex(r"[0-9]{8,11}", fullmatch=True) | st.from_regex(r"9[0-9]{9}", fullmatch=True)
endings = st.sampled_from(["", " доб. 5", "ext", " Анна", "x", "\u0661"])
regions = st.sampled_from(["RU", "KZ", "DE", "US", "BY"])


@given(prefix=prefixes, number=national, ending=endings, region=regions)
@often
@example(prefix="+7", number="9" * 10, ending="", region="RU")
@example(prefix="8", number="9161234567", ending="", region="RU")
@example(prefix="", number="9161234567", ending="", region="RU")
@example(prefix="7", number="9161234567", ending="", region="KZ")
def test_a_mobile_number_is_read_as_the_library_reads_it(
    prefix: str, number: str, ending: str, region: str
) -> None:
    said = f"{prefix}{number}{ending}"
    read = read_phones(said, region)
    with mock.patch.object(contact, "RUSSIAN_MOBILE", NEVER):
        assert read_phones(said, region) == read


@given(st.text(max_size=20))
@often
def test_letters_and_digits_are_told_one_by_one(text: str) -> None:
    assert contact._has_letters(text) == any(c.isalpha() for c in text)
    assert contact._digits(text) == "".join(str(int(c)) for c in text if c.isdecimal())


def test_every_code_of_russian_mobile_operators_is_known_to_the_library() -> None:
    for code in range(900, 1000):
        phone = f"+7{code}1234567"
        said = _all_that_is_said(phone)
        with mock.patch.object(contact, "RUSSIAN_MOBILE", NEVER):
            assert _all_that_is_said(phone) == said
        assert said[0][0].found == (phone,)


def _all_that_is_said(phone: str) -> tuple[list[Reach], str, list[bool]]:
    homes = [is_of_region(phone, region) for region in ("RU", "KZ", "DE", "")]
    return read_phones(phone, "DE"), national_digits(phone), homes
