"""Asking for a mail by naming an address: forgotten passwords, another verification.

SECURITY: whoever asks learns nothing. The same job is queued for every address, and what it finds
out about the account, it finds out when the answer is long gone (ASVS v5.0.0-6.3.8). A mail server
that is down changes nothing here.
"""

from rest_framework.request import Request

from accounts.guards.password_check import record_about
from accounts.jobs import mail_password_reset, mail_verification
from crm.api.errors import AuthRateLimited
from crm.jobs import Job
from security.events.types import EventType
from security.identifiers import failure_name, normalize_email
from security.rate_limits.exact import count_call
from security.rate_limits.verdict import verdicts_of

FROM_ADDRESS, TO_ACCOUNT = "mails", "mails_to"


def request_password_reset(*, request: Request, email: str) -> None:
    """Have a link mailed to whoever has an account with this address. Raises `AuthRateLimited`."""
    if _request_mail(mail_password_reset, request, email):
        record_about(EventType.PASSWORD_RESET_REQUESTED, failure_name(email))


def request_verification(*, request: Request, email: str) -> None:
    """Have another link mailed to an address that is not verified yet. Raises `AuthRateLimited`."""
    _request_mail(mail_verification, request, email)


def _request_mail(job: Job, request: Request, email: str) -> bool:
    """Queue the mail; return False when the address was sent enough.

    More than enough changes no answer: a stranger who asks again and again keeps nobody from the
    link that lies in their mailbox already. With a window no longer than the life of a token, it
    works whenever a mail is held back.
    """
    count_call(FROM_ADDRESS, request)
    address = normalize_email(email)
    try:
        count_call(TO_ACCOUNT, request, value=f"{job.name}:{failure_name(address)}")
    except AuthRateLimited:
        verdicts_of(request._request).pop(TO_ACCOUNT)
        return False
    job.queue(email=address)
    return True
