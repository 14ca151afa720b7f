from django.db import migrations, models

from crm.db.operations import TeamIsolation


class Migration(migrations.Migration):
    dependencies = [
        ("security", "0004_events"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiKeyUsage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("api_key_id", models.UUIDField()),
                ("team_id", models.UUIDField()),
                ("day", models.DateField()),
                ("request_count", models.BigIntegerField()),
                (
                    "refused_count",
                    models.BigIntegerField(help_text="Of these, what was answered 401, 403, 429."),
                ),
            ],
            options={
                "indexes": [models.Index(models.F("day"), name="security_apikeyusage_day_idx")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("team_id", "api_key_id", "day"), name="security_apikeyusage_day"
                    )
                ],
            },
        ),
        TeamIsolation("security_apikeyusage"),
    ]
