"""Whatever is cited is there: sections of ``docs/crm``, decisions, files, headings that documents link to."""

from __future__ import annotations

import re
from fnmatch import filter as filter_paths
from functools import cache
from pathlib import Path, PurePath

import pytest

from connectors.registry import CONNECTORS
from tests.docs.citations import (
    HEADING,
    ROOT,
    crm_of,
    decisions,
    decisions_cited,
    files,
    numbers,
    sections_cited,
    sections_in,
    sections_of,
    text_of,
    told,
)

# Files outside a CRM's folder that cite a CRM's document all the same: which one, and why there.
SPEAKS_OF = {
    "accounts/views.py": "amocrm",  # its notice after a widget's installation ends at the consent's callback
}
DESIGN = re.compile(r"\bdesign \d+(?:\.\d+)?")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"\w[\w.<>*-]*(?:/[\w.<>*-]+)*(?:\.(?:py|md|yaml|toml|txt|html|css)|/)")

CITING = [name for name in files(".py", "NOTES.md") if not name.startswith(("docs/", "tests/docs/"))]
TELLING = [name for name in files(".py", ".md", ".html") if not name.startswith("tests/docs/")]
PATHS = {f"/{path}" for name in files("") for path in (name, *map(str, PurePath(name).parents))}
DOCUMENTS = [name for name in files(".md") if not name.startswith("tests/")]


def document_of(name: str) -> str:
    """The CRM whose document a file cites by sections alone; empty where it should cite none."""
    return SPEAKS_OF.get(name) or crm_of(name)


@cache
def cited(crm: str) -> list[tuple[str, str]]:
    """(where, section) of all that is cited of a CRM's document."""
    return [
        (f"{name}:{line}", section)
        for name in CITING
        if document_of(name) == crm
        for line, text in told(name)
        for section in sections_cited(text, crm)
    ]


@pytest.mark.parametrize("crm", CONNECTORS)
def test_sections_that_code_cites_are_there(crm: str):
    missing = [f"{where} cites {section}" for where, section in cited(crm) if section not in sections_of(crm)]
    assert missing == []


def test_nobody_else_cites_a_section():
    """Without a CRM in its path a file's "reference 4.2" says nothing: it goes to SPEAKS_OF, or away."""
    ambiguous = [
        f"{name}:{line} {text[:100]}"
        for name in CITING
        if not document_of(name)
        for line, text in told(name)
        if re.search(r"\breference \d", text, re.IGNORECASE)
    ]
    assert ambiguous == []


@pytest.mark.parametrize("crm", CONNECTORS)
def test_a_removed_section_is_missed(crm: str):
    """What the tests above are worth: each cited heading, taken out of the document, would be named."""
    document, sections = text_of(f"docs/crm/{crm}.md"), {section for _, section in cited(crm)}
    headings = {found[0]: found[1] for found in re.finditer(f"^{HEADING.pattern}", document, re.MULTILINE)}
    cited_headings = {heading: number for heading, number in headings.items() if number in sections}
    assert len(cited_headings) > 5
    unmissed = [
        number
        for heading, number in cited_headings.items()
        if number in sections_in(document.replace(heading, "", 1))
    ]
    assert unmissed == []


def test_decisions_that_are_cited_are_there():
    known = decisions()
    missing = [
        f"{name}:{line} cites D{number}"
        for name in TELLING
        if not name.startswith("docs/crm/")  # there D: is a source's mark
        for line, text in told(name)
        for number in decisions_cited(text)
        if number not in known
    ]
    assert missing == []


def test_the_design_is_cited_by_decisions():
    """The decisions have taken the design's place."""
    assert [(name, m) for name in TELLING for _, text in told(name) for m in DESIGN.findall(text)] == []


def test_decisions_are_numbered_without_gaps_and_listed():
    known = decisions()
    assert [int(number) for number in known] == list(range(1, len(known) + 1))
    assert [names for names in known.values() if len(names) > 1] == []
    titles = {
        f"| [D{number}]({name}) | {text_of(f'docs/decisions/{name}').splitlines()[0].partition('. ')[2]} |"
        for number, [name] in known.items()
    }
    listed = {row for row in text_of("docs/decisions/README.md").splitlines() if row.startswith("| [D")}
    assert listed == titles


@pytest.mark.parametrize("name", [name for [name] in decisions().values()])
def test_a_decision_has_its_three_parts(name: str):
    text = text_of(f"docs/decisions/{name}")
    assert text.startswith(f"# D{int(name[1:3])}. ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequence"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str):
    broken = []
    for target in LINK.findall(CODE.sub("", FENCED.sub("", text_of(name)))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (ROOT / name).parent / path if path else ROOT / name
        if not found.exists() or (anchor and anchor not in anchors_of(found)):
            broken.append(target)
    assert broken == []


def anchors_of(path: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#{1,6} (.+)$", FENCED.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if not name.startswith("docs/crm/")])
def test_files_that_a_document_names_are_there(name: str):
    """`rules/delivery/lane.py`, or the end of a path; `<crm>` and `*` stand for any name."""
    missing = [
        code
        for code in CODE.findall(FENCED.sub("", text_of(name)))
        if "/" in code and FILE.fullmatch(code) and not is_there(code)
    ]
    assert missing == []


def is_there(code: str) -> bool:
    pattern = re.sub(r"<\w+>", "*", code).rstrip("/")
    return bool(filter_paths(PATHS, f"*/{pattern}"))


@pytest.mark.parametrize("crm", CONNECTORS)
def test_switches_that_a_document_names_are_there(crm: str):
    """The open questions name the switch that covers each: the second column of their table."""
    document = text_of(f"docs/crm/{crm}.md")
    [questions] = re.findall(r"^## \d+\. Open questions$(.*?)(?=^## |\Z)", document, re.MULTILINE | re.DOTALL)
    rows = [line.split("|") for line in questions.splitlines() if line.startswith("| ")]
    named = {word for row in rows for word in re.findall(r"`(\w+)`", row[2])}
    source = text_of(f"connectors/sandbox/{crm}/switches.py")
    assert named
    assert {word for word in named if f'"{word}":' not in source} == set()


def test_operating_names_every_setting_and_no_other():
    """Those of a CRM's own are summed up there (`AMOCRM_*`)."""
    settings = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", text_of(".env.example"), re.MULTILINE))
    named = set(
        re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+|DEBUG|SANDBOX|ALERTS)`", text_of("docs/operating.md"))
    )
    common = {
        name for name in settings if not name.startswith(tuple(f"{kind.upper()}_" for kind in CONNECTORS))
    }
    assert named - settings == set()
    assert common - named == set()


def test_numbers_are_read_as_people_write_them():
    assert list(numbers("1.1 to 1.3, 4 and 7.10")) == ["1.1", "1.2", "1.3", "4", "7.10"]
    assert list(decisions_cited("contract D12, D32-D34; D:oauth, %D1%83")) == ["12", "32", "33", "34"]


def test_no_text_holds_both_sides_of_a_merge() -> None:
    torn = [name for name in TELLING if re.search(r"^(?:<{7}|>{7}) ", text_of(name), re.MULTILINE)]
    assert torn == []
