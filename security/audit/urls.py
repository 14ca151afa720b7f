"""Routes under `/v1/`."""

from security.access.routing import record_routes
from security.audit.views import AuditLogViewSet

urlpatterns = record_routes("audit-logs", AuditLogViewSet)
