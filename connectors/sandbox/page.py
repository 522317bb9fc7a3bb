"""The plain pages: an index of the sandboxes, and the leads that one of them holds."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connectors.sandbox.core import Sandbox

STYLE = """body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:76rem;
padding:0 1rem;color:#222}
h1{font-size:1.4rem}table{border-collapse:collapse;width:100%}
th,td{border-bottom:1px solid #ddd;padding:.45rem .6rem;text-align:left;vertical-align:top}
th{background:#f5f5f5;font-weight:600}small{color:#666}
.tag{background:#eef;border-radius:3px;padding:0 .35rem}
pre{white-space:pre-wrap;margin:0;font:inherit}
dl{margin:0}dt{float:left;clear:left;color:#666;margin-right:.4rem}
dd{margin:0}label{display:block;margin:.6rem 0}button{font:inherit;padding:.3rem 1rem;margin-right:.6rem}"""

SHOWN = 200


def document(title: str, content: str) -> str:
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f"<!doctype html><html><head>{head}</head><body><h1>{escape(title)}</h1>{content}</body></html>"


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Cells are HTML already: escape what comes from outside."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def text(value: Any) -> str:
    return "" if value is None else escape(str(value))


def _pairs(values: dict[str, Any]) -> str:
    shown = (f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in values.items() if value)
    return f"<dl>{''.join(shown)}</dl>"


def lead_row(lead: dict[str, Any]) -> list[str]:
    """One ledger row; every sandbox's ledger has these keys, missing ones are left blank."""
    tags = " ".join(f'<span class="tag">{text(tag)}</span>' for tag in lead.get("tags") or ())
    notes = "".join(f"<pre>{text(note)}</pre>" for note in lead.get("notes") or ())
    contact, company = lead.get("contact") or {}, lead.get("company") or {}
    return [
        f"{text(lead.get('id'))}<br><small>{text(lead.get('account'))}</small>",
        text(lead.get("name")),
        f"{text(lead.get('pipeline'))}<br>{text(lead.get('step'))}",
        text(lead.get("responsible")),
        _pairs(contact) + _pairs(company),
        tags,
        _pairs(lead.get("fields") or {}),
        notes,
    ]


COLUMNS = ("Lead", "Name", "Pipeline / step", "Responsible", "Contact, company", "Tags", "Fields", "Notes")


def ledger_page(sandbox: Sandbox) -> str:
    with sandbox.lock:
        leads = sandbox.ledger()
    newest = leads[::-1][:SHOWN]
    note = f"<p>{len(leads)} leads; the newest {len(newest)} are shown. Nothing here is a real CRM.</p>"
    return document(f"{sandbox.title}: leads", note + table(COLUMNS, map(lead_row, newest)))


def index_page(rows: Iterable[dict[str, Any]]) -> str:
    cells = (
        [
            f'<a href="/{text(row["kind"])}">{text(row["title"])}</a>',
            f'<a href="{text(row["www"])}">{text(row["www"])}</a>',
            "<br>".join(f"{text(name)}: {text(url)}" for name, url in row["accounts"]),
            text(row["requests"]),
        ]
        for row in rows
    )
    return document("Local CRMs", table(("CRM", "Consent host", "Accounts", "Requests"), cells))
