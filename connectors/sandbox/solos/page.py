"""What a browser sees of an account: its leads and its projects, and one lead by its number."""

from __future__ import annotations

from connectors.sandbox.core import Reply, Request
from connectors.sandbox.page import COLUMNS, document, lead_row, table, text
from connectors.sandbox.solos.ledger import ledger
from connectors.sandbox.solos.model import Account, Project

SHOWN = 200
PROJECT_COLUMNS = (
    "Project",
    "Funnel / step",
    "Responsible",
    "Price",
    "Fields",
    "Events, money, goods, lists",
)


def vendor_page(status: int) -> Reply:
    return Reply.html(status, document("solOS CRM", "<p>У каждого клиента свой адрес.</p>"))


def account_page(account: Account, request: Request) -> Reply:
    parts = [part for part in request.path.split("/") if part]
    rows = list(ledger(account))
    if parts:
        rows = [row for row in rows if parts == ["leads", str(row["id"])]]
        if request.method != "GET" or not rows:
            return Reply.html(404, document("solOS CRM", "<p>Страница не найдена.</p>"))
        return Reply.html(200, document(f"Лид {rows[0]['id']}", table(COLUMNS, map(lead_row, rows))))
    projects = list(account.projects.values())[: -SHOWN - 1 : -1]
    content = "<h2>Лиды</h2>" + table(COLUMNS, map(lead_row, rows[: -SHOWN - 1 : -1]))
    content += "<h2>Проекты</h2>" + table(PROJECT_COLUMNS, (_project(account, one) for one in projects))
    return Reply.html(200, document(f"{account.host}: лиды и проекты", content))


def _project(account: Account, project: Project) -> list[str]:
    row = project.built_in
    step = account.steps.get(row["sales_funnel_id"], {}).get(row["step_id"])
    counts = (
        f"{kind}: {len(account.of_project(kind, project.id))}"
        for kind in ("actions", "payments", "goods", "checklists")
    )
    fields = "<br>".join(f"{text(key)}: {text(value)}" for key, value in project.data.items() if value)
    return [
        f"{project.id}{' <small>deleted</small>' if project.deleted else ''}",
        f"{text(account.funnels.get(row['sales_funnel_id']))}<br>{text(step)}",
        text(account.users.get(row["user_id"])),
        text(row["price"]),
        fields,
        ", ".join(counts),
    ]
