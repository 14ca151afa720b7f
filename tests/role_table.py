"""The table of roles, keys and calls, as the contract has it; written out, not derived."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.db import transaction

from accounts.models import Membership, Session, Team, User
from accounts.passkeys.own_passkeys import begin_registration
from accounts.sessions.tokens import AccessToken
from accounts.tests.authenticator import Authenticator
from accounts.tests.factories import (
    PASSWORD,
    make_device,
    make_invitation,
    make_member,
    make_passkey,
    make_team,
    open_session,
)
from accounts.tests.factors import App
from conftest import ApiClient
from records.models import TeamModel
from security.access.roles import Role
from security.api_keys.services import issue_key
from tests.isolation import list_path
from tests.team_records import TEAM_MODELS, body_of, make_record

# Y: it is done. -: 403. What a key needs on the resource: r(ead), w(rite), d(elete); n: no key may.
# `{…}` stands for the id of a record of the team.
TABLE = """
                                    admin manager agent data_entry key
GET    /v1/auth/me                      Y       Y     Y          Y   n
GET    /v1/auth/verify                  Y       Y     Y          Y   n
POST   /v1/auth/email/change            Y       Y     Y          Y   n
POST   /v1/auth/password/change         Y       Y     Y          Y   n
POST   /v1/auth/switch-team             Y       Y     Y          Y   n
POST   /v1/auth/reauthenticate          Y       Y     Y          Y   n
GET    /v1/auth/2fa                     Y       Y     Y          Y   n
POST   /v1/auth/2fa/setup               Y       Y     Y          Y   n
POST   /v1/auth/2fa/confirm             Y       Y     Y          Y   n
POST   /v1/auth/2fa/backup-codes        Y       Y     Y          Y   n
POST   /v1/auth/2fa/disable             Y       Y     Y          Y   n
GET    /v1/auth/passkeys                Y       Y     Y          Y   n
POST   /v1/auth/passkeys                Y       Y     Y          Y   n
POST   /v1/auth/passkeys/options        Y       Y     Y          Y   n
PATCH  /v1/auth/passkeys/{passkey}      Y       Y     Y          Y   n
DELETE /v1/auth/passkeys/{passkey}      Y       Y     Y          Y   n
POST   /v1/auth/passkeys/reauthenticate/options Y Y   Y          Y   n
POST   /v1/auth/logout-all              Y       Y     Y          Y   n
POST   /v1/auth/accept-invitation       Y       Y     Y          Y   n
GET    /v1/auth/sessions                Y       Y     Y          Y   n
DELETE /v1/auth/sessions/{session}      Y       Y     Y          Y   n
GET    /v1/auth/devices                 Y       Y     Y          Y   n
DELETE /v1/auth/devices/{device}        Y       Y     Y          Y   n
GET    /v1/auth/events                  Y       Y     Y          Y   n
GET    /v1/security/events              Y       -     -          -   n
GET    /v1/api-keys                     Y       -     -          -   n
POST   /v1/api-keys                     Y       -     -          -   n
GET    /v1/api-keys/{key}               Y       -     -          -   n
PATCH  /v1/api-keys/{key}               Y       -     -          -   n
DELETE /v1/api-keys/{key}               Y       -     -          -   n
POST   /v1/api-keys/{key}/rotate        Y       -     -          -   n
GET    /v1/api-keys/{key}/usage         Y       -     -          -   n
GET    /v1/team/members                 Y       Y     -          -   n
GET    /v1/team/members/{member}        Y       Y     -          -   n
PATCH  /v1/team/members/{member}        Y       -     -          -   n
DELETE /v1/team/members/{member}        Y       -     -          -   n
GET    /v1/team/invitations             Y       -     -          -   n
POST   /v1/team/invitations             Y       -     -          -   n
DELETE /v1/team/invitations/{invitation} Y      -     -          -   n
GET    /v1/audit-logs                   Y       -     -          -   n
GET    /v1/audit-logs/export            Y       -     -          -   n
GET    /v1/clients                      Y       Y     Y          Y   r
POST   /v1/clients                      Y       Y     Y          Y   w
GET    /v1/clients/{client}             Y       Y     Y          Y   r
PUT    /v1/clients/{client}             Y       Y     Y          Y   w
PATCH  /v1/clients/{client}             Y       Y     Y          Y   w
DELETE /v1/clients/{client}             Y       Y     Y          -   d
DELETE /v1/clients/{client}?permanent=true Y    -     -          -   d
GET    /v1/clients/{client}/history     Y       Y     Y          Y   r
POST   /v1/clients/{client}/restore     Y       Y     Y          -   d
GET    /v1/leads                        Y       Y     Y          Y   r
POST   /v1/leads                        Y       Y     Y          Y   w
GET    /v1/leads/{lead}                 Y       Y     Y          Y   r
PUT    /v1/leads/{lead}                 Y       Y     Y          Y   w
PATCH  /v1/leads/{lead}                 Y       Y     Y          Y   w
DELETE /v1/leads/{lead}                 Y       Y     Y          -   d
DELETE /v1/leads/{lead}?permanent=true  Y       -     -          -   d
GET    /v1/leads/{lead}/history         Y       Y     Y          Y   r
POST   /v1/leads/{lead}/restore         Y       Y     Y          -   d
POST   /v1/leads/{lead}/convert         Y       Y     Y          Y   w
"""
# Answered to everybody; a role makes no difference.
PUBLIC = """
GET  /v1/health
GET  /v1/health/ready
GET  /v1/schema
GET  /v1/docs
POST /v1/auth/login
POST /v1/auth/2fa/verify
POST /v1/auth/passkeys/login/options
POST /v1/auth/passkeys/login/verify
POST /v1/auth/register
POST /v1/auth/refresh
POST /v1/auth/logout
POST /v1/auth/verify-email
POST /v1/auth/resend-verification
POST /v1/auth/password/forgot
POST /v1/auth/password/reset
"""
# Every resource of records, by its name in paths. `{client}` stands for the id of a Client.
RECORDS: Mapping[str, type[TeamModel]] = {
    list_path(model).split("/")[2]: model for model in TEAM_MODELS
}
# Ways in which a member loses every right.
WAYS_TO_LEAVE: Mapping[str, Callable[[Membership], Any]] = {
    "removed": lambda member: Membership.objects.filter(pk=member.pk).delete(),
    "suspended": lambda member: Membership.objects.filter(pk=member.pk).update(is_active=False),
    "deactivated": lambda member: User.objects.filter(pk=member.user_id).update(is_active=False),
    "team closed": lambda member: Team.objects.filter(pk=member.team_id).update(is_active=False),
}


class Row(NamedTuple):
    """One call and what each role, and a key, may expect."""

    method: str
    path: str
    admin: str
    manager: str
    agent: str
    data_entry: str
    key: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def allows(self, role: Role) -> bool:
        """Tell whether the table allows the call to the role."""
        return bool(getattr(self, role.value) == "Y")

    @property
    def resource(self) -> str:
        """The name of the resource in scopes."""
        return self.path.split("/")[2]


ROWS = [Row(*line.split()) for line in TABLE.strip().splitlines()[1:]]


class Stage(NamedTuple):
    """A member of a role, and what the paths of the table name."""

    member: Membership
    session: Session
    ids: dict[str, object]

    @property
    def client(self) -> ApiClient:
        """A client signed in as the member."""
        token = AccessToken.for_session(self.session, team_id=self.member.team_id)
        return ApiClient(f"Bearer {token}")


def set_stage(owner: Membership, role: Role) -> Stage:
    """Return a member with a record of each kind made by another member of the team."""
    member = make_member(owner.team, "member@example.com", role)
    issued = issue_key(team_id=owner.team_id, owner_id=owner.user_id, name="Key", scopes={})
    host = make_member(make_team("Elsewhere"), "host@example.com", Role.ADMIN)
    ids = {
        "invitation": make_invitation(owner, "invited@example.com")[0].pk,
        "token": make_invitation(host, member.user.email)[1],
        "key": issued.api_key.pk,
        "session": open_session(member).pk,
        "member": make_member(owner.team, "colleague@example.com").pk,
        "device": make_device(member.user).pk,
        "passkey": make_passkey(member.user).pk,
        **{model.__name__.lower(): make_record(model, owner).pk for model in RECORDS.values()},
    }
    return Stage(member, open_session(member), ids)


def body_for(row: Row, stage: Stage) -> dict[str, Any]:
    """Return a body with which the call succeeds."""
    if row.path in BODIES:
        return BODIES[row.path](stage)
    if row.resource in RECORDS and row.path.count("/") < 4:
        return body_of(RECORDS[row.resource])
    return {}


def _with_app(stage: Stage) -> dict[str, Any]:
    App(stage.member.user)
    return {}


def _with_new_passkey(stage: Stage) -> dict[str, Any]:
    options = begin_registration(user_id=stage.member.user_id)
    return {"credential": Authenticator().create(options)}


# What the calls about people need to be sent, and to find.
BODIES: Mapping[str, Callable[[Stage], dict[str, Any]]] = {
    "/v1/auth/switch-team": lambda stage: {"teamId": str(stage.member.team_id)},
    "/v1/auth/reauthenticate": lambda _: {"password": PASSWORD},
    "/v1/auth/accept-invitation": lambda stage: {"token": stage.ids["token"]},
    "/v1/team/invitations": lambda _: {"email": "new@example.com", "role": "agent"},
    "/v1/auth/passkeys": _with_new_passkey,
    "/v1/auth/passkeys/{passkey}": lambda _: {"name": "Renamed"},
    "/v1/auth/2fa/confirm": lambda stage: {"code": App(stage.member.user, confirmed=False).code()},
    "/v1/auth/2fa/backup-codes": _with_app,
    "/v1/auth/2fa/disable": _with_app,
    "/v1/auth/email/change": lambda _: {"newEmail": "new@example.com"},
    "/v1/auth/password/change": lambda _: {
        "currentPassword": PASSWORD,
        "newPassword": "Another-Horse-Battery-7",
    },
    "/v1/api-keys": lambda _: {"name": "New", "scopes": {"clients": ["read"]}},
}


def call(client: ApiClient, row: Row, stage: Stage) -> Any:
    """Make the call of the row."""
    data = "" if row.method in {"GET", "DELETE"} else json.dumps(body_for(row, stage))
    path = row.path.format(**stage.ids)
    return client.generic(row.method, path, data, content_type="application/json")


def try_call(client: ApiClient, row: Row, stage: Stage) -> Any:
    """Make the call and take back what it did, so that the next one finds the same stage."""
    # No atomic block: flows that must commit refuse to run inside one.
    before = transaction.savepoint()
    response = call(client, row, stage)
    transaction.savepoint_rollback(before)
    return response


def code_of(response: Any) -> str:
    """Return the error's code; OK for a success."""
    if response.streaming:
        return "OK"
    return str(response.json().get("error", {}).get("code", "OK"))
