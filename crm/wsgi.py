"""The WSGI application. It does not start on a database that does not wall teams off."""

import os

from django.core.wsgi import get_wsgi_application

from crm.db.isolation import refuse_open_database
from crm.env import env
from crm.serving.arrival_clock import ArrivalClock
from crm.serving.body_reader import BodyReader
from security.ip_blocks.matcher import block_list, is_from_blocked_address

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")

# A request has arrived when its body has: the clock stands behind the reader.
application = BodyReader(
    ArrivalClock(get_wsgi_application(), threads=env.web_threads),
    threads=env.web_threads,
    unwelcome=is_from_blocked_address,
)
refuse_open_database()
block_list.start()
