"""The floor plan, checked: who may import whom, where a CRM may be named, and the one door to the network."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from connectors.registry import CONNECTORS
from connectors.sandbox import SANDBOXES, sandbox_class
from connectors.sandbox.server import PORTS_EACH

HOUSE = Path(__file__).resolve().parents[1]
APPS = ("config", "rules", "crm_cache", "accounts", "connectors")
MAY_IMPORT = {
    "connectors": set(),
    "accounts": {"connectors"},
    "crm_cache": {"connectors", "accounts"},
    "rules": {"connectors", "accounts", "crm_cache"},
    "config": {"connectors", "accounts", "crm_cache", "rules"},
}
FRAMEWORKS = {"django", "rest_framework", "celery", "drf_spectacular", "redis", "psycopg", "environ"}
KNOWS_DJANGO = ("connectors/apps.py", "connectors/checks.py", "connectors/management/")
KNOWS_REQUESTS = tuple(f"connectors/{name}.py" for name in ("http", "deadline", "auth", "ssrf_guard"))
MAY_NAME_CRMS = ("connectors/registry.py", "connectors/sandbox/", "config/demo/", "tests/")
LONGEST = 500


def sources(*apps: str) -> Iterator[tuple[str, ast.Module]]:
    for app in apps or APPS:
        for path in sorted((HOUSE / app).rglob("*.py")):
            name = str(path.relative_to(HOUSE))
            if "/migrations/" not in name:
                yield name, ast.parse(path.read_text())


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


def test_no_import_goes_upward():
    upward = [
        f"{name} imports {module}"
        for name, tree in sources()
        for module in imported(tree)
        if (top := module.split(".")[0]) in APPS and top != (app := name.split("/")[0])
        if top not in MAY_IMPORT[app]
    ]
    assert upward == []


def test_connectors_know_no_framework():
    frameworks = [
        f"{name} imports {module}"
        for name, tree in sources("connectors")
        for module in imported(tree)
        if module.split(".")[0] in FRAMEWORKS and not name.startswith(KNOWS_DJANGO)
    ]
    assert frameworks == []


def test_there_is_one_door_to_the_network():
    http_clients = [
        f"{name} imports {module}"
        for name, tree in sources()
        for module in imported(tree)
        if module.split(".")[0] in {"requests", "urllib3", "httpx", "aiohttp"} and name not in KNOWS_REQUESTS
        if not name.startswith("config/demo/")
    ]
    assert http_clients == []


def test_a_crm_knows_neither_another_crm_nor_a_sandbox():
    strangers = [
        f"{name} imports {module}"
        for name, tree in sources("connectors")
        for kind in CONNECTORS
        if name.startswith(f"connectors/{kind}/")
        for module in imported(tree)
        if module.startswith("connectors.") and module.split(".")[1] in {*CONNECTORS, "sandbox"} - {kind}
    ]
    assert strangers == []


def test_a_sandbox_knows_nothing_of_ours():
    ours = [
        f"{name} imports {module}"
        for name, tree in sources("connectors")
        if name.startswith("connectors/sandbox/")
        for module in imported(tree)
        if module.split(".")[0] in APPS and not module.startswith("connectors.sandbox")
    ]
    assert ours == []


def test_a_crm_is_named_only_where_it_may_be():
    named = [
        f"{name}:{node.lineno} says {node.value!r}"
        for name, tree in sources()
        if not name.startswith(MAY_NAME_CRMS) and not name.endswith("urls.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in CONNECTORS
        if f"/{node.value}" not in name
    ]
    assert named == []


def test_no_module_is_longer_than_500_lines():
    long = [
        f"{path.relative_to(HOUSE)} has {lines}"
        for folder in (*APPS, "tests")
        for path in (HOUSE / folder).rglob("*.py")
        if "/migrations/" not in str(path) and (lines := len(path.read_text().splitlines())) > LONGEST
    ]
    assert long == []


def test_no_sandbox_imports_in_a_circle():
    """Types that only a checker reads are left out; what a function imports counts."""
    trees = {
        name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): tree
        for name, tree in sources("connectors")
        if name.startswith("connectors/sandbox/")
    }
    graph = {
        name: {module if module in trees else module.rpartition(".")[0] for module in _run_imports(tree)}
        for name, tree in trees.items()
    }
    while leaves := {name for name, needs in graph.items() if not needs & (graph.keys() - {name})}:
        graph = {name: needs for name, needs in graph.items() if name not in leaves}
    assert sorted(graph) == []


def _run_imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        return
    if isinstance(node, ast.ImportFrom):
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from _run_imports(child)


def test_every_local_crm_has_ports_of_its_own(settings):
    taken = [settings.SANDBOX_PORTS[0]]
    for kind in SANDBOXES:
        first = sandbox_class(kind).base_port
        taken += range(first, first + PORTS_EACH)
    assert len(taken) == len(set(taken))
    assert max(taken) + 10 * PORTS_EACH <= settings.SANDBOX_PORTS[1]
