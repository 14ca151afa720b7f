from django.db import migrations

from crm.db.audit import AuditTrail


class Migration(migrations.Migration):
    dependencies = [("leads", "0003_search"), ("security", "0003_audit_trail")]

    operations = [
        AuditTrail("leads_lead", "leads"),
    ]
