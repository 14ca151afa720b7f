from django.db import migrations

from crm.db.audit import AppendOnlyPartitions, AuditRefusal


class Migration(migrations.Migration):
    """Events are append-only for the owner of the table too."""

    dependencies = [("security", "0005_api_key_usage")]

    operations = [AuditRefusal(), AppendOnlyPartitions("security_event")]
