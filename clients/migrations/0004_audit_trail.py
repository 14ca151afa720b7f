from django.db import migrations

from crm.db.audit import AuditTrail


class Migration(migrations.Migration):
    dependencies = [("clients", "0003_search"), ("security", "0003_audit_trail")]

    operations = [
        AuditTrail("clients_client", "clients"),
    ]
