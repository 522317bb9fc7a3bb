"""A generated client changes one property of a rule: everything else stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.stories.conftest import QUIZ
from tests.stories.generated import PACKAGE
from tests.stories.test_rule_round_trip import PATHS, SIDES

# Module of the operation, model of its body.
CHANGE = {
    "amocrm": ("api.main.change_quiz_settings", "PatchedRulesReq"),
    "bitrix24": ("api.rules.change_bitrix_rules", "PatchedBitrixRulesReq"),
    "envybox": ("api.rules.change_envybox_rules", "PatchedEnvyboxRulesReq"),
    "solos": ("api.rules.change_solos_rules", "PatchedSolosRulesReq"),
}


@pytest.mark.parametrize("crm", CHANGE)
def test_a_change_leaves_what_it_does_not_name(request, client_of, crm):
    side = request.getfixturevalue(SIDES[crm])
    path = f"{PATHS[crm]}{QUIZ}"
    before = side.api.get(path).json()
    name, model = CHANGE[crm]
    body = getattr(import_module(f"{PACKAGE}.models"), model)(performer_id=0 if crm == "amocrm" else "")

    change = import_module(f"{PACKAGE}.{name}")
    answer = change.sync_detailed(QUIZ, client=client_of(side.api), body=body)
    assert (answer.status_code, answer.parsed) == (200, "Success")
    nobody = 0 if crm == "amocrm" else ""
    assert {**side.api.get(path).json(), "Problems": []} == {
        **before,
        "PerformerID": nobody,
        "Problems": [],
    }


def test_no_body_of_a_patch_has_a_default():
    schema = SchemaGenerator().get_schema(request=None, public=True)
    bodies = {
        path: operations["patch"]["requestBody"]
        for path, operations in schema["paths"].items()
        if "requestBody" in operations.get("patch", {})
    }
    endpoints = "/webhook-endpoints/{endpoint_pk}"
    assert set(bodies) == {*(f"{path}{{quizID}}" for path in PATHS.values()), endpoints}
    assert [at for path, body in bodies.items() for at in defaults(schema, body, path)] == []


def defaults(schema: Mapping[str, Any], part: Any, at: str) -> Iterator[str]:
    """Where ``part``, or what it refers to, names a default."""
    if isinstance(part, list):
        for number, one in enumerate(part):
            yield from defaults(schema, one, f"{at}.{number}")
    if isinstance(part, dict):
        if "default" in part:
            yield at
        if name := str(part.get("$ref", "")).rpartition("/")[2]:
            yield from defaults(schema, schema["components"]["schemas"][name], f"{at}.{name}")
        for key, one in part.items():
            yield from defaults(schema, one, f"{at}.{key}")
