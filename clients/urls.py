"""Routes under `/v1/`."""

from clients.views import ClientViewSet
from security.access.routing import record_routes

urlpatterns = record_routes("clients", ClientViewSet)
