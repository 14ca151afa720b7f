from datetime import UTC, datetime

import django.utils.timezone
from django.db import migrations, models

HELP = "When its owner last proved who they are; no refresh moves it."


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_audit_trail")]

    operations = [
        # Sessions of before are not fresh.
        migrations.AddField(
            model_name="session",
            name="authenticated_at",
            field=models.DateTimeField(
                default=datetime(1970, 1, 1, tzinfo=UTC), editable=False, help_text=HELP
            ),
        ),
        migrations.AlterField(
            model_name="session",
            name="authenticated_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, editable=False, help_text=HELP
            ),
        ),
    ]
