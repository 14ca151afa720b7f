from django.db import migrations


class Migration(migrations.Migration):
    """The table of the counters behind the rate limits (crm.db.counter_cache).

    UNLOGGED: counters write no WAL, are empty after a crash and absent on a standby. The fill
    factor leaves room for updates in place (HOT), so that a busy counter does not grow the index.
    """

    dependencies = [("security", "0001_initial")]

    operations = [
        migrations.RunSQL(
            sql=[
                """
                CREATE UNLOGGED TABLE crm_counter (
                    key text PRIMARY KEY,
                    value bigint NOT NULL,
                    expires_at timestamptz NOT NULL
                ) WITH (fillfactor = 70)
                """,
                "CREATE INDEX crm_counter_expires_at_idx ON crm_counter (expires_at)",
            ],
            reverse_sql="DROP TABLE crm_counter",
        ),
    ]
