"""Texts that a rule writes itself: the lead's title, its note, its sum, values of its fields. Pure.

``Quiz {{ quiz.title }}: {{ contact.name | default("nobody") }}`` is read by Jinja's sandbox, of which only
what can't loop, call or grow is let through: names of ``rules.mapping.values``, ``quiz.title``, ``quiz.id``
and ``date``, conditions, and the filters of ``FILTERS``. A constant is a template without gaps. A name for
which an answer has nothing is an empty text, and told, unless ``default`` says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from typing import Any

from jinja2 import TemplateError, Undefined, nodes
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.sandbox import ImmutableSandboxedEnvironment

from connectors.coercion import number
from connectors.dates import day
from connectors.draft import UnplacedValue
from connectors.messages import message
from rules.mapping.conditions import Malformed
from rules.mapping.values import GROUPS, SINGLE, AnswerValues, is_name

LONGEST = 2000  # characters of a template
LONGEST_VALUE = 5000  # of what is put into a gap; the note has all of it
LONGEST_RESULT = 10_000
QUIZ, DATE = "quiz", "date"
QUIZ_NAMES = ("title", "id")
DATE_FORMAT = re.compile(r"(?:%[dmYyHMSBbAa]|[^%]){1,50}")
DEEPEST = 20  # things within things
COMPARED = ("eq", "ne", "in", "notin")  # texts have no other order that a person would mean
ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const,
    nodes.Filter, nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
    nodes.Concat, nodes.Keyword,
)  # fmt: skip


class Missing(Undefined):
    """What an answer has nothing for; whoever writes it out is told of."""

    def __str__(self) -> str:
        if isinstance(self._undefined_obj, _Asked):
            self._undefined_obj.missing[str(self._undefined_name)] = None
        return ""


class _Asked:
    """One answer as a template reads it; ``missing`` are the names that were written out for nothing."""

    def __init__(self, values: AnswerValues, quiz: Mapping[str, str]) -> None:
        self.values = values
        self.quiz = quiz
        self.missing: dict[str, None] = {}

    def get(self, name: str) -> Any:
        if name == DATE:
            return self.values.at.strftime("%d.%m.%Y")
        group, _, own = name.partition(".")
        text = self.quiz.get(own, "") if group == QUIZ else ", ".join(self.values.texts(name))
        return text[:LONGEST_VALUE] or Missing(obj=self, name=name)


class _Group:
    """``answer`` and its like: whatever is asked of it is a name."""

    __slots__ = ("_asked", "_name")

    def __init__(self, asked: _Asked, name: str) -> None:
        self._asked, self._name = asked, name

    def __getitem__(self, own: object) -> Any:
        return self._asked.get(f"{self._name}.{own}")


class _Environment(ImmutableSandboxedEnvironment):
    """A name of a group is looked up, whatever Python would call an attribute."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return obj[attribute] if isinstance(obj, _Group) else super().getattr(obj, attribute)


def _number(text: Any, digits: int = 0) -> Any:
    """``1500000,5 ₽`` as ``1 500 001``, with so many digits behind the point; what is no number as it is."""
    if isinstance(text, Undefined):
        return text
    read = number([str(text)]).value
    return f"{read:,.{max(0, min(int(digits), 6))}f}".replace(",", " ") if read is not None else text


def _date(text: Any, form: str = "%d.%m.%Y") -> Any:
    """A day in another form; what is no day as it is."""
    if isinstance(text, Undefined) or not DATE_FORMAT.fullmatch(str(form)):
        return text
    read = day([str(text)], UTC).value
    return read.strftime(str(form)) if read else text


def _digits(text: Any) -> Any:
    return text if isinstance(text, Undefined) else "".join(filter(str.isdecimal, str(text)))


FILTERS = {
    **{
        name: JINJA_FILTERS[name]
        for name in ("default", "d", "upper", "lower", "capitalize", "title", "trim")
    },
    "number": _number,
    "date": _date,
    "digits": _digits,
}


def _environment() -> _Environment:
    made = _Environment(autoescape=False, undefined=Missing, keep_trailing_newline=True)
    made.filters, made.tests, made.globals = dict(FILTERS), {}, {}
    return made


ENVIRONMENT = _environment()


@dataclass(frozen=True, slots=True)
class Text:
    """A template that was read; ``what`` it is for is told with what it lacks."""

    source: str
    what: str

    def write(self, values: AnswerValues, quiz: Mapping[str, str]) -> tuple[str, list[UnplacedValue]]:
        """The text without blanks around it, and what the answer has nothing for."""
        asked = _Asked(values, quiz)
        groups = {name: _Group(asked, name) for name in (*GROUPS, QUIZ)}
        single = {name: asked.get(name) for name in (*SINGLE, DATE)}
        try:
            text = _compiled(self.source).render({**groups, **single}).strip()
        except Exception:  # whatever a filter makes of an answer: it costs the lead no more than this text
            return "", [UnplacedValue(self.what, "", UNWRITABLE)]
        losses = [UnplacedValue(name, "", self._reason()) for name in asked.missing]
        if len(text) > LONGEST_RESULT:
            text = text[:LONGEST_RESULT]
            reason = message("shortened to {length} characters", length=LONGEST_RESULT)
            losses.append(UnplacedValue(self.what, "", reason))
        return text, losses

    def _reason(self) -> str:
        return message("{what} asks for it, and the answer has none", what=self.what)


