from django.db import migrations

from crm.db.operations import TeamSearch


class Migration(migrations.Migration):
    dependencies = [("leads", "0002_team_isolation"), ("clients", "0003_search")]

    operations = [
        TeamSearch("leads_lead", threshold=0.33),
    ]
