"""What no page of the admin sends is refused with a page, and is no fault of the server's."""

import pytest
from django.test import Client

from accounts.models import Membership
from staff.tests.admin_calls import page, text_of

LISTS = ["accounts_user", "accounts_team", "accounts_membership", "clients_client"]
YEARS = ["0", "99999", "9" * 30]


@pytest.mark.parametrize("name", LISTS)
def test_an_action_on_what_is_no_id_is_refused(as_staff: Client, name: str) -> None:
    body = {"action": "delete_selected", "_selected_action": "not-an-id", "post": "yes"}
    assert as_staff.post(page(f"{name}_changelist"), body).status_code in {302, 400}


@pytest.mark.parametrize("query", ["q=%00", "role__exact=%00", "%00=1"])
def test_a_nul_in_the_address_is_refused(as_staff: Client, alice: Membership, query: str) -> None:
    answer = as_staff.get(f"{page('accounts_membership_changelist')}?{query}")
    assert answer.status_code == 400
    assert "The request is not valid." in text_of(answer)
    assert as_staff.get("/admin/accounts/lockout/%00/change/").status_code == 400


@pytest.mark.parametrize("name", ["security_auditentry", "security_securityevent"])
@pytest.mark.parametrize("year", YEARS)
def test_a_year_that_never_was_is_refused(as_staff: Client, name: str, year: str) -> None:
    answer = as_staff.get(f"{page(f'{name}_changelist')}?created_at__year={year}")
    assert answer.status_code == 400
