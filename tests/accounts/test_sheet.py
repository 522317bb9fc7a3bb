"""Files for spreadsheets: whatever somebody typed is shown and never calculated, and numbers stay numbers."""

from __future__ import annotations

import csv
import os
import re
from decimal import Decimal
from io import StringIO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accounts.sheet import Cell, sheet, written

EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "300"))
often = settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
dangerous = st.builds(
    "".join, st.tuples(st.sampled_from(["", " ", "\t", "\r", "\n"]), st.sampled_from("=+-@\t\r＝"), texts)
)


def read(file: bytes) -> list[list[str]]:
    return list(csv.reader(StringIO(file.decode("utf-8-sig"), newline=""), delimiter=";"))


@often
@given(texts | dangerous)
@example("=cmd|' /C calc'!A0")
@example('+1"; =1+1')
@example("@SUM(1)")
@example("\t=1")
@example("\r\n=1")
def test_no_text_is_a_formula_and_each_is_read_back(text: str) -> None:
    [[cell]] = read(sheet((), [[text]]))[1:] or [[""]]
    assert cell.removeprefix("'") == text.removeprefix("'")
    plain = re.fullmatch(r"[+-]?[0-9]+([.,][0-9]+)?", cell)
    assert plain or not re.match(r"[\s]*[=+\-@＝＋－＠]|[\t\r\n]", cell)


@often
@given(st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=2))
def test_a_number_is_the_same_number(number: int | Decimal) -> None:
    assert Decimal(written(number).replace(",", ".")) == number
    assert written(str(number)) == str(number)


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        (None, ""), ("", ""), (-5, "-5"), (Decimal("-12.50"), "-12,50"), (33.3, "33,3"), ("-5", "-5"),
        ("+7,5", "+7,5"), ("-5%", "'-5%"), ("a=b", "a=b"), ("'=1", "'=1"), ("Ремонт", "Ремонт"),
    ],
)  # fmt: skip
def test_cells(cell: Cell, told: str) -> None:
    assert written(cell) == told


def test_a_file_says_what_it_is() -> None:
    assert sheet(("Квиз", "Сумма"), [("a;b", 1.5)]) == '\ufeffКвиз;Сумма\r\n"a;b";1,5\r\n'.encode()
