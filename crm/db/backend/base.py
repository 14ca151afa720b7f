"""The wrapper of a connection; Django looks for it in a module of this name.

psycopg throws all prepared statements away at each rollback, in one more round trip, and the next
calls plan theirs anew: a refused call, which is rolled back, took nearly twice as long as it does
here, and slowed the next ones. It does so because what a statement names may have been made in the
transaction. The application's role makes no tables, so its statements stand.
"""

from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.utils import debug_transaction
from psycopg import OperationalError
from psycopg.pq import ExecStatus, PipelineStatus, TransactionStatus

_OPEN = {TransactionStatus.INTRANS, TransactionStatus.INERROR}
# The name of the connections that change tables, crm.db.owner.
OWNER = "crm-owner"


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose rollback is one statement and nothing more."""

    def _rollback(self) -> None:
        raw: Any = self.connection
        if raw is None or self._may_have_made_tables() or not _is_at_rest(raw.pgconn):
            super()._rollback()  # type: ignore[misc]  # the stubs leave it out
            return
        with debug_transaction(self, "ROLLBACK"), self.wrap_database_errors:
            result = raw.pgconn.exec_(b"ROLLBACK")
            if result.status != ExecStatus.COMMAND_OK:
                raise OperationalError(result.error_message.decode(errors="replace"))

    def _may_have_made_tables(self) -> bool:
        return bool(self.settings_dict["OPTIONS"].get("application_name") == OWNER)


def _is_at_rest(pgconn: Any) -> bool:
    """Tell whether a transaction is open, and no statement under way."""
    return bool(pgconn.transaction_status in _OPEN and pgconn.pipeline_status == PipelineStatus.OFF)
