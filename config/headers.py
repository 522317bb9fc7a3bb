"""What every answer tells a browser: what it may load and run, who may frame it, and that nothing is kept.

The strictest policy is everybody's; the pages that need more have one of their own, which was measured in a
browser (``tests/hostile/test_browser.py``). An answer that brings its own headers keeps them.
"""

from __future__ import annotations

from csp.constants import HEADER, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.http import HttpRequest
from django.http.response import HttpResponseBase

DATA = "data:"
# For whatever is no page: JSON, words, files, redirects.
NOTHING = {"default-src": [NONE], "base-uri": [NONE], "form-action": [NONE], "frame-ancestors": [NONE]}
PAGE = {
    **NOTHING,
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF],
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
}
PAGES: dict[str, dict[str, list[str]]] = {
    # The theme's Alpine evaluates the attributes of its templates; the theme writes its colours, htmx its
    # indicator and Alpine its widths as inline styles.
    "/admin/": {**PAGE, "script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]},
    # Swagger UI has pictures in its style sheet.
    "/docs": {**PAGE, "img-src": [SELF, DATA]},
}
ALWAYS = {
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}


STRICTEST = build_policy(config=NOTHING)  # once: it is most of what this costs


class SecurityHeaders(CSPMiddleware):
    """The outermost middleware, so that redirects, files and errors have the headers too."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.get("Content-Type", "").startswith("text/html"):
            response = super().process_response(request, response)
        else:
            response.headers.setdefault(HEADER, STRICTEST)
        for name, value in ALWAYS.items():
            response.headers.setdefault(name, value)
        return response

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts: PolicyParts = super().get_policy_parts(request, response, report_only)
        if not report_only and parts.config is None:
            mine = (policy for start, policy in PAGES.items() if request.path_info.startswith(start))
            parts.config = next(mine, None)  # None leaves the strictest one
        return parts
