"""Which reasons for losses are bare texts: what stands in the source where a reason is asked for, and is no
message.

A name, a table or a function is followed, into the module that it is imported from as well; what a CRM says
itself is in no source.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
ASKED_AT = {
    "UnplacedValue": 2,
    "loss": 1,
    "unplaced": 0,
    "lose": 1,
    "do_without": 1,
    "Unfit": 0,
    "Fit": 1,
    "one_value": 1,
    "Read": 1,
    "Reach": 2,
}
ANYTHING = "7"  # what stands for a part that differs


def reasons() -> dict[str, str]:
    """``{reason: where it was read}``."""
    found: dict[str, str] = {}
    for path in sorted([*(HOUSE / "connectors").rglob("*.py"), *(HOUSE / "rules").rglob("*.py")]):
        if not {"sandbox", "serializers"} & {*path.parts}:
            module = Module(ast.parse(path.read_text()))
            bare = (reason for reason in module.reasons() if reason != ANYTHING)
            found |= dict.fromkeys(bare, str(path.relative_to(HOUSE)))
    return found


class Module:
    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.named: dict[str, list[ast.expr]] = {}
        self.imported: dict[str, tuple[str | None, str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    self._name(target, node.value)
            elif isinstance(node, ast.NamedExpr):
                self._name(node.target, node.value)
            elif isinstance(node, ast.FunctionDef):
                returned = [one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value]
                self.named.setdefault(node.name, []).extend(returned)
            elif isinstance(node, ast.ImportFrom):
                self.imported |= {
                    alias.asname or alias.name: (node.module, alias.name) for alias in node.names
                }

    def reasons(self) -> Iterator[str]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and (asked := self._asked(node)):
                yield from self._texts(asked, ())
            elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "faults":
                yield from self._texts(node.slice, ())

    def _name(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.named.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Tuple):
            for branch in (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,):
                if isinstance(branch, ast.Tuple):
                    for part, its in zip(target.elts, branch.elts, strict=True):
                        self._name(part, its)

    def _asked(self, call: ast.Call) -> ast.expr | None:
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        place = ASKED_AT.get(called)
        given = [key.value for key in call.keywords if key.arg in ("reason", "but")]
        return next(iter([*given, *([] if place is None else call.args[place : place + 1])]), None)

    def _texts(self, node: ast.expr, on_the_way: tuple[str, ...]) -> Iterator[str]:
        match node:
            case ast.Constant(value=str(text)) if text:
                yield text
            case ast.JoinedStr(values=parts):
                yield "".join(str(p.value) if isinstance(p, ast.Constant) else ANYTHING for p in parts)
            case ast.Call(func=ast.Name(id="message")):
                return  # the catalogue has it
            case ast.Call(func=ast.Attribute(value=pattern, attr="format")):
                words = [arg.id for arg in node.args if isinstance(arg, ast.Name)]
                yield from self._filled(pattern, words, on_the_way)
            case ast.IfExp(body=one, orelse=other):
                yield from (text for part in (one, other) for text in self._texts(part, on_the_way))
            case ast.BoolOp(values=parts) | ast.Dict(values=parts):
                yield from (text for part in parts for text in self._texts(part, on_the_way))
            case ast.Subscript(value=inner) | ast.Call(func=inner):
                yield from self._texts(inner, on_the_way)
            case ast.Name(id=name) if name not in on_the_way:
                for value in self.named.get(name, ()):
                    yield from self._texts(value, (*on_the_way, name))
                yield from self._elsewhere(name)

    def _elsewhere(self, name: str) -> Iterator[str]:
        module, its_name = self.imported.get(name, ("", ""))
        path = (HOUSE / (module or "").replace(".", "/")).with_suffix(".py")
        if module and path.is_file():
            yield from Module(ast.parse(path.read_text()))._texts(ast.Name(its_name), ())

    def _filled(self, pattern: ast.expr, words: list[str], on_the_way: tuple[str, ...]) -> Iterator[str]:
        for text in self._texts(pattern, on_the_way):
            for word in ("contact", "company") if words else (ANYTHING,):
                yield text.replace("{}", word)
