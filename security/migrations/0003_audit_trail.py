from django.db import migrations, models

import crm.db.ids
from crm.db.audit import AppendOnly, AuditFunctions, AuditTrail
from crm.db.operations import TeamIsolation


class Migration(migrations.Migration):
    dependencies = [
        ("security", "0002_counters"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                ("team_id", models.UUIDField(primary_key=True, serialize=False)),
                ("position", models.BigIntegerField()),
                ("hash", models.BinaryField()),
                (
                    "transaction_id",
                    models.BigIntegerField(help_text="Of the last entry, with `number`."),
                ),
                ("number", models.BigIntegerField()),
                ("pruned_position", models.BigIntegerField(default=0)),
                ("pruned_hash", models.BinaryField()),
                ("key_id", models.TextField()),
                ("signature", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="AuditEntry",
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
                (
                    "number",
                    models.BigIntegerField(editable=False, help_text="Counted up by the database."),
                ),
                ("team_id", models.UUIDField()),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("create", "Create"),
                            ("update", "Update"),
                            ("delete", "Delete"),
                            ("restore", "Restore"),
                            ("convert", "Convert"),
                            ("revoke", "Revoke"),
                            ("purge", "Purge"),
                            ("prune", "Prune"),
                            ("erase", "Erase"),
                        ],
                        max_length=16,
                    ),
                ),
                ("resource_type", models.CharField(max_length=40)),
                ("resource_id", models.UUIDField()),
                ("old_values", models.JSONField(null=True)),
                ("new_values", models.JSONField(null=True)),
                ("actor_kind", models.TextField()),
                ("actor_id", models.TextField(default="")),
                ("actor_label", models.TextField(default="")),
                ("request_id", models.TextField(default="")),
                ("ip_address", models.TextField(default="")),
                ("created_at", models.DateTimeField()),
                ("transaction_id", models.BigIntegerField(editable=False)),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit trail",
                "ordering": ["-created_at", "-id"],
                "indexes": [
                    models.Index(
                        models.F("team_id"),
                        models.F("created_at"),
                        models.F("id"),
                        name="security_audit_list_idx",
                    ),
                    models.Index(
                        models.F("team_id"),
                        models.F("resource_id"),
                        models.F("created_at"),
                        models.F("id"),
                        name="security_audit_row_idx",
                    ),
                    models.Index(
                        models.F("team_id"),
                        models.F("actor_id"),
                        models.F("created_at"),
                        models.F("id"),
                        name="security_audit_actor_idx",
                    ),
                    models.Index(
                        models.F("team_id"),
                        models.F("transaction_id"),
                        models.F("number"),
                        name="security_audit_order_idx",
                    ),
                    models.Index(
                        models.F("team_id"),
                        models.F("action"),
                        models.F("created_at"),
                        models.F("id"),
                        name="security_audit_action_idx",
                    ),
                    models.Index(
                        models.F("team_id"),
                        models.F("resource_type"),
                        models.F("created_at"),
                        models.F("id"),
                        name="security_audit_type_idx",
                    ),
                    models.Index(
                        models.F("created_at"), models.F("id"), name="security_audit_all_idx"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditLink",
            fields=[
                ("entry_id", models.UUIDField(primary_key=True, serialize=False)),
                ("team_id", models.UUIDField()),
                ("position", models.BigIntegerField()),
                ("previous", models.BinaryField()),
                ("hash", models.BinaryField()),
                ("digest", models.BinaryField()),
                ("salt", models.BinaryField(null=True)),
                ("key_id", models.TextField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("team_id", "position"), name="security_audit_position"
                    ),
                    models.UniqueConstraint(
                        fields=("team_id", "previous"), name="security_audit_previous"
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            sql="ALTER TABLE security_auditentry"
            " ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY",
            reverse_sql="ALTER TABLE security_auditentry ALTER COLUMN number DROP IDENTITY",
        ),
        TeamIsolation("security_auditentry"),
        TeamIsolation("security_auditlink"),
        TeamIsolation("security_audithead"),
        AuditFunctions(),
        AppendOnly("security_auditentry"),
        AppendOnly("security_auditlink"),
        # Sealing moves the head; its signature says who did.
        AppendOnly("security_audithead", "DELETE OR TRUNCATE"),
        AuditTrail("security_apikey", "api_keys", ["secret_hash", "pepper_id", "last_used_at"]),
    ]
