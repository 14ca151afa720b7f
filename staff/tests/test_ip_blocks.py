"""Blocked addresses in the staff admin: superusers block, look and unblock."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import make_user
from security.events.types import EventType
from security.ip_blocks.models import IpBlock
from security.ip_blocks.services import block_network
from security.tests.events import stored_events
from staff.tests.admin_browser import admin_browser
from staff.tests.admin_calls import page, run_action, text_of

LIST, ADD = "security_ipblock_changelist", "security_ipblock_add"
FORM = {"network": "203.0.113.0/24", "hours": "24", "reason": "Guesses passwords."}


def listed(browser: Any, **parameters: str) -> list[str]:
    return [str(block) for block in browser.get(page(LIST), parameters).context["cl"].result_list]


def test_a_superuser_blocks_for_a_time(as_staff: Any) -> None:
    assert as_staff.post(page(ADD), FORM).status_code == 302
    block = IpBlock.objects.get()
    assert (block.network, block.reason) == ("203.0.113.0/24", "Guesses passwords.")
    assert block.blocked_by == "staff@example.com"
    until = block.blocked_until
    assert until is not None
    assert timedelta(hours=23) < until - timezone.now() <= timedelta(hours=24)
    (event,) = stored_events(EventType.ADDRESS_BLOCKED)
    assert (event.actor_kind, event.actor_label) == ("staff", "staff@example.com")
    assert (event.user_id, event.team_id) == (None, None)
    assert event.metadata["network"] == "203.0.113.0/24"


def test_a_block_is_prolonged_by_adding_it_again(as_staff: Any) -> None:
    as_staff.post(page(ADD), FORM)
    answer = as_staff.post(page(ADD), FORM | {"hours": "", "reason": "For good."}, follow=True)
    assert "was added successfully" in text_of(answer)
    block = IpBlock.objects.get()
    assert (block.blocked_until, block.reason) == (None, "For good.")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "garbage"}, "Not an IP address or network"),
        ({"network": "127.0.0.1"}, "never blocked"),
        ({"network": "0.0.0.0/0"}, "too wide"),
        ({"network": ""}, "This field is required"),
        ({"hours": "2"}, "not one of the available choices"),
    ],
)
def test_what_must_not_be_blocked_is_refused_at_its_field(
    as_staff: Any, changes: dict[str, str], message: str
) -> None:
    answer = as_staff.post(page(ADD), FORM | changes)
    assert (answer.status_code, IpBlock.objects.count()) == (200, 0)
    assert message in text_of(answer)


def test_nobody_blocks_the_address_they_work_from(as_staff: Any) -> None:
    answer = as_staff.post(page(ADD), FORM, REMOTE_ADDR="203.0.113.9")
    assert "this would block yourself" in text_of(answer)
    assert not IpBlock.objects.exists()


def test_blocks_are_found_by_what_they_hold(as_staff: Any) -> None:
    block_network("203.0.113.0/24", by="rule spraying")
    block_network("2001:db8:1:2::/64", by="honeypot", duration=timedelta(hours=1))
    block_network("198.51.100.1", by="honeypot", duration=timedelta(seconds=-1))
    assert listed(as_staff, q="203.0.113.77") == ["203.0.113.0/24"]
    assert listed(as_staff, q=" 2001:db8:1:2::5 ") == ["2001:db8:1:2::/64"]
    assert listed(as_staff, q="192.0.2.1") == []
    assert listed(as_staff, q="honeypot", state="active") == ["2001:db8:1:2::/64"]
    assert listed(as_staff, state="over") == ["198.51.100.1/32"]
    assert len(listed(as_staff)) == 3


def test_a_block_is_looked_at_and_lifted(as_staff: Any) -> None:
    block = block_network("203.0.113.7", by="honeypot", reason="scanning")
    detail = as_staff.get(page("security_ipblock_change", block.pk))
    assert "203.0.113.7/32" in text_of(detail)
    assert 'name="_save"' not in text_of(detail)
    answer = as_staff.post(page("security_ipblock_delete", block.pk), {"post": "yes"})
    assert (answer.status_code, IpBlock.objects.count()) == (302, 0)
    (event,) = stored_events(EventType.ADDRESS_UNBLOCKED)
    assert event.metadata["by"] == "staff@example.com"


def test_several_are_lifted_at_once(as_staff: Any) -> None:
    blocks = [block_network(f"203.0.113.{number}", by="rule") for number in range(3)]
    run_action(as_staff, "security_ipblock", "delete_selected", *blocks[:2], post="yes")
    assert [str(block) for block in IpBlock.objects.all()] == ["203.0.113.2/32"]
    assert len(stored_events(EventType.ADDRESS_UNBLOCKED)) == 2


@pytest.fixture
def helper(db: None) -> User:
    helper = make_user("helper@example.com", is_staff=True)
    helper.user_permissions.set(Permission.objects.all())
    return helper


def test_staff_who_are_no_superusers_neither_see_nor_block(helper: User) -> None:
    block = block_network("203.0.113.7", by="rule")
    browser = admin_browser(helper)
    pages = [page(LIST), page(ADD), page("security_ipblock_change", block.pk)]
    assert [browser.get(path).status_code for path in pages] == [403] * 3
    assert browser.post(page(ADD), FORM).status_code == 403
    lifted = browser.post(page("security_ipblock_delete", block.pk), {"post": "yes"})
    assert (lifted.status_code, IpBlock.objects.count()) == (403, 1)
