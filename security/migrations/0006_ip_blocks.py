import django.utils.timezone
from django.db import migrations, models

import crm.db.ids
import crm.db.network_field


class Migration(migrations.Migration):
    dependencies = [
        ("security", "0005_api_key_usage"),
    ]

    operations = [
        migrations.CreateModel(
            name="IpBlock",
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
                ("network", crm.db.network_field.NetworkField(unique=True)),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("blocked_until", models.DateTimeField(blank=True, null=True)),
                ("blocked_by", models.CharField(max_length=254)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
            ],
            options={
                "verbose_name": "blocked address",
                "verbose_name_plural": "blocked addresses",
                "ordering": ["-created_at", "-id"],
                "indexes": [
                    models.Index(models.F("blocked_until"), name="security_ipblock_until_idx")
                ],
            },
        ),
    ]
