"""Routes under `/v1/`."""

from django.urls import path

from security.events.views import OwnEventViewSet, TeamEventViewSet

urlpatterns = [
    path("security/events", TeamEventViewSet.as_view({"get": "list"}), name="security-events"),
    path("auth/events", OwnEventViewSet.as_view({"get": "list"}), name="auth-events"),
]
