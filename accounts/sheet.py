"""Tables as files for spreadsheets.

A file is UTF-8 with a mark at its beginning, has ``;`` between its cells, and its lines end in CR LF: Excel
opens it by a double click where numbers have a decimal comma, as they do here; others are told. A text that a
spreadsheet would calculate begins with an apostrophe. Numbers are never touched, be they below zero or texts
that are nothing but a number.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from io import StringIO

CONTENT_TYPE = "text/csv; charset=utf-8"
MARK = "\ufeff"
# What begins a formula, also where a blank or its full width is before it; of both kinds of line's end.
FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
Cell = str | int | float | Decimal | None


def sheet(head: Iterable[str], rows: Iterable[Iterable[Cell]]) -> bytes:
    """The file. Nothing is an empty cell."""
    return b"".join(pieces(head, [rows]))


def pieces(head: Iterable[str], portions: Iterable[Iterable[Iterable[Cell]]]) -> Iterator[bytes]:
    """The same piece by piece, for a file of which no more than a portion of rows is to be in memory."""
    yield MARK.encode() + _lines([head])
    yield from map(_lines, portions)


def _lines(rows: Iterable[Iterable[Cell]]) -> bytes:
    text = StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerows([written(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def written(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        harmless = NUMBER.fullmatch(cell) or not FORMULA.match(cell)
        return cell if harmless else f"'{cell}"
    return str(cell).replace(".", ",")
