"""The list of URLs: the contract's and our operations at the root, staff under /admin/."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.http import require_safe
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts.rest.views import JsonWhateverIsAsked
from config.errors import root
from config.health import healthz, readyz
from config.metrics import metrics

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"

# It has no page for an error, so whatever is asked for is this page.
docs = SpectacularSwaggerSplitView.as_view(
    url_name="schema", template_name="docs.html", content_negotiation_class=JsonWhateverIsAsked
)

urlpatterns = [
    path("", root),
    path("", include("accounts.urls")),
    path("", include("crm_cache.urls")),
    path("", include("rules.urls")),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", require_safe(docs)),
    path("admin/language", set_language, name="set_language"),
    path("admin/", admin.site.urls),
]
