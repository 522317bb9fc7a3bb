"""Which path is answered by what. A path is known by its pattern: numbers and uids taken out."""

from __future__ import annotations

import re
from collections.abc import Callable

from connectors.sandbox.amocrm import (
    cards,
    complex,
    directory,
    extras,
    fields,
    hooks,
    incoming,
    tasks,
    writes,
)
from connectors.sandbox.amocrm.hal import Call
from connectors.sandbox.amocrm.model import KINDS
from connectors.sandbox.core import Reply

Handler = Callable[[Call], Reply]
# Families of paths that the vendor documents and this stand-in does not have; beside them every path that
# begins as one of the table's.
ELSEWHERE = {
    "bots", "calls", "catalogs", "chats", "files", "inbox", "products", "roles", "salesbot", "segments",
    "short_links", "sources", "talks", "website_buttons", "widgets",
}  # fmt: skip
_UID = re.compile(r"[0-9a-f]{60}")

# {kind} stands for leads, contacts, companies and customers
TABLE: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/account", directory.account),
    ("GET", "/users", directory.users),
    ("GET", "/users/{id}", directory.user),
    ("GET", "/leads/pipelines", directory.pipelines),
    ("GET", "/leads/pipelines/{id}", directory.pipeline),
    ("GET", "/leads/pipelines/{id}/statuses", directory.statuses),
    ("GET", "/leads/pipelines/{id}/statuses/{id}", directory.status),
    ("GET", "/leads/loss_reasons", directory.loss_reasons),
    ("POST", "/leads/complex", complex.add),
    ("GET", "/leads/unsorted", incoming.listing),
    ("POST", "/leads/unsorted", incoming.not_here),
    ("POST", "/leads/unsorted/forms", incoming.add_forms),
    ("GET", "/leads/unsorted/summary", incoming.summary),
    ("GET", "/leads/unsorted/{uid}", incoming.one),
    ("POST", "/leads/unsorted/{uid}/accept", incoming.accept),
    ("DELETE", "/leads/unsorted/{uid}/decline", incoming.decline),
    ("POST", "/leads/unsorted/{uid}/link", incoming.link_chat),
    ("PATCH", "/customers/mode", writes.customers_mode),
    ("GET", "/events", extras.events),
    ("GET", "/tasks", tasks.listing),
    ("POST", "/tasks", tasks.add),
    ("GET", "/tasks/{id}", tasks.one),
    ("GET", "/catalogs", directory.nothing),
    ("GET", "/webhooks", hooks.listing),
    ("POST", "/webhooks", hooks.subscribe),
    ("DELETE", "/webhooks", hooks.unsubscribe),
    ("GET", "/{kind}", cards.listing),
    ("POST", "/{kind}", writes.add),
    ("PATCH", "/{kind}", writes.change_many),
    ("GET", "/{kind}/{id}", cards.one),
    ("PATCH", "/{kind}/{id}", writes.change_one),
    ("DELETE", "/{kind}/{id}", cards.no_delete),
    ("GET", "/{kind}/notes", extras.all_notes),
    ("POST", "/{kind}/notes", extras.add_notes),
    ("GET", "/{kind}/{id}/notes", extras.notes),
    ("POST", "/{kind}/{id}/notes", extras.add_notes),
    ("GET", "/{kind}/{id}/notes/{id}", extras.note),
    ("GET", "/{kind}/links", extras.links),
    ("POST", "/{kind}/link", extras.link),
    ("POST", "/{kind}/unlink", extras.unlink),
    ("GET", "/{kind}/{id}/links", extras.links),
    ("POST", "/{kind}/{id}/link", extras.link),
    ("POST", "/{kind}/{id}/unlink", extras.unlink),
    ("GET", "/{kind}/tags", directory.tags),
    ("POST", "/{kind}/tags", directory.add_tags),
    ("GET", "/{kind}/custom_fields", fields.listing),
    ("POST", "/{kind}/custom_fields", fields.add),
    ("GET", "/{kind}/custom_fields/groups", fields.groups),
    ("GET", "/{kind}/custom_fields/{id}", fields.one),
    ("PATCH", "/{kind}/custom_fields/{id}", fields.change),
    ("DELETE", "/{kind}/custom_fields/{id}", fields.delete),
)


def _expand() -> dict[str, dict[str, tuple[Handler, str]]]:
    routes: dict[str, dict[str, tuple[Handler, str]]] = {}
    for method, path, handler in TABLE:
        for kind in KINDS if "{kind}" in path else (path.split("/")[1],):
            pattern = "/api/v4" + path.replace("{kind}", kind)
            routes.setdefault(pattern, {})[method] = (handler, kind)
    return routes


ROUTES = _expand()


FAMILIES = ELSEWHERE | {path.split("/")[1] for _, path, _ in TABLE} - {"{kind}"} | set(KINDS)


def is_documented(path: str) -> bool:
    """Does the vendor document paths that begin like this one?"""
    family = path.removeprefix("/api/v4").strip("/").partition("/")[0]
    return path.startswith("/api/v4/") and family in FAMILIES


def pattern_of(path: str) -> tuple[str, list[int], str]:
    """/api/v4/leads/15/notes -> (/api/v4/leads/{id}/notes, [15], "")"""
    ids, uid, parts = [], "", []
    for part in path.rstrip("/").split("/"):
        if part.isdigit():
            ids.append(int(part))
            part = "{id}"
        elif _UID.fullmatch(part):
            uid, part = part, "{uid}"
        parts.append(part)
    return "/".join(parts), ids, uid
