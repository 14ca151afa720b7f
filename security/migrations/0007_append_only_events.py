from django.db import migrations

from crm.db.audit import AppendOnlyPartitions, AuditRefusal


class Migration(migrations.Migration):
    """Events are append-only for the owner of the table too."""

    dependencies = [("security", "0006_ip_blocks")]

    operations = [AuditRefusal(), AppendOnlyPartitions("security_event")]
