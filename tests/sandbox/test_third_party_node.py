"""Public clients for Node run against the sandboxes, unmodified: other languages serialise otherwise.

npm fetches them once, they are kept below ``.local``; without Node, or without a registry, this is skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.sandbox.bitrix_words import leads

NODE, NPM = shutil.which("node"), shutil.which("npm")
PACKAGES = ("@shevernitskiy/amo@0.1.12", "@bitrix24/b24jssdk@2.2.0")
SCRIPTS = Path(__file__).parent / "node"
FETCHED_WITHIN = 120  # seconds


@pytest.fixture(scope="module")
def packages() -> Path:
    if not NODE or not NPM:
        pytest.skip("there is no Node on this machine")
    home = Path(settings.BASE_DIR) / ".local" / "node" / "-".join(PACKAGES).replace("/", "-")
    if not (home / "fetched").exists():
        home.mkdir(parents=True, exist_ok=True)
        (home / "package.json").write_text('{"private": true}')
        try:
            done = subprocess.run(
                [NPM, "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES],
                cwd=home, capture_output=True, text=True, timeout=FETCHED_WITHIN,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            pytest.skip("npm reaches no registry")
        if done.returncode:
            pytest.skip(f"npm reaches no registry: {done.stderr.strip()[-200:]}")
        (home / "fetched").touch()
    return home


def run(packages: Path, script: str, address: str, story: dict[str, Any]) -> Any:
    outside = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    done = subprocess.run(
        [str(NODE), "--import", str(SCRIPTS / "local.mjs"), str(SCRIPTS / script)],
        env=outside
        | {"PACKAGES": f"{packages}/", "LOCAL_CRM": address.rstrip("/"), "STORY": json.dumps(story)},
        capture_output=True, text=True, timeout=90,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_amo_makes_finds_and_changes_a_lead(packages, hub, amo):
    amo.clock.thaw()
    amo.clock.reset()
    served, ours = hub.add_account(amo, "served"), amo.integration
    code = amo.tokens.new_code(served.id, served.admin.id, ours.client_id, amo.clock.now())
    served.installed.add(ours.client_id)
    told = run(
        packages, "amo.mjs", hub.url(served.port),
        {
            "code": code.text, "redirect": ours.redirect_uri,
            "client": {"id": ours.client_id, "secret": ours.client_secret},
        },
    )  # fmt: skip
    made = told["made"]
    assert told["account"] == served.id
    assert told["listed"] == [[made["id"], 5, made["contact_id"]]]
    assert told["found"] == [made["contact_id"]]
    assert told["pipelines"] == ["Воронка", "Квизы"]
    assert told["fields"] == len(served.fields["leads"].by_id)
    assert told["users"] == len(served.users)
    assert told["notes"] == ["Ответы"]
    assert (told["nothing"], told["refused"]) == ("204", 400)  # as its classes of errors read them


def test_b24jssdk_calls_batches_and_lists(packages, over_http, portal, bx):
    leads(bx, 123)
    secret = portal.add_webhook().split("/")
    told = run(packages, "bitrix24.mjs", over_http, {"user": int(secret[0]), "secret": secret[1]})
    deal = portal.deals[told["made"]["deal"]]
    assert (deal["TITLE"], deal.people) == ("Квиз & ответ", [told["made"]["person"]])
    assert told["listed"] == told["streamed"] == 123
    assert told["items"] == [{"id": told["made"]["deal"], "title": "Квиз & ответ"}]
    assert told["profile"] == secret[0]
    assert told["refused"] == "ERROR_METHOD_NOT_FOUND"
