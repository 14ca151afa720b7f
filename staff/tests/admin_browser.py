"""A browser that is signed in to the staff admin."""

import time

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client

from accounts.models import User
from accounts.sessions.admin_sessions import SessionStore
from staff.sign_in.stage import METHOD_KEY, PROVED_KEY


def admin_browser(user: User, *, completed_by: str | None = "totp") -> Client:
    """Return a browser with an admin session of the user, as a sign-in leaves it.

    With `completed_by=None` the password alone was right so far. Django's `force_login` sends
    signals with a request that passed no middleware.
    """
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = User.objects.get(pk=user.pk).get_session_auth_hash()
    session[PROVED_KEY] = time.time()
    if completed_by is not None:
        session[METHOD_KEY] = completed_by
    session.create()
    session.save()
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = session.session_key or ""
    return browser
