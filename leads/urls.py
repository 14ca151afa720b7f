"""Routes under `/v1/`."""

from leads.views import LeadViewSet
from security.access.routing import record_routes

urlpatterns = record_routes("leads", LeadViewSet)