@lru_cache(maxsize=1024)
def _compiled(source: str) -> Any:
    return ENVIRONMENT.from_string(source)


def read_text(said: Any, at: str, what: str) -> Text:
    """The template that a rule says at ``at``. Raises ``Malformed`` with the line for what is none."""
    if not isinstance(said, str) or len(said) > LONGEST:
        raise Malformed(at, message("a text of at most {most} characters is needed", most=LONGEST))
    try:
        tree = ENVIRONMENT.parse(said)
    except TemplateError as error:
        line = getattr(error, "lineno", 1)
        raise Malformed(at, message(UNREADABLE.text, line=line, text=_line(said, line))) from error
    except RecursionError as error:
        raise Malformed(at, TOO_DEEP) from error
    _check(tree, at)
    return Text(said, what)


# The engine's own words for what is wrong are English and name its tokens: a person is shown the line.
UNREADABLE = message("line {line} can't be read, see that each gap and each quotation mark is closed: {text}")
UNWRITABLE = message("it can't be written: see what its filters are given")
TOO_DEEP = message("too much within each other")
LONGEST_LINE = 60  # characters of a line that is shown
REFUSED = (  # the first that fits says what a person knows it by
    (nodes.For, message("a loop")),
    (nodes.Stmt, message("a command other than if")),
    (nodes.Call, message("a call")),
    (nodes.Operand, message("a comparison of more and less")),
    ((nodes.BinExpr, nodes.UnaryExpr), message('arithmetic (a hyphen in an id: answer["q-1"])')),
    (nodes.Literal, message("a list")),
    (nodes.Test, message('a check by "is"')),
)


def _line(said: str, number: int) -> str:
    """That line of a template, as far as it is shown."""
    text = (said.splitlines() or [""])[max(0, number - 1) :][:1]
    return " ".join("".join(text).split())[:LONGEST_LINE]


def _word(node: nodes.Node) -> str:
    return next((words for kinds, words in REFUSED if isinstance(node, kinds)), message("this"))


def _check(tree: nodes.Template, at: str) -> None:
    """Only what can't loop, call or grow, and only names that an answer can have."""
    named = set()
    for node, depth in _all(tree, 1):
        if depth > DEEPEST:
            raise Malformed(at, TOO_DEEP)
        if not isinstance(node, ALLOWED) or (isinstance(node, nodes.Operand) and node.op not in COMPARED):
            words = message("line {line}: {what} can't be used in a text", line=node.lineno, what=_word(node))
            raise Malformed(at, words)
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            raise Malformed(
                at,
                message(
                    "line {line}: there is no filter {name}; there are {names}",
                    line=node.lineno, name=node.name, names=", ".join(FILTERS),
                ),
            )  # fmt: skip
        if isinstance(node, (nodes.Getattr, nodes.Getitem)):
            named.add(id(node.node))
            _check_name(_name(node), node.lineno, at)
        elif isinstance(node, nodes.Name) and id(node) not in named:
            _check_name(node.name, node.lineno, at)


def _all(node: nodes.Node, depth: int) -> Iterator[tuple[nodes.Node, int]]:
    """Every node with its depth, each before what is in it; no deeper than is needed to refuse it."""
    yield node, depth
    for child in node.iter_child_nodes() if depth <= DEEPEST else ():
        yield from _all(child, depth + 1)


def _name(node: nodes.Getattr | nodes.Getitem) -> str:
    """``answer.area`` and ``answer["q-1"]`` as a dotted name; empty for anything else."""
    own = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None)
    if not isinstance(node.node, nodes.Name) or isinstance(own, bool) or not isinstance(own, (str, int)):
        return ""
    return f"{node.node.name}.{own}"


def _check_name(name: str, line: int, at: str) -> None:
    quiz = (f"{QUIZ}.{one}" for one in QUIZ_NAMES)
    if not (is_name(name) or name in (DATE, *quiz)):
        raise Malformed(
            at,
            message(
                'line {line}: there is no such value; write answer.<id> or answer["<id>"], contact.<part>, '
                "utm.<mark>, quiz.title, quiz.id, date, sum, hour, weekday, page, referrer or result",
                line=line,
            ),
        )


@dataclass(frozen=True, slots=True)
class Texts:
    """All texts of a rule: ``values`` are (our entity word, field as the rule names it, text)."""

    title: Text | None = None
    note: Text | None = None
    sum: Text | None = None
    values: tuple[tuple[str, str, Text], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.title or self.note or self.sum or self.values)

    def single(self) -> tuple[tuple[str, Text | None], ...]:
        """Those that a lead has one of, by name."""
        return ("title", self.title), ("note", self.note), ("sum", self.sum)


def read_texts(extra: Mapping[str, Any]) -> Texts:
    """The texts of a stored ``Rule.extra``, which was checked when it was saved."""
    return Texts(
        **{name: Text(extra[name], WHAT[name]) for name in WHAT if extra.get(name)},
        values=tuple(
            (one["record"], one["field"], Text(one["value"], value_word(number)))
            for number, one in enumerate(extra.get("values", ()))
        ),
    )


WHAT = {
    "title": message("the text of the title"),
    "note": message("the text of the note"),
    "sum": message("the text of the sum"),
}


def value_word(number: int) -> str:
    """What the text of one field is called."""
    return message("the text of field {number}", number=number + 1)
