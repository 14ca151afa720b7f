"""The admin's session store: Django's own, but the database holds only a hash of the cookie.

A dump of the database gives nobody a session (ASVS v5.0.0-7.2.x; SESSION_ENGINE).
"""

import hashlib
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone


def stored_key(session_key: str) -> str:
    """Return what the table holds in place of the cookie: 160 bits of its SHA-256, in hex."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:40]


class SessionStore(DatabaseSessionStore):
    """Looks sessions up by the hash of their key."""

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        cookie_key = self.session_key
        if cookie_key is None:
            return None
        found = self.model.objects.filter(
            session_key=stored_key(cookie_key), expire_date__gt=timezone.now()
        ).first()
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        return super().exists(stored_key(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        instance = super().create_model_instance(data)
        instance.session_key = stored_key(instance.session_key)
        return instance

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            super().delete(stored_key(key))
