import django.utils.timezone
from django.db import migrations, models

from crm.db.audit import AppendOnly


class Migration(migrations.Migration):
    dependencies = [
        ("security", "0008_audit_indexes"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditVerification",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "verified_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("entries", models.BigIntegerField()),
                ("problems", models.IntegerField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("verified_at"), models.F("id"), name="security_audit_verified_idx"
                    )
                ],
            },
        ),
        AppendOnly("security_auditverification"),
    ]
