"""Where mail goes, from the environment to Django's settings."""

from typing import Any
from urllib.parse import unquote, urlsplit

USUAL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}


def mail_settings(url: str | None, *, development: bool) -> dict[str, Any]:
    """Return Django's EMAIL_… settings for EMAIL_URL."""
    if url is None and development:
        return {"EMAIL_BACKEND": "crm.mail.outbox.OutboxBackend"}
    server = urlsplit(url or "smtp://localhost")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": server.hostname,
        "EMAIL_PORT": server.port or USUAL_PORTS[server.scheme],
        "EMAIL_HOST_USER": unquote(server.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(server.password or ""),
        "EMAIL_USE_TLS": server.scheme == "smtp+tls",
        "EMAIL_USE_SSL": server.scheme == "smtp+ssl",
        "EMAIL_TIMEOUT": 10,
    }
