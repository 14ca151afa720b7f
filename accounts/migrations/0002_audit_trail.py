from django.db import migrations

from crm.db.audit import AuditTrail


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("security", "0003_audit_trail")]

    operations = [
        AuditTrail("accounts_team", "teams"),
        AuditTrail("accounts_membership", "memberships"),
    ]
