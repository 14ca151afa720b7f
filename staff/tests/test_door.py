"""The door of admin pages: for superusers, rendered inside, recorded, closed by errors."""

import logging
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpResponse
from django.template.response import SimpleTemplateResponse
from django.test import RequestFactory

from accounts.models import Membership, User
from clients.models import Client
from security.admin.door import through_door
from tests.team_records import make_record


def request_of(user: User) -> Any:
    """Return a request as the middleware leaves it."""
    request: Any = RequestFactory().get("/admin/")
    request.user, request.request_id, request.client_ip = user, "request-1", "192.0.2.7"
    return request


def setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [f"app.{name}"])
        return str(cursor.fetchone()[0])


@pytest.mark.parametrize(
    "rights", [{}, {"is_staff": True}, {"is_superuser": True, "is_active": False}]
)
def test_the_door_is_for_active_superusers(db: None, rights: dict[str, bool]) -> None:
    user = User.objects.create(email="someone@example.com", **rights)
    with pytest.raises(PermissionDenied):
        through_door(request_of(user), "test", lambda request: HttpResponse())


def test_templates_are_rendered_inside(staff: User, alice: Membership) -> None:
    make_record(Client, alice)
    seen: list[bool] = []

    class Page(SimpleTemplateResponse):
        @property
        def rendered_content(self) -> Any:
            seen.append(Client.objects.exists())
            return ""

    through_door(request_of(staff), "test", lambda request: Page([]))
    assert seen == [True]
    assert not Client.objects.exists()


def test_what_is_written_inside_is_staffs(staff: User) -> None:
    names = ("actor_kind", "actor_id", "actor_label", "request_id", "ip_address")
    found: list[str] = []

    def page(request: Any) -> HttpResponse:
        found.extend(map(setting, names))
        return HttpResponse()

    through_door(request_of(staff), "test", page)
    assert found == ["staff", str(staff.pk), "staff@example.com", "request-1", "192.0.2.7"]


def test_an_error_closes_the_door(staff: User, alice: Membership) -> None:
    make_record(Client, alice)

    def fail(request: Any) -> HttpResponse:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        through_door(request_of(staff), "test", fail)
    assert not Client.objects.exists()


def test_the_record_takes_no_line_of_a_strangers(
    as_staff: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="security.access.all_teams"):
        as_staff.get("/admin/clients/client/x%0Dforged/change/")
    (message,) = [r.getMessage() for r in caplog.records if r.name == "security.access.all_teams"]
    assert "\r" not in message
