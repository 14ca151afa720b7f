"""Routes under `/v1/`."""

from security.access.routing import record_routes
from security.api_keys.views import ApiKeyViewSet

urlpatterns = record_routes("api-keys", ApiKeyViewSet)
