"""Registrations at the same moment, with real threads and transactions."""

from collections import Counter

import pytest

from accounts.models import Membership, Team, User
from accounts.registration import register as flow
from accounts.tests.conftest import ChangeEnv
from accounts.tests.factories import make_invitation
from conftest import ApiClient
from crm.tests.job_queue import queued_jobs
from tests.threads import at_once

SIXTEEN = 16
BODY = {"email": "new@example.com", "firstName": "Nora", "lastName": "Nilsson"}
pytestmark = pytest.mark.django_db(transaction=True)


def register(number: int, **fields: object) -> int:
    body = {**BODY, "password": f"Another-Horse-Battery-{number}", **fields}
    return int(ApiClient().post_json("/v1/auth/register", body).status_code)


def test_of_sixteen_registrations_of_an_address_one_makes_it(change_env: ChangeEnv) -> None:
    change_env(flow, allow_registration=True)
    assert Counter(at_once(SIXTEEN, register)) == {201: SIXTEEN}
    assert [model.objects.count() for model in (User, Team, Membership)] == [1, 1, 1]
    told = queued_jobs().count("accounts.jobs.mail_already_registered")
    assert told == SIXTEEN - 1


def test_of_sixteen_registrations_by_one_invitation_one_joins(alice: Membership) -> None:
    _, token = make_invitation(alice, "new@example.com")

    def join(number: int) -> int:
        return register(number, invitationToken=token)

    # Who comes late finds the address taken, or the invitation used.
    assert set(at_once(SIXTEEN, join)) <= {201, 400}
    assert Membership.objects.filter(team=alice.team).count() == 2
    assert User.objects.count() == 2
