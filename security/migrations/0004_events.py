from django.db import migrations, models

import crm.db.ids
from crm.db.operations import TeamIsolation

# The primary key begins with the id, by which one event is found; a partitioned table wants its
# time in it too. Every other index ends with (created_at, id), the order of the lists.
TABLE = """
CREATE TABLE security_event (
    id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    event_type varchar(40) NOT NULL,
    category varchar(20) NOT NULL,
    severity varchar(10) NOT NULL,
    success boolean NOT NULL,
    team_id uuid,
    team_name varchar(120) NOT NULL,
    user_id uuid,
    user_email varchar(254) NOT NULL,
    actor_kind varchar(10) NOT NULL,
    actor_id varchar(64) NOT NULL,
    actor_label varchar(254) NOT NULL,
    ip_address inet,
    user_agent varchar(400) NOT NULL,
    request_method varchar(10) NOT NULL,
    request_path varchar(400) NOT NULL,
    request_id varchar(64) NOT NULL,
    message varchar(200) NOT NULL,
    metadata jsonb NOT NULL,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at)
"""
# A filter and the team together: a type that is frequent elsewhere may be rare in a team, and the
# plan of a prepared statement does not know which type is asked for.
INDEXED = (
    "team_id",
    "team_id, event_type",
    "team_id, category",
    "team_id, severity",
    "user_id",
    "event_type",
    "category",
    "severity",
    "ip_address",
    "request_id",
)
# One's own events, whichever team they belong to, and none without the setting.
OWN_EVENTS = """
CREATE POLICY own_events ON security_event FOR SELECT
 USING (user_id = (SELECT nullif(current_setting('app.own_events_of', true), '')::uuid))
"""


class Migration(migrations.Migration):
    """The partitioned table of security events. Partitions come with each migrate (security.apps).

    The application may add any event, of any team or of none, and shows none by that.
    """

    dependencies = [("security", "0003_audit_trail")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    sql=[
                        TABLE,
                        "CREATE TABLE security_event_default PARTITION OF security_event DEFAULT",
                        "CREATE INDEX security_event_list_idx ON security_event (created_at, id)",
                        *(
                            f"CREATE INDEX security_event_{columns.replace(', ', '_')}_idx"
                            f" ON security_event ({columns}, created_at, id)"
                            for columns in INDEXED
                        ),
                    ],
                    reverse_sql="DROP TABLE security_event",
                ),
                TeamIsolation("security_event"),
                TeamIsolation("security_event_default"),
                migrations.RunSQL(
                    sql=[
                        OWN_EVENTS,
                        "CREATE POLICY append ON security_event FOR INSERT WITH CHECK (true)",
                    ],
                    reverse_sql=[
                        "DROP POLICY append ON security_event",
                        "DROP POLICY own_events ON security_event",
                    ],
                ),
            ],
            state_operations=[
                migrations.CreateModel(
                    name="SecurityEvent",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=crm.db.ids.uuid7,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                        ("event_type", models.CharField(max_length=40)),
                        ("category", models.CharField(max_length=20)),
                        ("severity", models.CharField(max_length=10)),
                        ("success", models.BooleanField()),
                        ("team_id", models.UUIDField(null=True)),
                        ("team_name", models.CharField(max_length=120)),
                        ("user_id", models.UUIDField(null=True)),
                        ("user_email", models.CharField(max_length=254)),
                        ("actor_kind", models.CharField(max_length=10)),
                        ("actor_id", models.CharField(max_length=64)),
                        ("actor_label", models.CharField(max_length=254)),
                        ("ip_address", models.GenericIPAddressField(null=True)),
                        ("user_agent", models.CharField(max_length=400)),
                        ("request_method", models.CharField(max_length=10)),
                        ("request_path", models.CharField(max_length=400)),
                        ("request_id", models.CharField(max_length=64)),
                        ("message", models.CharField(max_length=200)),
                        ("metadata", models.JSONField(default=dict)),
                    ],
                    options={"db_table": "security_event", "ordering": ["-created_at", "-id"]},
                ),
            ],
        ),
    ]
