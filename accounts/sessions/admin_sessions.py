"""The admin's session store: Django's own, but the database holds only a hash of the cookie.

A dump of the database gives nobody a session (SESSION_ENGINE).
"""

import hashlib
import uuid
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone


def stored_key(session_key: str) -> str:
    """Return what the table holds in place of the cookie: 160 bits of its SHA-256, in hex."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:40]


def end_admin_sessions(*, user_id: uuid.UUID, kept_key: str | None = None) -> int:
    """End the admin sessions of a user, but for one; return how many there were.

    Whose a session is stands inside it, so all are read: staff are few.
    """
    store = SessionStore()
    rows = store.model.objects.filter(expire_date__gt=timezone.now())
    if kept_key is not None:
        rows = rows.exclude(session_key=stored_key(kept_key))
    theirs = [
        row.session_key
        for row in rows
        if store.decode(row.session_data).get(SESSION_KEY) == str(user_id)
    ]
    store.model.objects.filter(session_key__in=theirs).delete()
    return len(theirs)


class SessionStore(DatabaseSessionStore):
    """Looks sessions up by the hash of their key."""

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        found: AbstractBaseSession | None = self._unexpired().first()
        if found is None:
            self._session_key = None
        return found

    async def _aget_session_from_db(self) -> AbstractBaseSession | None:
        found: AbstractBaseSession | None = await self._unexpired().afirst()
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        return super().exists(stored_key(session_key))

    async def aexists(self, session_key: str) -> bool:
        return await super().aexists(stored_key(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        return _with_stored_key(super().create_model_instance(data))

    async def acreate_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        return _with_stored_key(await super().acreate_model_instance(data))

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            super().delete(stored_key(key))

    async def adelete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            await super().adelete(stored_key(key))

    def _unexpired(self) -> Any:
        key = stored_key(self.session_key or "")
        return self.model.objects.filter(session_key=key, expire_date__gt=timezone.now())


def _with_stored_key(instance: AbstractBaseSession) -> AbstractBaseSession:
    instance.session_key = stored_key(instance.session_key)
    return instance
