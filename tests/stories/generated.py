"""The service as a generated client sees it: code out of our OpenAPI document, requests into this process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

PACKAGE = "generated_quiz_client"
GENERATOR = "openapi-python-client"


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The package that ``openapi-python-client`` writes; it is importable by its name from then on."""
    where = tmp_path_factory.mktemp("client")
    document, settings = where / "openapi.yaml", where / "settings.yaml"
    schema = SchemaGenerator().get_schema(request=None, public=True)
    document.write_bytes(OpenApiYamlRenderer().render(schema, renderer_context={}))
    settings.write_text("post_hooks: []\n")
    made = subprocess.run(
        [
            Path(sys.executable).with_name(GENERATOR),
            "generate",
            *("--path", document, "--config", settings),
            *("--meta", "none", "--output-path", where / PACKAGE),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert "WARNING" not in made.stdout + made.stderr
    sys.path.insert(0, str(where))
    return import_module(PACKAGE)


@pytest.fixture
def client_of(generated: ModuleType) -> Callable[[Client], Any]:
    """The generated client on behalf of somebody who calls our API."""

    def client_of(api: Client) -> Any:
        def answer(request: httpx.Request) -> httpx.Response:
            reply = api.generic(
                request.method,
                request.url.raw_path.decode(),
                request.content,
                request.headers.get("Content-Type", ""),
                headers={"Prefer": request.headers.get("Prefer", "")},
            )
            return httpx.Response(reply.status_code, headers=dict(reply.headers), content=reply.content)

        client = import_module(f"{PACKAGE}.client").Client(base_url="http://testserver")
        return client.set_httpx_client(
            httpx.Client(base_url="http://testserver", transport=httpx.MockTransport(answer))
        )

    return client_of
