"""The project's routes and the bare view that sets the limit."""

from django.urls import path

from benchmarks.bare import bare_clients
from crm.urls import urlpatterns as project_patterns

urlpatterns = [path("bare/clients", bare_clients), *project_patterns]
