from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations

from crm.db.operations import TeamForeignKey, TeamIsolation


class Migration(migrations.Migration):
    dependencies = [("clients", "0001_initial")]

    operations = [
        TrigramExtension(),
        TeamIsolation("clients_client"),
        TeamForeignKey("clients_client", "assigned_to_id", "accounts_membership", "user_id"),
    ]
