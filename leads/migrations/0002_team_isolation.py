from django.db import migrations

from crm.db.operations import TeamForeignKey, TeamIsolation


class Migration(migrations.Migration):
    dependencies = [("leads", "0001_initial"), ("clients", "0002_team_isolation")]

    operations = [
        TeamIsolation("leads_lead"),
        TeamForeignKey("leads_lead", "assigned_to_id", "accounts_membership", "user_id"),
        TeamForeignKey("leads_lead", "converted_client_id", "clients_client"),
    ]
