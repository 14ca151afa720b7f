"""Registration: a team of one's own, or the team that invited; and nothing told to strangers."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail

from accounts.models import Invitation, Membership, Session, Team, User
from accounts.registration import register as flow
from accounts.tests.account_calls import mailed_token, mails_to, post, verify
from accounts.tests.calls import code_of, sign_in
from accounts.tests.conftest import ChangeEnv
from accounts.tests.factories import PASSWORD, make_invitation, make_user
from conftest import ApiClient
from crm.db.tenancy import team_context
from crm.tests.job_queue import queued_jobs
from security.access.roles import Role
from security.events.types import EventType
from security.tests.counters import SetRate
from security.tests.events import stored_events, types_of
from tests.plain_sql import fetch_all

PATH = "/v1/auth/register"
NEW = "new@example.com"
NEW_PASSWORD = "Another-Horse-Battery-7"
REFUSED = (400, "VALIDATION_ERROR")
WEAK = (400, "WEAK_PASSWORD")
RunJobs = Callable[[], list[str]]
BODY = {"email": NEW, "password": NEW_PASSWORD, "firstName": "Nora", "lastName": "Nilsson"}


@pytest.fixture
def open_to_all(change_env: ChangeEnv) -> None:
    change_env(flow, allow_registration=True)


def register(**fields: object) -> Any:
    body = {name: value for name, value in {**BODY, **fields}.items() if value is not None}
    return ApiClient().post_json(PATH, body)


def resend(email: str) -> Any:
    return post("resend-verification", {"email": email}).json()


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (User, Team, Membership, Session))


def pending(team: Team) -> int:
    with team_context(team.pk):
        return Invitation.objects.pending().count()


# A team of one's own.


@pytest.mark.usefixtures("open_to_all", "db")
def test_a_stranger_gets_a_team_and_signs_in(run_jobs: RunJobs) -> None:
    answer = register(email=" New@Example.com", teamName="Nilsson Homes")
    member = Membership.objects.get(team__name="Nilsson Homes")
    assert answer.status_code == 201
    assert answer.json()["data"] == {
        "user": {
            "id": str(member.user_id),
            "email": NEW,
            "firstName": "Nora",
            "lastName": "Nilsson",
        }
    }
    assert "Set-Cookie" not in answer.headers
    assert member.user.email_verified_at is None
    assert code_of(sign_in(ApiClient(), NEW, NEW_PASSWORD)) == (403, "EMAIL_NOT_VERIFIED")
    run_jobs()
    assert verify(mailed_token(NEW)).status_code == 200
    signed_in = sign_in(ApiClient(), NEW, NEW_PASSWORD).json()["data"]["user"]
    assert (signed_in["role"], signed_in["team"]["name"]) == ("admin", "Nilsson Homes")
    run_jobs()
    assert mails_to(NEW)[:2] == ["Confirm your email address", "Your account is ready"]
    found = types_of(stored_events(EventType.ACCOUNT_REGISTERED, EventType.MEMBER_ADDED))
    assert found == ["member.added", "account.registered"]


@pytest.mark.usefixtures("open_to_all", "db")
def test_a_team_without_a_name_has_its_makers() -> None:
    assert register(lastName="").status_code == 201
    assert Team.objects.get().name == "Nora's team"


@pytest.mark.usefixtures("open_to_all", "db")
def test_an_honest_name_with_dots_is_taken() -> None:
    answer = register(firstName="J.R.", lastName="St. John", teamName="Dr.No & S\u00f6hne Co. Ltd.")
    assert answer.status_code == 201


@pytest.mark.usefixtures("open_to_all", "db")
def test_a_verification_counts_those_mailed_before(run_jobs: RunJobs, set_rate: SetRate) -> None:
    set_rate("mails_to", "2/30m")
    register()
    for _ in range(3):
        assert resend(NEW) == {"success": True, "data": {"accepted": True}}
    run_jobs()
    assert len(mails_to(NEW)) == 2
    assert verify(mailed_token(NEW)).status_code == 200


@pytest.mark.usefixtures("open_to_all", "db")
def test_the_trail_names_the_new_person() -> None:
    register()
    with team_context(Team.objects.get().pk):
        found = fetch_all("SELECT actor_kind, actor_label, ip_address FROM security_auditentry")
    assert set(found) == {("user", NEW, "127.0.0.1")}


@pytest.mark.usefixtures("db")
def test_outside_development_nobody_makes_a_team_unless_it_is_allowed() -> None:
    assert code_of(register()) == (403, "PERMISSION_DENIED")
    assert counts() == (0, 0, 0, 0)


# By invitation.


def test_who_is_invited_joins_also_where_registration_is_off(
    alice: Membership, run_jobs: RunJobs
) -> None:
    _, token = make_invitation(alice, NEW, Role.MANAGER)
    assert register(invitationToken=token).status_code == 201
    member = Membership.objects.get(user__email=NEW)
    assert (member.team_id, member.role) == (alice.team_id, "manager")
    assert member.user.email_verified_at is not None
    assert Team.objects.count() == 1
    assert sign_in(ApiClient(), NEW, NEW_PASSWORD).status_code == 200
    run_jobs()
    assert [message.subject for message in mail.outbox] == ["Your account is ready"]
    # Once only.
    again = register(invitationToken=token, email="other@example.com")
    assert code_of(again) == REFUSED


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"email": "eve@example.com"}, "invitationToken"),
        ({"invitationToken": "x" * 43}, "invitationToken"),
        ({"teamName": "Mine"}, "teamName"),
        ({"role": "admin"}, "role"),
        ({"teamId": "0"}, "teamId"),
    ],
)
def test_an_invitation_decides_address_team_and_role(
    alice: Membership, fields: dict[str, object], name: str
) -> None:
    _, token = make_invitation(alice, NEW)
    answer = register(**{"invitationToken": token, **fields})
    assert code_of(answer) == REFUSED
    assert list(answer.json()["error"]["details"]) == [name]
    assert counts() == (1, 1, 1, 0)
    assert pending(alice.team) == 1


def test_an_invitation_of_a_dismissed_admin_makes_no_account(alice: Membership) -> None:
    _, token = make_invitation(alice, NEW)
    Membership.objects.filter(pk=alice.pk).update(is_active=False)
    assert code_of(register(invitationToken=token)) == REFUSED
    assert not User.objects.filter(email=NEW).exists()
    assert queued_jobs() == []
    assert stored_events(EventType.ACCOUNT_REGISTERED, EventType.MEMBER_ADDED) == []


# An address that is taken.


def shape_of(answer: Any) -> dict[str, Any]:
    """Return an answer without what differs between any two."""
    body = answer.json()["data"]["user"]
    headers = {name for name in answer.headers if not name.startswith("RateLimit")}
    return {"status": answer.status_code, "headers": headers, "names": list(body)}


@pytest.mark.usefixtures("open_to_all")
@pytest.mark.parametrize("kind", ["known", "inactive", "passwordless"])
def test_an_address_that_is_taken_gets_the_same_answer_and_nothing_is_made(
    alice: Membership, run_jobs: RunJobs, kind: str
) -> None:
    changes: dict[str, dict[str, Any]] = {
        "known": {},
        "inactive": {"is_active": False},
        "passwordless": {"password": "!"},
    }
    User.objects.filter(pk=alice.user_id).update(**changes[kind])
    before, stored = counts(), User.objects.values().get()
    fresh = register(email="fresh@example.com")
    taken = register(email=" ALICE@example.com", teamName="Mine")
    assert shape_of(taken) == shape_of(fresh)
    assert taken.json()["data"]["user"]["email"] == "alice@example.com"
    assert taken.json()["data"]["user"]["id"] != str(alice.user_id)
    assert counts() == (*(number + 1 for number in before[:3]), 0)
    assert User.objects.values().get(pk=alice.user_id) == stored
    run_jobs()
    to_alice = [m for m in mail.outbox if m.to == ["alice@example.com"]]
    assert [m.subject for m in to_alice] == (
        [] if kind == "inactive" else ["You have an account already"]
    )
    (event,) = stored_events(EventType.REGISTRATION_REPEATED)
    assert (event.user_id, event.team_id) == (alice.user_id, alice.team_id)
    assert len(stored_events(EventType.ACCOUNT_REGISTERED, EventType.MEMBER_ADDED)) == 2


@pytest.mark.usefixtures("open_to_all")
@pytest.mark.parametrize("email", [NEW, "alice@example.com"])
@pytest.mark.parametrize("is_invited", [False, True])
def test_a_registration_costs_one_hash(
    alice: Membership, argon2_calls: list[str], email: str, is_invited: bool
) -> None:
    token = make_invitation(alice, email)[1] if is_invited else None
    argon2_calls.clear()
    assert register(email=email, invitationToken=token).status_code == 201
    assert len(argon2_calls) == 1


@pytest.mark.usefixtures("open_to_all", "alice")
def test_the_owner_hears_of_it_once_a_day(run_jobs: RunJobs) -> None:
    for _ in range(3):
        register(email="alice@example.com")
    run_jobs()
    assert len(mail.outbox) == 1


def test_an_invited_address_that_is_taken_keeps_its_invitation(alice: Membership) -> None:
    make_user("known@example.com")
    _, token = make_invitation(alice, "known@example.com")
    assert register(email="known@example.com", invitationToken=token).status_code == 201
    assert Membership.objects.count() == 1
    assert pending(alice.team) == 1
    assert len(stored_events(EventType.SIGN_IN_FAILED)) == 1


def test_who_is_in_no_team_joins_with_the_password_they_have(
    alice: Membership, run_jobs: RunJobs
) -> None:
    user = make_user("known@example.com", first_name="Kim")
    _, token = make_invitation(alice, "known@example.com")
    answer = register(email="known@example.com", password=PASSWORD, invitationToken=token)
    assert answer.status_code == 201
    assert Membership.objects.get(user=user).team == alice.team
    assert User.objects.get(pk=user.pk).first_name == "Kim"
    assert Session.objects.count() == 0
    run_jobs()
    assert mail.outbox == []


# What is refused, whoever has the address.


@pytest.mark.usefixtures("open_to_all", "alice")
@pytest.mark.parametrize("email", [NEW, "alice@example.com"])
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"password": "short"}, WEAK),
        ({"password": "Nora-Nilsson-7"}, WEAK),
        ({"password": "x" * 129}, WEAK),
        ({"password": "x" * 1025}, REFUSED),
        ({"password": None}, REFUSED),
        ({"firstName": ""}, REFUSED),
        ({"firstName": "See http://evil.example"}, REFUSED),
        ({"firstName": "No\u202era"}, REFUSED),
        ({"teamName": "A\nB"}, REFUSED),
        ({"teamName": "Closed, visit evil.com/login"}, REFUSED),
        ({"lastName": "www.evil\u3002com"}, REFUSED),
        ({"lastName": "No\u2028ra"}, REFUSED),
        ({"teamName": ""}, REFUSED),
        ({"isStaff": True}, REFUSED),
        ({"isActive": False}, REFUSED),
        ({"role": "admin"}, REFUSED),
        ({"emailVerifiedAt": "2026-01-01T00:00:00Z"}, REFUSED),
    ],
)
def test_a_bad_form_is_refused_alike(
    email: str, fields: dict[str, object], code: tuple[int, str]
) -> None:
    before = counts()
    assert code_of(register(email=email, **fields)) == code
    assert counts() == before
    assert queued_jobs() == []


@pytest.mark.usefixtures("open_to_all", "db")
@pytest.mark.parametrize(
    "email", ["\u0430lice@example.com", "alice@mailinator.com", "alice", '"a"@example.com']
)
def test_a_bad_address_is_refused(email: str) -> None:
    answer = register(email=email)
    assert code_of(answer) == REFUSED
    assert list(answer.json()["error"]["details"]) == ["email"]


@pytest.mark.usefixtures("open_to_all", "alice")
def test_a_look_alike_spelling_is_the_same_address() -> None:
    before = counts()
    assert register(email="\uff21lice@EXAMPLE.com").status_code == 201
    assert counts() == before
