"""Addresses of filtered lists, so that a number on one page opens the rows it counts."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

FILTERS = {
    "state": "state__exact",
    "because": "held_because__exact",
    "account": "account__id__exact",
    "status": "status__exact",
    "crm": "account__crm__exact",
}


def deliveries_url(**chosen: Any) -> str:
    """The list of deliveries in a ``state``, held ``because`` of something, of an ``account``."""
    return _list("rules_delivery", _filters(chosen))


def outcomes_url(**chosen: Any) -> str:
    """The list of outcomes: of a ``quiz`` of a ``quiz_account``, in a ``status``, of a ``crm``."""
    return _list("rules_outcome", _filters(chosen))


def of_account(model: str, account_id: int) -> str:
    """A list (``crm_cache_tag``) of one account."""
    return _list(model, {"account__id__exact": account_id})


def accounts_url(**chosen: Any) -> str:
    return _list("accounts_account", chosen)


def with_badge(text: str, test: bool) -> SafeString | str:
    """A row's name in a list; tests are told from what customers sent."""
    return format_html('{} <span class="desk-mark-test">{}</span>', text, _("test")) if test else text


def page(model: str, pk: Any) -> str:
    return reverse(f"admin:{model}_change", args=[pk])


def _filters(chosen: dict[str, Any]) -> dict[str, Any]:
    return {FILTERS.get(name, name): value for name, value in chosen.items()}


def _list(model: str, chosen: dict[str, Any]) -> str:
    url = reverse(f"admin:{model}_changelist")
    return f"{url}?{urlencode(chosen)}" if chosen else url
