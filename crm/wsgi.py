"""The WSGI application. It does not start on a database that does not wall teams off."""

import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

from crm.db.isolation import refuse_open_database

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")

WsgiApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]


class ArrivalClock:
    """Notes when a request arrived, before anything else runs.

    SECURITY: the refresh flow tells a second tab from a thief by this time. Whatever comes later
    in a request waits for the interpreter or a lock.
    """

    def __init__(self, application: WsgiApplication) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["crm.arrived_at"] = time.time()
        return self.application(environ, start_response)


application = ArrivalClock(get_wsgi_application())
refuse_open_database()
