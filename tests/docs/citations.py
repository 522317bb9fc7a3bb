"""What code, tests and documents cite of ``docs``, and what there is to be cited."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from connectors.registry import CONNECTORS

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("accounts", "config", "connectors", "crm_cache", "docs", "rules", "templates", "tests")

# 4, 4.2, "1.1 to 1.3", "4.1, 2.6 and 3"
NUMBER = r"\d{1,2}(?:\.\d{1,2})?"
NUMBERS = rf"{NUMBER}(?:(?:, and |, | and | to ){NUMBER})*"
# "reference 4.2", "the reference, section 10", "the reference's order (7.5)", "Reference section 9, line 2"
REFERENCE = re.compile(
    rf"\breference(?:'s order)?,? (?:sections? )?\(?(?P<sections>{NUMBERS})"
    rf"(?:, (?P<kind>method|line)s? (?P<items>{NUMBERS}))?",
    re.IGNORECASE,
)
CHECKLIST = re.compile(rf"\bLines (?P<items>{NUMBERS}) of the checklist")
BRACKETS = re.compile(rf"\((?P<sections>{NUMBERS})(?:, (?P<kind>method)s? (?P<items>{NUMBERS}))?\)")
DECISION = re.compile(r"(?<![\w%/#.-])D([1-9]\d?)(?:-D([1-9]\d?))?(?![\w%:.])")
HEADING = re.compile(r"#{2,4} (\d{1,2}(?:\.\d{1,2})?)\.? ")
ITEM = re.compile(r"(?:\| )?(\d{1,2})(?: \||\. )")  # of a numbered list, or of a table that numbers its rows
METHOD = re.compile(r"\*\*(\d+)\. ")


def files(*suffixes: str) -> list[str]:
    """Our own files that end so, by their path from the root."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    names = [str(path.relative_to(ROOT)) for path in (*found, *ROOT.glob("*")) if path.is_file()]
    return sorted(name for name in names if name.endswith(suffixes))


@cache
def text_of(name: str) -> str:
    return (ROOT / name).read_text()


# -- what there is ------------------------------------------------------------------------------------------


def sections_in(text: str) -> frozenset[str]:
    """What a document numbers: ``4`` and ``4.2`` are headings, ``8.12`` is item 12 of a section that has no
    headings inside, ``method 12`` a method that is numbered through."""
    lines = text.splitlines()
    found = {heading[1] for line in lines if (heading := HEADING.match(line))}
    divided = {number.partition(".")[0] for number in found if "." in number}
    section = ""
    for line in lines:
        if heading := HEADING.match(line):
            section = heading[1].partition(".")[0]
        elif (item := ITEM.match(line)) and section not in divided:
            found.add(f"{section}.{item[1]}")
        found.update(f"method {number}" for number in METHOD.findall(line))
    return frozenset(found)


@cache
def sections_of(crm: str) -> frozenset[str]:
    return sections_in(text_of(f"docs/crm/{crm}.md"))


@cache
def checklist_of(crm: str) -> str:
    """The number of the section that lists what the sandbox must do."""
    [number] = re.findall(r"^## (\d+)\. Checklist", text_of(f"docs/crm/{crm}.md"), re.MULTILINE)
    return str(number)


def decisions() -> dict[str, list[str]]:
    """Number -> its files; one each, if all is well."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "docs/decisions").glob("d*.md")):
        found.setdefault(str(int(path.name[1:3])), []).append(path.name)
    return found


# -- what is cited ------------------------------------------------------------------------------------------


def crm_of(name: str) -> str:
    """The CRM that a file's path names; empty where it names none."""
    return next((kind for kind in CONNECTORS if kind in name), "")


@cache
def told(name: str) -> list[tuple[int, str]]:
    """(line, text) of what a file tells its reader: comments and docstrings, or the lines of a document."""
    if not name.endswith(".py"):
        return list(enumerate(text_of(name).splitlines(), 1))
    tokens = tokenize.generate_tokens(io.StringIO(text_of(name)).readline)
    return [
        (token.start[0], " ".join(token.string.split()))
        for token in tokens
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and '"""' in token.string)
    ]


def sections_cited(text: str, crm: str) -> Iterator[str]:
    """What a text cites of a CRM's document, as ``sections_in`` names it."""
    for pattern in (REFERENCE, BRACKETS):
        for match in pattern.finditer(text):
            sections = list(numbers(match["sections"]))
            if pattern is BRACKETS and not any("." in section for section in sections):
                continue  # a bare number in brackets may be anything
            # A bare number after a section, beyond the document's last one, is a method's.
            known = sections_of(crm)
            yield from (s if s in known or "." in s else f"method {s}" for s in sections)
            if match["items"]:
                label = "method " if match["kind"] == "method" else f"{sections[-1]}."
                yield from (f"{label}{number}" for number in numbers(match["items"]))
    for match in CHECKLIST.finditer(text):
        yield from (f"{checklist_of(crm)}.{number}" for number in numbers(match["items"]))


def decisions_cited(text: str) -> Iterator[str]:
    for match in DECISION.finditer(text):
        yield from map(str, range(int(match[1]), int(match[2] or match[1]) + 1))


def numbers(text: str) -> Iterator[str]:
    """``4.2 to 4.4, 7`` as 4.2, 4.3, 4.4, 7."""
    for part in re.split(r", and |, | and ", text):
        first, _, last = part.partition(" to ")
        section, dot, begin = first.rpartition(".")
        end = (last or first).rpartition(".")[2]
        yield from (f"{section}{dot}{number}" for number in range(int(begin), int(end) + 1))
