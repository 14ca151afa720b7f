"""Invitations of all teams in the staff admin."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Invitation, Membership
from accounts.tests.factories import make_invitation, make_user
from crm.db.tenancy import team_context
from security.events.types import EventType
from security.tests.events import stored_events
from staff.tests.admin_browser import admin_browser
from staff.tests.admin_calls import page, run_action, text_of

LIST = "accounts_invitation_changelist"


def test_a_superuser_looks_at_invitations_and_changes_none(
    as_staff: Any, alice: Membership, mallory: Membership
) -> None:
    first, _ = make_invitation(alice, "a@example.com")
    make_invitation(mallory, "m@example.com", revoked_at=timezone.now())
    answer = as_staff.get(page(LIST))
    assert [row.email for row in answer.context["cl"].result_list] == [
        "m@example.com",
        "a@example.com",
    ]
    pending = as_staff.get(page(LIST), {"status": "pending"})
    assert [row.email for row in pending.context["cl"].result_list] == ["a@example.com"]
    detail = text_of(as_staff.get(page("accounts_invitation_change", first.pk)))
    assert "Harbor Realty" in detail
    assert str(first.token_hash) not in detail
    for path in (page("accounts_invitation_add"), page("accounts_invitation_delete", first.pk)):
        assert as_staff.post(path, {"post": "yes"}).status_code == 403
    guess = as_staff.get(page(LIST), {"token_hash__startswith": "0"})
    assert guess.status_code in {302, 400}


def test_a_superuser_revokes_what_is_pending(as_staff: Any, alice: Membership) -> None:
    pending, _ = make_invitation(alice, "a@example.com")
    accepted, _ = make_invitation(alice, "b@example.com", accepted_at=timezone.now())
    run_action(as_staff, "accounts_invitation", "revoke_selected", pending, accepted)
    with team_context(alice.team_id):
        revoked = Invitation.objects.filter(revoked_at__isnull=False)
        assert [row.pk for row in revoked] == [pending.pk]
    (event,) = stored_events(EventType.INVITATION_REVOKED)
    assert (event.actor_label, event.team_id) == ("staff@example.com", alice.team_id)


@pytest.mark.usefixtures("alice")
def test_staff_who_are_no_superusers_see_none() -> None:
    browser = admin_browser(make_user("helper@example.com", is_staff=True))
    assert browser.get(page(LIST)).status_code == 403
