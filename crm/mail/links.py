"""Links in mails."""

from urllib.parse import urlencode

from crm.env import env


def app_link(path: str, **query: str) -> str:
    """Return the address of a page of the single-page app.

    SECURITY: the host is the configured one; the one that a request names is the sender's choice.
    """
    return f"{env.app_base_url}{path}{'?' + urlencode(query) if query else ''}"
