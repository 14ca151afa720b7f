"""Routes under `/v1/`."""

from security.audit.views import AuditLogViewSet
from security.routing import record_routes

urlpatterns = record_routes("audit-logs", AuditLogViewSet)
