"""A number that stands alone is read past the patterns, and as they read it."""

from __future__ import annotations

import os
import re
from unittest import mock

from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors import coercion
from connectors.coercion import money, number

often = settings(
    max_examples=int(os.environ.get("PROPERTY_EXAMPLES", "300")),
    derandomize=True,
    database=None,
    deadline=None,
)
NEVER = re.compile(r"(?!)")


@given(st.from_regex(r"[0-9]{1,17}", fullmatch=True), st.sampled_from(["", "RUB", "USD"]), st.booleans())
@often
@example("0", "RUB", True)
@example("007", "RUB", False)
@example("9" * 15, "", True)
@example("9" * 16, "", False)
def test_a_number_alone_is_read_as_any_other(text: str, currency: str, whole: bool) -> None:
    read = number([text], currency=currency, whole=whole), money([text], currency=currency)
    with mock.patch.object(coercion, "PLAIN", NEVER):
        assert (number([text], currency=currency, whole=whole), money([text], currency=currency)) == read
