from __future__ import annotations

import responses

from connectors.draft import Placement
from connectors.envybox.connector import EnvyConnector
from connectors.sandbox.envybox import EnvySandbox
from connectors.sandbox.journal import Entry
from tests.connectors.bridge import serve
from tests.connectors.envybox.florist import ENVY_HOSTS, connect
from tests.connectors.harness import Harness

NO = '{"status_code": 500, "message": "Неверный request"}'
READS = {f"{record}/{verb}" for record in ("lead", "deal", "client") for verb in ("get", "search", "list")}


class EnvyHarness(Harness):
    kind = "envybox"
    creation = r"/lead/(set|workset)"
    tasks = "/deal/updatetask"

    def __init__(self, mocked: responses.RequestsMock) -> None:
        self.box: EnvySandbox = EnvySandbox()
        serve(mocked, self.box, ENVY_HOSTS)
        self.florist = connect(self.box, self.box.add_account("demo7"))

    @property
    def connector(self) -> EnvyConnector:
        return self.florist.connector

    def revoke(self) -> None:
        self.box.revoke(self.florist.crm)

    def move(self, lead_id: str, status: str) -> None:
        self.florist.end(lead_id, status)

    def erase(self, lead_id: str) -> None:
        self.florist.erase(lead_id)

    @property
    def place(self) -> Placement:
        return self.florist.place()

    @property
    def person(self) -> str:
        return str(list(self.florist.crm.employees)[-1])

    def refuse_tasks(self) -> None:
        self.box.faults.add(self.tasks, body=NO, times=None)

    def hide_tasks(self) -> None:
        self.box.faults.add("/deal/getTasks|/task/list", body=NO, times=None)

    def end_task(self, task_id: str) -> None:
        self.florist.control("close_task", id=int(task_id))

    def is_read(self, entry: Entry) -> bool:
        return entry.method == "GET" or entry.route.split(" ")[1] in READS

    def secrets(self) -> list[str]:
        return [self.florist.store.tokens.access]
