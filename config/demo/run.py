"""The demo itself, over HTTP only: connect, sync, save rules, post answers, wait, read back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from config.demo.answers import ANSWERS, REPEATED
from config.demo.browser import Browser
from config.demo.children import Children
from config.demo.environment import Environment
from config.demo.errors import DemoFailed
from config.demo.scenario import Chosen, Scenario
from config.demo.service import QuizService
from config.demo.verify import Verification, read_back
from config.openapi.quiz import QUIZ_ID

SYNC_SECONDS = 40
QUIET_SECONDS = 1.0
DELIVERY_SECONDS = 60
ASK_EVERY = 0.25  # seconds: each question costs the service that is shown some of its time
NEWS_SECONDS = 60  # looks at the new leads come first, and all looks have a tenth of the limit
Say = Callable[[str], None]


class Run:
    """One quiz account and its quiz, in every CRM that takes part."""

    def __init__(
        self,
        environment: Environment,
        children: Children,
        service: QuizService,
        scenarios: Sequence[Scenario],
        say: Say,
    ) -> None:
        self.environment, self.children, self.service, self.say = environment, children, service, say
        self.scenarios = scenarios
        self.chosen: dict[str, Chosen] = {}

    def play(self) -> list[Verification]:
        self.prepare()
        self.post(ANSWERS)
        self.repeat(REPEATED)
        self.wait_for(len(ANSWERS) * len(self.scenarios))
        return self.verify(ANSWERS)

    def prepare(self) -> None:
        """Every CRM connected, mirrored, and with a rule that is ready."""
        for scenario in self.scenarios:
            link = scenario.connect(self.environment, self.service, Browser())
            self.say(f"{scenario.label}: connected {scenario.means} {link.partition('?')[0]}")
        for scenario in self.scenarios:
            self.sync(scenario)
        for scenario in self.scenarios:
            self.chosen[scenario.kind] = scenario.save_rule(self.service)
        for scenario in self.scenarios:
            self.finish_rule(scenario)

    def sync(self, scenario: Scenario) -> None:
        """Nothing says that a sync is complete: it is once every list has rows and none grows any more."""
        seen: list[tuple[float, dict[str, int]]] = []

        def settled() -> bool:
            counts = scenario.counts(self.service)
            if not seen or seen[-1][1] != counts:
                seen.append((time.monotonic(), counts))
            return all(counts.values()) and time.monotonic() - seen[-1][0] > QUIET_SECONDS

        self.children.wait(settled, SYNC_SECONDS, f"the lists of {scenario.label}", ASK_EVERY)
        rows = ", ".join(f"{count} {what}" for what, count in seen[-1][1].items())
        self.say(f"{scenario.label}: read {rows}")

    def finish_rule(self, scenario: Scenario) -> None:
        what = f"the fields of {scenario.label}"
        self.children.wait(lambda: not scenario.fields_wanted(self.service), SYNC_SECONDS, what, ASK_EVERY)
        chosen = self.chosen[scenario.kind]
        self.say(f"{scenario.label}: rule saved for quiz {QUIZ_ID}: {chosen}")

    def post(self, answers: Sequence[dict[str, Any]]) -> None:
        for answer in answers:
            reply = self.service.call("POST", "/answers", answer)
            planned = len(reply.json()["deliveries"])
            if (reply.status, planned) != (202, len(self.scenarios)):
                raise DemoFailed(f"Answer {answer['answerID']}: status {reply.status}, {planned} deliveries.")
        self.say(f"Quiz service: {len(answers)} answers accepted")

    def repeat(self, answer: dict[str, Any]) -> None:
        """What a quiz service does after a timeout: the same answer again."""
        reply = self.service.call("POST", "/answers", answer)
        if reply.status != 200:
            raise DemoFailed(f"The repeat of {answer['answerID']} was answered {reply.status}, not 200.")
        self.say(f"Quiz service: {answer['answerID']} sent once more, answered as known")

    def wait_for(self, expected: int) -> None:
        """Until all is delivered; what is not by then, the verification will tell."""
        try:
            self.children.wait(
                lambda: self.delivered() >= expected, DELIVERY_SECONDS, "the deliveries", ASK_EVERY
            )
        except DemoFailed:
            self.children.check()

    def delivered(self) -> int:
        return self.service.count("/deliveries", quizID=QUIZ_ID, state="delivered")

    def verify(self, answers: Sequence[dict[str, Any]]) -> list[Verification]:
        return [
            read_back(self.environment.control_url, self.service, one, self.chosen[one.kind], answers)
            for one in self.scenarios
        ]

    def sell(self, verifications: Sequence[Verification]) -> None:
        """A manager wins a lead in each CRM that tells of it; our outcomes must soon say the same."""
        for verification in verifications:
            if verification.scenario.tells:
                self.win(verification.scenario, verification.arrivals[0].delivery)

    def win(self, crm: Scenario, delivery: dict[str, Any]) -> None:
        begun, lead = time.monotonic(), delivery["leadID"]
        crm.win(self.environment, self.service, lead)
        what = f"what became of {crm.label}'s lead"
        self.children.wait(lambda: self.outcome(delivery)["status"] == "won", NEWS_SECONDS, what, ASK_EVERY)
        took, amount = time.monotonic() - begun, self.outcome(delivery)["amount"]
        self.say(f"{crm.label}: lead {lead} was won there for {amount}, known here {took:.1f} s later")

    def outcome(self, delivery: dict[str, Any]) -> dict[str, Any]:
        return dict(self.service.get(f"/deliveries/{delivery['id']}")["outcome"])
