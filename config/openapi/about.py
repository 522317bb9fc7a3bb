"""What the document says first: what this is, which ids a rule wants, and what an answer costs its CRM."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from accounts.rest.derived import described
from connectors.registry import CONNECTORS, rest_root
from rules.serializers import dialect_of

ABOUT = """\
A quiz platform hands over finished quizzes; each becomes a lead in its customer's CRM, once. Connect an
account of a CRM, save a rule for a quiz, post answers, and follow what becomes of them. Every example here is
sent to a running service by tests, and what comes back is held against the examples.

Tokens come from the quiz platform; `manage.py issue_token <account>` prints one where the key is a shared
secret. The local CRMs of `make demo` tell their keys: it prints how to ask for them.

# Which id a rule wants

Lists (`/users`, `/pipelines`, ...) show two kinds of ids, ours (`ID`, `id`) and the CRM's. Rules want the
CRM's, with one exception: amoCRM's tags are named by ours.
"""
COST = """\
# What a rule costs

Saving one asks its CRM for nothing but the fields that are to be made. Each answer of its quiz becomes a
lead, at the CRM's pace: leads that can share requests do, up to as many as the table says. The same answer
once more costs nothing.

| CRM | leads that share requests |
|---|---|
"""


def about() -> str:
    """In Markdown, of the CRMs that there are."""
    rules = "\n\n".join("\n".join(_rule(kind)) for kind in CONNECTORS)
    shared = "\n".join(f"| {described(kind).label} | {described(kind).can.batch} |" for kind in CONNECTORS)
    return f"{ABOUT}\n{rules}\n\n{COST}{shared}\n"


def _rule(kind: str) -> Iterator[str]:
    yield f"**{described(kind).label}**, `/{rest_root(kind)}rules/{{quizID}}`\n"
    yield "| | |"
    yield "|---|---|"
    for name, field in dialect_of(kind).request().fields.items():
        if name not in LEFT_OUT:
            yield f"| `{name}` | {_meaning(name, field)} |"


LEFT_OUT = ("Quiz", "Extra")  # they name no ids of their own


def _meaning(name: str, field: Any) -> str:
    """The words of the schema; of fields those of the map from questions."""
    if name.casefold() != "fieldsrule":
        return str(field.help_text)
    record = next(iter(field.fields.values()))
    return " ".join(str(getattr(record, "child", record).__doc__).split()).replace("``", "`")
