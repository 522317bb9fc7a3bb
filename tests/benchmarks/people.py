"""Many leads for an amoCRM account with many contacts: the first walk of these, and a backlog beside it.

A third of the people are contacts there already, spelled as people spell; every second visitor leaves an
e-mail, too. The CRM keeps to its real limit, of which ours is the usual part. The backlog is worked off
twice by the same service: with a search for each person, and with the directory.
"""

from __future__ import annotations

import json
from typing import Any

from config.demo.report import table
from tests.benchmarks.backlog import LIMIT, Run, pile_up, work_off
from tests.benchmarks.ground import Figures, Ground, a_visit, machine, options, say, the_ground

SECONDS = 1800
KNOWN = "8 (916) {:07d}"
NEW = 1_000_000  # numbers of people whom the CRM does not know


def main(arguments: list[str]) -> Figures:
    parser = options("People of an amoCRM account: searched for, and from a directory.", 3000)
    before = "before the first lead: %(default)s, or a third of the leads where these are more"
    parser.add_argument("--contacts", type=int, default=10_000, help=before)
    parser.add_argument("--searched", type=int, default=200, help="leads by searches (%(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes (%(default)s)")
    chosen = parser.parse_args(arguments)
    rows, figures = [], Figures()
    for name, leads in (("a search a person", chosen.searched), ("directory", chosen.answers)):
        with the_ground("amocrm", CONTACT_DIRECTORY=str(name == "directory")) as ground:
            ground.rest()
            known = leads // 3
            contacts = max(chosen.contacts, known)
            ground.tell("import_contacts", count=known, phone=KNOWN)
            ground.tell("import_contacts", count=contacts - known, first=0, phone="+7 800 {:07d}")
            walk = walked(ground, chosen.latency) if name == "directory" else None
            run = Run(leads, workers=chosen.workers)
            rows.append(measured(ground, name, run, chosen.latency, contacts))
            if walk:
                figures.append((f"first walk of {contacts} contacts", walk))
        figures.append(
            (f"backlog of {leads} answers, {name}", f"{rows[-1][2]} leads/s, {rows[-1][7]} refused")
        )
    head = ("", "leads", "leads/s", "requests/s", f"of {LIMIT:g}/s", "requests a lead", "doubled", "429")
    setting = f"A CRM that takes {chosen.latency:g} s, {contacts} contacts; {machine()}"
    say(f"\n{setting}\n\n{table(head, rows)}")
    return figures


def walked(ground: Ground, latency: float) -> str:
    """By a process of its own on the run's database."""
    ground.tell("switches", latency=latency)
    ground.tell("journal/clear")
    said = ground.children.run("walk", "-m", "tests.benchmarks.people_walk", seconds=SECONDS)
    seconds, keys, size = json.loads(said.splitlines()[-1])
    requests = ground.journal()["total"]
    ground.tell("switches", latency=0)
    told = f"{seconds:.0f} s, {requests / seconds:.1f} requests/s, {size / keys:.0f} bytes a key"
    say(f"walk: {told}")
    return told


def measured(ground: Ground, name: str, run: Run, latency: float, contacts: int) -> tuple[str, ...]:
    leads = run.answers
    pile_up(ground, run, a_visitor)
    ground.tell("switches", latency=latency)
    ground.tell("journal/clear")
    work_off(ground, run)
    requests, refused = run.journal["total"], run.journal["statuses"].get("429", 0)
    new = ground.tell("state")["counts"]["contacts"] - contacts
    rate = requests / run.seconds
    say(json.dumps(run.journal["counts"], indent=1))
    return (
        *(name, str(run.leads), f"{leads / run.seconds:.1f}", f"{rate:.2f}", f"{rate / LIMIT:.0%}"),
        *(f"{requests / leads:.3f}", str(new - (leads - leads // 3)), str(refused)),
    )


def a_visitor(number: int) -> dict[str, Any]:
    """Every third is a contact, the others are new."""
    body = {**a_visit(NEW + number if number % 3 else number // 3), "answerID": f"bench-{number}"}
    mail = {"email": f"a{number}@mail.example"} if number % 2 else {}
    return {**body, "contact": {**body["contact"], **mail}}
