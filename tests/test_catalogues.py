"""Russian is complete: each text has its translation, with the same gaps to fill, and it is compiled."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.catalogues import DOMAINS, ROOT, Domain, mo_bytes, po_bytes, untranslated, updated, written

GAP = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")

each_domain = pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)


@each_domain
def test_nothing_is_untranslated_or_doubtful(domain: Domain):
    assert [message.id for message in untranslated(written(domain))] == []


@each_domain
def test_the_compiled_catalogue_is_the_written_one(domain: Domain):
    assert domain.mo.read_bytes() == mo_bytes(written(domain)), "make messages"


@each_domain
def test_a_translation_has_the_gaps_of_its_text(domain: Domain):
    wrong = []
    for message in written(domain):
        texts = message.id if isinstance(message.id, tuple) else (message.id,)
        gaps = set(GAP.findall(texts[-1]))
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        wrong += [(message.id, form) for form in forms if message.id and set(GAP.findall(form)) != gaps]
    assert wrong == []


@each_domain
def test_the_catalogue_has_what_the_code_says(domain: Domain):
    assert domain.po.read_bytes() == po_bytes(updated(domain)), "make messages"


NOT_WORDS = re.compile(
    r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<(script|style).*?</\1>"
    r"|<span class=\"material-symbols[^>]*>\w*</span>|<[^>]*>",  # an icon's name is no word
    re.DOTALL,
)
TRANSLATED = re.compile(r"\{% blocktrans.*?\{% endblocktrans(?:late)? %\}", re.DOTALL)


def test_no_template_says_anything_that_is_not_translated():
    bare = {}
    for path in sorted((ROOT / "templates").rglob("*.html")):
        words = NOT_WORDS.sub(" ", TRANSLATED.sub(" ", path.read_text()))
        if found := [word for word in re.findall(r"[A-Za-z]{2,}", words) if word != "CRM"]:
            bare[path.name] = found
    assert bare == {}


SHOWN = {"description", "label", "help_text", "empty_value", "search_help_text", "verbose_name"}
ADMIN = (
    "accounts/admin.py",
    "accounts/connect_page.py",
    "config/unfold.py",
    "config/admin.py",
    "crm_cache",
    "rules/admin",
)


def test_no_admin_page_is_labelled_in_english_alone():
    """Labels as literals; what is put together at run time no test can tell from a code."""
    bare = [
        f"{path.relative_to(ROOT)}:{node.value.lineno} {node.value.value!r}"
        for place in ADMIN
        for path in ([ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py")))
        if "migrations" not in path.parts and "serializers" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.keyword) and node.arg in SHOWN and isinstance(node.value, ast.Constant)
        if re.search("[a-z]", str(node.value.value))
    ]
    assert bare == []


EAGER = {"gettext", "ngettext", "pgettext", "npgettext", "say", "say_many"}


def test_nothing_is_translated_when_a_module_is_loaded():
    """It would be in English for ever: what a class or a module holds is lazy."""
    eager = []
    for folder in ("config", "accounts", "crm_cache", "rules"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text())
            names = {
                alias.asname or alias.name
                for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom)
                for alias in node.names
                if alias.name in EAGER
            }
            for call in _at_loading(tree):
                if isinstance(call.func, ast.Name) and call.func.id in names:
                    eager.append(f"{path.relative_to(ROOT)}:{call.lineno} {ast.unparse(call)}")
    assert eager == []


def _at_loading(node: ast.AST) -> Iterator[ast.Call]:
    """The calls outside of functions."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.Call):
            yield inner
        if not isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from _at_loading(inner)


def test_what_rows_have_stored_keeps_its_translation(monkeypatch: pytest.MonkeyPatch):
    stored = next(domain for domain in DOMAINS if domain.stored)
    said = next(message for message in written(stored) if message.id)
    monkeypatch.setattr("tests.catalogues.read", lambda domain: [])
    kept = updated(stored).get(said.id)
    assert kept
    assert kept.string == said.string
