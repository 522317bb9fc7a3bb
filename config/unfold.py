"""How the admin looks and what its sidebar leads to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.texts import say

Text = str | Promise  # a title, translated when it is shown


def may_view(model: str) -> Callable[[HttpRequest], bool]:
    """Does this person see ``rules.delivery`` in the sidebar?"""
    app, _, name = model.partition(".")
    return lambda request: bool(request.user.has_perm(f"{app}.view_{name}"))


def entry(title: Text, icon: str, model: str) -> dict[str, Any]:
    link = reverse_lazy(f"admin:{model.replace('.', '_')}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": may_view(model)}


def is_open(part: str, but: tuple[str, ...]) -> Callable[[HttpRequest], bool]:
    """Is this one of an entry's pages, though not those that have an entry of their own?"""
    return lambda request: part in request.path and not any(one in request.path for one in but)


def group(title: Text, *items: dict[str, Any], collapsible: bool = False) -> dict[str, Any]:
    return {"title": title, "separator": True, "collapsible": collapsible, "items": list(items)}


def zone(request: HttpRequest) -> str:
    """Under the name of the site: which zone its times are in."""
    return say("Times: {zone}", zone=timezone.get_current_timezone_name())


NAVIGATION = [
    {
        "title": "",
        "items": [
            {"title": _("What is going on"), "icon": "monitoring", "link": reverse_lazy("admin:index")},
            entry(_("Incidents"), "e911_emergency", "rules.incident"),
            {
                **entry(_("Reports"), "bar_chart", "rules.outcome"),
                "link": reverse_lazy("admin:rules_outcome_reports"),
            },
        ],
    },
    group(
        _("Answers into leads"),
        entry(_("Deliveries"), "local_shipping", "rules.delivery"),
        {
            **entry(_("Outcomes"), "trophy", "rules.outcome"),
            "active": is_open("/outcome/", ("/conversion/", "/reports/")),
        },
        {
            **entry(_("Conversion"), "percent", "rules.outcome"),
            "link": reverse_lazy("admin:rules_outcome_conversion"),
        },
        entry(_("Answers"), "quiz", "rules.answer"),
        entry(_("Rules"), "rule", "rules.rule"),
        {
            **entry(_("Reconciliations"), "balance", "rules.reconciliation"),
            "active": lambda request: "/reconciliation/" in request.path or "/finding/" in request.path,
        },
        entry(_("Bulk runs"), "library_add_check", "rules.bulkrun"),
    ),
    group(
        _("CRMs"),
        entry(_("Accounts"), "hub", "accounts.account"),
        entry(_("Sync runs"), "sync", "crm_cache.syncrun"),
    ),
    group(_("Quiz platform"), entry(_("Webhook endpoints"), "webhook", "accounts.webhookendpoint")),
    group(
        _("Cached lists"),
        entry(_("Users"), "group", "crm_cache.crmuser"),
        entry(_("Pipelines"), "filter_alt", "crm_cache.pipeline"),
        entry(_("Steps"), "stairs", "crm_cache.step"),
        entry(_("Fields"), "list_alt", "crm_cache.field"),
        entry(_("Tags"), "sell", "crm_cache.tag"),
        collapsible=True,
    ),
    group(
        _("Staff"),
        entry(_("Who did what"), "history", "admin.logentry"),
        entry(_("Forgotten people"), "person_remove", "rules.erasure"),
        entry(_("People"), "badge", "auth.user"),
        entry(_("Groups"), "shield_person", "auth.group"),
        entry(_("Failed log-ins"), "lock", "axes.accessattempt"),
        collapsible=True,
    ),
]

UNFOLD = {
    "SITE_TITLE": "Quiz → CRM",
    "SITE_HEADER": "Quiz → CRM",
    "SITE_SUBHEADER": zone,
    "SITE_SYMBOL": "conversion_path",
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "SHOW_LANGUAGES": True,
    "DASHBOARD_CALLBACK": "rules.admin.dashboard.show",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("desk/icon.svg")}
    ],
    "SCRIPTS": [
        lambda request: static("desk/copy.js"),
        lambda request: static("desk/keys.js"),
        lambda request: static("desk/once.js"),
    ],
    "STYLES": [lambda request: static("desk/desk.css")],
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        }
    },
    "COMMAND": {"search_models": False, "search_callback": "rules.admin.search.find"},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": NAVIGATION,
    },
}
