"""Every line of the corpus, read by the shared readers and put into a field by every connector."""

from __future__ import annotations

from time import process_time

import pytest

from connectors import coercion, dates
from connectors.coercion import Read, written
from connectors.contact import read_emails, read_phones
from connectors.registry import CONNECTORS
from rules.mapping.note import answer_text
from tests.corpus.crms import CONTACT, CRMS, Crm
from tests.corpus.rows import OPTIONS, Row, rows

ROWS = rows()


def texts(row: Row) -> tuple[str, ...]:
    found = (answer_text(leaf) for leaf in coercion.leaves(row.answer))
    return tuple(coercion.tidy(text) for text in found if coercion.tidy(text))


def said(row: Row) -> tuple[str, str]:
    """(what a reader makes of it in the corpus' form, what it tells)."""
    match row.type:
        case "number":
            return shown(coercion.number(texts(row), currency=row.currency), written)
        case "price":
            return shown(coercion.price(answer_text(row.answer), row.currency), written)
        case "money":
            read = coercion.money(texts(row), foreign=True)
            own = ("", row.currency)
            return shown(read, lambda m: written(m.amount) + ("" if m.currency in own else f" {m.currency}"))
        case "date":
            return shown(dates.day(texts(row), row.zone), lambda day: day.isoformat())
        case "datetime":
            read_moment = dates.moment(texts(row), row.zone)
            return shown(read_moment, lambda at: at.astimezone(row.zone).isoformat())
        case "yes_no":
            return shown(coercion.yes_no(texts(row)), lambda yes: "yes" if yes else "no")
        case "choice" | "choices":
            chosen = coercion.choices(texts(row), OPTIONS)
            return shown(chosen, lambda options: " ".join(option.remote_id for option in options))
        case "url":
            return shown(coercion.web_address(texts(row)), str)
        case "text":
            return ", ".join(texts(row)), ""
        case "phone" | "email":
            reaches = read_phones(row.answer, row.country) if row.type == "phone" else read_emails(row.answer)
            found = dict.fromkeys(one for reach in reaches for one in reach.found)
            return " ".join(found), "; ".join(filter(None, (reach.but for reach in reaches)))
    raise AssertionError(row.type)


def shown(read: Read, form) -> tuple[str, str]:
    return "" if read.value is None else form(read.value), read.but


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_shared_readers_keep_it_or_tell_it(row):
    value, but = said(row)
    assert value == row.value
    assert bool(but) == row.is_told


@pytest.mark.parametrize("crm", CRMS, ids=lambda crm: crm.name)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_each_crm_keeps_it_or_tells_it(crm: Crm, row: Row):
    if not crm.takes(row):
        pytest.skip(f"{crm.name} has no such field")
    value, losses = crm.run(row)
    expected = crm.expected(row)
    assert value == expected
    told = " ".join(loss.value for loss in losses)
    is_typed = row.type in crm.types or row.type in (*CONTACT, "price")
    is_changed = row.type == "price" and expected != row.value
    if (is_typed and row.is_told) or is_changed or not expected:
        assert told if row.said.startswith("json:") else row.said.strip() in told
    else:
        assert told == ""


def test_every_crm_reads_the_corpus():
    assert {crm.name for crm in CRMS} == set(CONNECTORS)
    assert len(ROWS) >= 300
    assert len({(row.type, row.country, row.said) for row in ROWS}) == len(ROWS)


HOSTILE = (
    "1", "1 ", "1,", "1-", "(", "+", "8 ", "a@", "<", "@", "a.", "доб. ", " или ", "1 янв ", "янв ", "12.12.",
    "1:1", "&amp;", "«", "a,", "-", "\u200b", " ", "\n", "https://a.", "млн ", "руб",
)  # fmt: skip


@pytest.mark.parametrize("part", HOSTILE)
def test_a_megabyte_of_anything_is_read_in_no_time(part):
    """A few milliseconds of the processor; a pattern that is not linear takes minutes. The better of two
    times counts, as the first number of a country loads its numbering plan."""
    text = (part * (1_000_000 // len(part)))[:1_000_000]
    for length in (coercion.LONGEST, 1_000, 1_000_000):
        assert min(_seconds_to_read(text[:length]) for _ in range(2)) < 0.5


def _seconds_to_read(text: str) -> float:
    begun = process_time()
    for read in (coercion.number, coercion.money, coercion.yes_no, coercion.web_address):
        read([text])
    dates.moment([text], rows()[0].zone)
    coercion.choices([text], OPTIONS)
    read_phones(text, "RU")
    read_emails(text)
    return process_time() - begun
