from django.contrib.postgres.operations import BtreeGinExtension
from django.db import migrations

from crm.db.operations import TeamSearch


class Migration(migrations.Migration):
    dependencies = [("clients", "0002_team_isolation")]

    operations = [
        BtreeGinExtension(),
        TeamSearch("clients_client", threshold=0.33),
    ]
