"""CRMs that are opened by keys: no consent page, the owner copies them out of the CRM's settings."""

from __future__ import annotations

from typing import ClassVar

from config.demo.browser import Browser
from config.demo.environment import Environment
from config.demo.http import tell
from config.demo.scenario import Scenario
from config.demo.service import QuizService

REQUESTS_PER_SECOND = 20  # ours to choose, as neither vendor names a limit, and nobody is to wait here


class KeyScenario(Scenario):
    """``settings_page`` is the local CRM's operation that shows the keys, named as our API wants them."""

    means = "with a key at"
    lists = ("users", "pipelines", "steps", "fields")
    settings_page: ClassVar[str]

    def variables(self, environment: Environment) -> dict[str, str]:
        return {f"{self.kind.upper()}_REQUESTS_PER_SECOND": str(REQUESTS_PER_SECOND)}

    def connecting(self, environment: Environment) -> dict[str, str]:
        address = f"http://{environment.sandbox_host}:{self.www_port + 1}"
        return {"base_url": address, **tell(environment.control_url, self.kind, self.settings_page)}

    def connect(self, environment: Environment, service: QuizService, browser: Browser) -> str:
        """Connected at once, or refused; the address."""
        body = self.connecting(environment)
        service.post(f"{self.prefix}/account", body)
        return body["base_url"]
