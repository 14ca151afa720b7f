"""One record of every team model, for the tests that go through all of them.

A team model that `VALUES` does not know fails those tests: add its line here with the model.
"""

import json
import uuid
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from psycopg import sql

from accounts.models import Invitation, Membership
from clients.models import Client
from crm.api.naming import camel_case
from crm.db.tenancy import team_context
from leads.models import Lead
from records.models import TeamModel
from security.access.all_teams import all_teams
from security.api_keys.models import ApiKeyUsage
from security.audit.models import AuditEntry, AuditHead, AuditLink
from security.watching.models import Finding

# What a record of the model may hold. Fill every column that a list can be filtered by.
VALUES: dict[type[TeamModel], dict[str, Any]] = {
    Client: {
        "first_name": "Ada",
        "last_name": "Quill",
        "email": "ada@client.example",
        "contact_type": "buyer",
        "status": "active",
        "tags": ["vip"],
    },
    Lead: {
        "first_name": "Ada",
        "last_name": "Quill",
        "email": "ada@lead.example",
        "lead_type": "buyer",
        "lead_status": "new",
        "source": "website",
    },
}
TEAM_MODELS: list[type[TeamModel]] = [
    model for model in apps.get_models() if issubclass(model, TeamModel)
]
TABLES = [model._meta.db_table for model in TEAM_MODELS]
# Written by triggers and the sealer alone: security/tests/test_audit_… hold their isolation.
AUDIT_TABLES = [model._meta.db_table for model in (AuditEntry, AuditLink, AuditHead)]
# Written by counters and rules: security/tests/test_api_key_usage.py and test_watching.py hold
# their isolation.
COUNTING_TABLES = [model._meta.db_table for model in (ApiKeyUsage, Finding)]
# Read by a token as well: accounts/tests/test_invitation_isolation.py.
INVITATION_TABLES = [model._meta.db_table for model in (Invitation,)]
every_team_table = pytest.mark.parametrize("table", TABLES)
# Without what every use of a credential writes.
_ROWS = sql.SQL(
    "SELECT id, (to_jsonb(t) - '{{last_used_at,last_seen_at}}'::text[])::text FROM {table} t"
)


def name_of(model: type[models.Model]) -> str:
    """Return the model's name for the ids of parametrised tests."""
    return model._meta.label


def model_of(table: str) -> type[TeamModel]:
    """Return the team model behind a table."""
    return next(model for model in TEAM_MODELS if model._meta.db_table == table)


def make_record(model: type[TeamModel], member: Membership, **values: Any) -> Any:
    """Return a new record of the member's team, made by the member and looked after by them."""
    values = {"assigned_to_id": member.user_id, **VALUES[model], **values}
    with team_context(member.team_id):
        return model.objects.create(team_id=member.team_id, created_by_id=member.user_id, **values)


def body_of(model: type[TeamModel]) -> dict[str, Any]:
    """Return a body with which the API creates a record of the model."""
    return {camel_case(name): value for name, value in VALUES[model].items()}


def stored_rows(table: str) -> dict[uuid.UUID, dict[str, Any]]:
    """Return every row of a table by id, whichever team's."""
    with (
        all_teams(reason="a test looks", actor_id="", actor_label=""),
        connection.cursor() as cursor,
    ):
        cursor.execute(_ROWS.format(table=sql.Identifier(table)).as_string(None))
        return {pk: json.loads(row) for pk, row in cursor}


def everything_stored() -> dict[str, dict[uuid.UUID, dict[str, Any]]]:
    """Return every row of all teams' records, sessions, memberships, keys and invitations."""
    tables = [model._meta.db_table for model in TEAM_MODELS]
    tables += INVITATION_TABLES
    tables += ["accounts_session", "accounts_membership", "accounts_team", "security_apikey"]
    return {table: stored_rows(table) for table in tables}
