"""All routes. Every view declares its permission; tests/test_routes.py walks this."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from crm.api import views as api_views
from crm.env import env
from security.honeypots.views import absent_path

v1_patterns: list[URLPattern | URLResolver] = [
    path("health", api_views.HealthView.as_view(), name="health"),
    path("health/ready", api_views.ReadinessView.as_view(), name="health-ready"),
    path("schema", api_views.SchemaView.as_view(), name="schema"),
    path("docs", api_views.DocsView.as_view(), name="docs"),
    path("auth/", include("accounts.urls")),
    path("team/", include("accounts.team.urls")),
    path("", include("security.api_keys.urls")),
    path("", include("security.audit.urls")),
    path("", include("security.events.urls")),
    path("", include("clients.urls")),
    path("", include("leads.urls")),
]

urlpatterns = [
    path("v1/", include(v1_patterns)),
    path(env.admin_path, admin.site.urls),
    # With DEBUG on, Django's own answer to an unknown path is a page; this one is JSON always.
    re_path(r"", absent_path),
]
