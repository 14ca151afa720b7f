"""Writes of people outside the views of their team, as the audit trail names them."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest
from rest_framework.request import Request

from accounts.models import User
from crm.db.tenancy import context
from security.request.actors import ActorKind
from security.request.context import in_context


@contextmanager
def acting_user(request: Request | HttpRequest, user: User) -> Iterator[None]:
    """Run a block in a transaction whose writes the audit trail ascribes to a person."""
    arrived = in_context(request)
    with context(
        actor_kind=ActorKind.USER,
        actor_id=str(user.pk),
        actor_label=user.email,
        request_id=arrived.request_id,
        ip_address=arrived.client_ip,
    ):
        yield
