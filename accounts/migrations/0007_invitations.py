import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import crm.db.ids
from crm.db.audit import AuditTrail
from crm.db.operations import TeamIsolation

# The one invitation whose token somebody holds, before the team is known: by the token's hash, and
# none without the setting.
HELD_INVITATION = """
CREATE POLICY by_token ON accounts_invitation FOR SELECT
 USING (token_hash = (SELECT nullif(current_setting('app.invitation_token_hash', true), '')))
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_devices"),
    ]

    operations = [
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=crm.db.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("email", models.EmailField(editable=False, max_length=254)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("admin", "admin"),
                            ("manager", "manager"),
                            ("agent", "agent"),
                            ("data_entry", "data entry"),
                        ],
                        editable=False,
                        max_length=16,
                    ),
                ),
                (
                    "token_hash",
                    models.CharField(editable=False, max_length=64, null=True, unique=True),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("sent_at", models.DateTimeField(editable=False, null=True)),
                ("expires_at", models.DateTimeField(editable=False)),
                ("accepted_at", models.DateTimeField(editable=False, null=True)),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
                (
                    "accepted_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "invited_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.team",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(
                        models.F("team"),
                        models.F("created_at"),
                        models.F("id"),
                        name="accounts_invitation_list_idx",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("accepted_at", None), ("revoked_at", None)),
                        fields=("team", "email"),
                        name="accounts_invitation_newest",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("token_hash", None),
                            ("token_hash__regex", "^[0-9a-f]{64}$"),
                            _connector="OR",
                        ),
                        name="accounts_invitation_token_is_hashed",
                    ),
                ],
            },
        ),
        TeamIsolation("accounts_invitation"),
        migrations.RunSQL(
            sql=HELD_INVITATION, reverse_sql="DROP POLICY by_token ON accounts_invitation"
        ),
        AuditTrail("accounts_invitation", "invitations", ["token_hash"]),
    ]
