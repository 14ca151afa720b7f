"""Routes under `/v1/`."""

from security.api_keys.views import ApiKeyViewSet
from security.routing import record_routes

urlpatterns = record_routes("api-keys", ApiKeyViewSet)
