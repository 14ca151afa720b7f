import django.utils.timezone
from django.db import migrations, models

import crm.db.ids
from crm.db.operations import TeamIsolation

# Which transaction wrote an event: the rules ask for what became visible, not for what is new by
# its time. Events from before have none and are not looked at. Each statement of the rules names
# its type.
NUMBERED = [
    "ALTER TABLE security_event ADD COLUMN transaction_id bigint",
    "ALTER TABLE security_event ALTER COLUMN transaction_id"
    " SET DEFAULT pg_current_xact_id()::text::bigint",
    "CREATE INDEX security_event_transaction_idx ON security_event (event_type, transaction_id)",
]


class Migration(migrations.Migration):
    dependencies = [
        ("security", "0009_audit_verifications"),
    ]

    operations = [
        migrations.CreateModel(
            name="Watermark",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("transaction_id", models.BigIntegerField(default=0)),
                ("looked_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="Finding",
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
                ("rule", models.CharField(max_length=40)),
                ("subject", models.TextField()),
                ("hour", models.DateTimeField(help_text="`happened_at`, cut to the hour.")),
                (
                    "happened_at",
                    models.DateTimeField(help_text="The last of what was counted; a day's begin."),
                ),
                ("team_id", models.UUIDField(null=True)),
                ("user_id", models.UUIDField(null=True)),
                ("count", models.BigIntegerField()),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("mailed_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("team_id"),
                        models.F("mailed_at"),
                        name="security_finding_mailed_idx",
                    ),
                    models.Index(
                        models.F("created_at"),
                        condition=models.Q(("mailed_at", None)),
                        name="security_finding_untold_idx",
                    ),
                    models.Index(models.F("created_at"), name="security_finding_created_idx"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("rule", "subject", "hour", "team_id"),
                        name="security_finding_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        TeamIsolation("security_finding"),
        migrations.RunSQL(
            sql=[*NUMBERED], reverse_sql="ALTER TABLE security_event DROP COLUMN transaction_id"
        ),
    ]
