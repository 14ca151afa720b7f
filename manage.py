#!/usr/bin/env python
"""Run a management command, with the embedded database up when it is the one in use."""

import os
import sys
from contextlib import nullcontext

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import Error as DatabaseError

from crm.embedded_postgres.server import DatabaseStartError, is_embedded, running
from crm.env import env


def main() -> None:
    """Run the command; a failure ends with one line on stderr and status 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    embedded = is_embedded(env.database_url, env.data_dir)
    try:
        with running(env.data_dir) if embedded else nullcontext():
            execute_from_command_line(sys.argv)
    except (DatabaseStartError, DatabaseError, ImproperlyConfigured, OSError) as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"{type(error).__name__}: {' '.join(str(error).split())}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
