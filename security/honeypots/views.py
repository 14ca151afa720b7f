"""The answer for paths that are none, honeypots among them.

Only what no route takes comes here: a honeypot costs ordinary calls nothing, and hides none.
"""

import logging
from typing import Final

from django.db import Error as DatabaseFailure
from django.http import HttpRequest, HttpResponse

from crm.api import json
from crm.api.pagination import DEFAULT_LIMIT
from crm.api.views import not_found
from crm.env import env
from security.events.collector import record_event
from security.events.types import EventType
from security.honeypots.baits import USERS, Bait, bait_of, is_led_by_others
from security.ip_blocks.services import block_client
from security.rate_limits.general import check_general
from security.request.actors import ANONYMOUS
from security.request.context import in_context

logger = logging.getLogger(__name__)

_EMPTY_LIST: Final = json.dumps(
    {
        "success": True,
        "data": [],
        "pagination": {"limit": DEFAULT_LIMIT, "nextCursor": None, "previousCursor": None},
    }
)


def absent_path(request: HttpRequest) -> HttpResponse:
    """Answer any path that is none; take note of who ran into a honeypot."""
    bait = bait_of(request)
    if bait is None:
        return not_found(request)
    is_blocked = _block_sender(request, bait)
    # Each hit is a row: as many as calls of strangers are answered, and no more.
    check_general(request, ANONYMOUS)
    record_event(
        EventType.HONEYPOT_HIT, user_id=None, team_id=None, honeypot=bait.name, blocked=is_blocked
    )
    if bait is USERS:
        return HttpResponse(_EMPTY_LIST, content_type="application/json")
    return not_found(request)


def _block_sender(request: HttpRequest, bait: Bait) -> bool:
    """Block who sent the request, by the address of the connection; tell whether that was done."""
    if not (bait.blocks and env.honeypot_block_duration) or is_led_by_others(request):
        return False
    try:
        block = block_client(
            in_context(request).client_ip,
            by="honeypot",
            reason=f"{request.method} {request.path}",
            duration=env.honeypot_block_duration,
        )
    except DatabaseFailure:
        # The answer stays that of an absent path.
        logger.exception("Not blocked: %s", in_context(request).client_ip)
        return False
    return block is not None
