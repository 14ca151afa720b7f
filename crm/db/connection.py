"""Connection settings from a database URL."""

from typing import Any

import environ

# In milliseconds. A lock is waited for far longer than any call holds one, and a transaction that
# does nothing belongs to a call that hangs.
TIMEOUTS = {
    "statement_timeout": 30_000,
    "lock_timeout": 5_000,
    "idle_in_transaction_session_timeout": 15_000,
}
CONNECTION_MAX_AGE_SECONDS = 600
PREPARE_THRESHOLD = 5


def database_settings(url: str) -> dict[str, Any]:
    """Return the DATABASES entry for a PostgreSQL URL.

    Connections are kept per thread. Statements are prepared on the server (psycopg prepares what
    a connection has run five times), which saves planning the authentication query on each call.
    Behind a pooler in transaction mode that keeps no track of them, `?prepare_threshold=0` in the
    URL switches that off.
    """
    settings: dict[str, Any] = environ.Env.db_url_config(url)
    settings["ENGINE"] = "crm.db.backend"
    settings["CONN_MAX_AGE"] = CONNECTION_MAX_AGE_SECONDS
    settings["ATOMIC_REQUESTS"] = False
    options = {"prepare_threshold": PREPARE_THRESHOLD, **settings.get("OPTIONS", {})}
    settings["OPTIONS"] = {
        **options,
        # To psycopg, None is never, and 0 at once.
        "prepare_threshold": options["prepare_threshold"] or None,
        "application_name": "crm",
        "server_side_binding": True,
        "options": " ".join(f"-c {name}={value}" for name, value in TIMEOUTS.items()),
    }
    return settings
