"""A backlog of one Bitrix24 portal against its real limit, and the same leads by two public clients.

Every other answer names a company, which makes three records and not two (``--companies 0``: none does);
every second has an e-mail beside the phone, and a third are of contacts that the portal has, in another
spelling (``--known 0``: none is).
Nobody gains by the 50 requests that a rested portal takes at once: its bucket is filled before each of the
three begins, and our own pace is set without a burst (``BITRIX24_BURST=1``), as is that of fast-bitrix24.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from config.demo.http import ask
from config.demo.report import table
from connectors.bitrix24.client import Command, request_of
from tests.benchmarks import bitrix24_clients as clients
from tests.benchmarks.backlog import MOST_ENTRIES, Run, pile_up, work_off
from tests.benchmarks.ground import Figures, Ground, a_visit, machine, options, say, the_ground

LIMIT = 2.0  # requests/s that drain from a portal's bucket
FULL = 50  # commands that a request may carry
BUSY = 503  # QUERY_LIMIT_EXCEEDED
JSON = {"Content-Type": "application/json"}
KNOWN = "8 (916) {:07d}"  # of whom the portal knows already
HEAD = (
    *("", "leads", "leads/s", "requests/s", f"of {LIMIT:g}/s", "commands a request", "commands/s"),
    *(f"of {LIMIT * FULL:g}/s", "requests a lead", "too many"),
)

Visit = Callable[[int], dict[str, Any]]


@dataclass(frozen=True)
class Measured:
    """What a portal saw of one client; requests and commands are those that it admitted."""

    name: str
    leads: int
    seconds: float
    requests: int
    commands: int
    refused: int

    def row(self) -> tuple[str, ...]:
        limiter, each = self.requests / self.seconds, self.commands / self.requests
        return (
            *(self.name, str(self.leads), f"{self.leads / self.seconds:.2f}"),
            *(f"{limiter:.2f}", f"{limiter / LIMIT:.1%}", f"{each:.1f}"),
            *(f"{limiter * each:.1f}", f"{limiter * each / LIMIT / FULL:.1%}"),
            *(f"{self.requests / self.leads:.3f}", str(self.refused)),
        )


def main(arguments: list[str]) -> Figures:
    parser = options("A backlog of one Bitrix24 portal, beside two public clients.", 500)
    parser.set_defaults(crm="bitrix24")
    parser.add_argument("--command", type=float, default=0.02, help="seconds a command takes (%(default)s)")
    parser.add_argument("--one-by-one", type=int, default=60, help="leads for b24pysdk (%(default)s)")
    parser.add_argument("--burst", type=int, default=1, help="ours (%(default)s); more finds a rested portal")
    words = "every how many answers names a company, 0: none (%(default)s)"
    parser.add_argument("--companies", type=int, default=2, help=words)
    words = "every how many answers is of a contact of the portal, 0: none (%(default)s)"
    parser.add_argument("--known", type=int, default=3, help=words)
    parser.add_argument("--alone", action="store_true", help="without the public clients")
    chosen = parser.parse_args(arguments)
    known = range(chosen.known, chosen.answers + 1, chosen.known) if chosen.known else range(0)
    make = partial(make_contacts, numbers=known or [0])
    with the_ground("bitrix24", make, BITRIX24_BURST=str(chosen.burst)) as ground:
        visit = partial(a_visit_of, companies=chosen.companies)
        bench = Bench(ground, chosen.latency, chosen.command, visit, rested=chosen.burst > 1)
        run = Run(chosen.answers)
        pile_up(ground, run, visit)
        rows = [bench.measure("this service", lambda: bench.ours(run, len(known)))]
        if not chosen.alone:
            fast = partial(bench.by, clients.fast_bitrix24, chosen.answers)
            rows.append(bench.measure("fast-bitrix24", fast))
            slow = partial(bench.by, clients.b24pysdk, chosen.one_by_one)
            rows.append(bench.measure("b24pysdk, one by one", slow))
        say(report(rows, bench, run))
        return figures(rows, run)


def a_visit_of(number: int, companies: int) -> dict[str, Any]:
    """A usual answer; one of so many comes with a company, every second with an e-mail."""
    body = a_visit(number)
    company = {"company": f"ООО «Ромашка {number}»"} if companies and number // 2 % companies == 0 else {}
    mail = {"email": f"anna{number}@mail.example"} if number % 2 else {}
    return {**body, "contact": {**body["contact"], **company, **mail}}


def make_contacts(ground: Ground, numbers: Sequence[int]) -> None:
    """Whom the portal knows before it is connected."""
    hook = hook_of(ground)
    fields = [{"NAME": "Анна", "PHONE": [{"VALUE": KNOWN.format(number)}]} for number in numbers]
    for start in range(0, len(fields), FULL):
        commands = [Command("crm.contact.add", {"fields": one}) for one in fields[start : start + FULL]]
        path, body = request_of(commands)
        status = BUSY
        while status == BUSY:
            status = ask("POST", hook + path.strip("/"), json.dumps(body).encode(), JSON).status
        if status != 200:
            raise RuntimeError(f"The portal answered {status}")


def hook_of(ground: Ground) -> str:
    """Where public clients call the portal."""
    named = ground.scenario.connecting(ground.environment) or {}
    return f"{named['client_bitrix_url']}/rest/{ground.tell('webhook')['webhook']}/"


class Bench:
    """One portal, for one client after the other."""

    def __init__(self, ground: Ground, latency: float, command: float, visit: Visit, *, rested: bool) -> None:
        self.ground, self.latency, self.command, self.rested = ground, latency, command, rested
        self.visit = visit
        self.hook = hook_of(ground)

    def measure(self, name: str, work: Callable[[], int]) -> Measured:
        """From the first request to the end of the last one, by the portal's clock."""
        say(name)
        if not self.rested:
            self.fill_the_bucket()
        self.ground.tell("switches", latency=self.latency, latency_per_command=self.command)
        self.ground.tell("journal/clear")
        leads = work()
        entries = [e for e in self.ground.journal(MOST_ENTRIES)["entries"] if e["path"].startswith("/rest/")]
        admitted = [entry for entry in entries if entry["status"] != BUSY]
        counts = [commands_in(entry) for entry in admitted]
        ended = admitted[-1]["at"] + self.latency + self.command * counts[-1]
        refused = len(entries) - len(admitted)
        measured = Measured(name, leads, ended - entries[0]["at"], len(admitted), sum(counts), refused)
        say(f"  {', '.join(measured.row()[1:])}")
        return measured

    def fill_the_bucket(self) -> None:
        """Until the portal says that it is too much."""
        self.ground.tell("switches", latency=0, latency_per_command=0)
        while ask("POST", f"{self.hook}scope").status != BUSY:
            pass

    def ours(self, run: Run, known: int) -> int:
        """Says how many people came to be there twice."""
        before = self.ground.tell("state")["counts"]["contact"]
        work_off(self.ground, run)
        self.ground.rest()
        made = self.ground.tell("state")["counts"]["contact"] - before
        say(f"  {made - (run.answers - known)} people are doubled")
        return run.leads

    def by(self, client: Callable[[str, list[dict[str, Any]]], None], number: int) -> int:
        """Leads of a public client; says how many came to the wrong person."""
        ledger = len(self.ground.ledger())
        client(self.hook, [self.visit(one)["contact"] for one in range(1, number + 1)])
        deals = self.ground.ledger()[ledger:]
        strangers = sum(deal["contact"] is None or deal["contact"]["name"] != deal["name"] for deal in deals)
        say(f"  {strangers} of {len(deals)} deals are linked to somebody else")
        return len(deals)


def commands_in(entry: dict[str, Any]) -> int:
    return len(json.loads(entry["body"])["cmd"]) if entry["route"].endswith("/batch") else 1


def figures(rows: list[Measured], run: Run) -> Figures:
    each = [f"{one.name} {one.leads / one.seconds:.1f}" for one in rows[1:]]
    ours = rows[0]
    share = ours.requests / ours.seconds / LIMIT
    return [
        (
            f"backlog of {run.answers} answers of one Bitrix24 portal",
            f"{ours.leads / ours.seconds:.1f} leads/s, {share:.0%} of the limit of {LIMIT:g} requests/s, "
            f"{ours.refused} refused" + (f" (leads/s of {', '.join(each)})" if each else ""),
        )
    ]


def report(rows: list[Measured], bench: Bench, run: Run) -> str:
    words = (
        f"a portal that takes {bench.latency:g} s a request and {bench.command:g} s a command; {machine()}"
    )
    memory = ", ".join(f"{moment} {mib:.0f} MiB" for moment, mib in run.memory.items())
    return (
        f"\nBacklog of one Bitrix24 portal: {words}\n\n{table(HEAD, [one.row() for one in rows])}\n\n{memory}"
    )
