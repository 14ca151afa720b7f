"""The last passwords of a user, which none of the next ones may be."""

from django.contrib.auth.hashers import check_password, is_password_usable
from django.db import connection

from accounts.models import PasswordHistory, User
from accounts.models.user import normalize_password
from accounts.passwords.hashed_password import HashedPassword
from accounts.passwords.hashers import django_form, is_imported

# The present one among them.
REMEMBERED = 5

# Written out: the ORM takes half a millisecond to write it, each time, and a reset is to cost
# little more than its hash.
_FORGET = """
    DELETE FROM accounts_passwordhistory
     WHERE user_id = %(user_id)s
       AND id NOT IN (SELECT id
                        FROM accounts_passwordhistory
                       WHERE user_id = %(user_id)s
                       ORDER BY created_at DESC, id DESC
                       LIMIT %(kept)s)
"""


def is_reused(user: User, password: str, hashed: HashedPassword) -> bool:
    """Tell whether a new password is the present one or one of those before.

    Costs no hash for those that share the salt of the new one, and one for each other: made before
    salts were shared, imported, or with parameters of the past.
    """
    hashes = [django_form(stored) for stored in (user.password, *_earlier(user))]
    if any(hashed.is_same_as(stored) for stored in hashes):
        return True
    return any(_is_of(password, stored) for stored in hashes if not hashed.shares_salt_with(stored))


def remember_password(user: User) -> None:
    """Keep the present hash of a user, who is about to get another, and forget the oldest."""
    if not is_password_usable(user.password):
        return
    PasswordHistory.objects.create(user_id=user.pk, password=user.password)
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"user_id": user.pk, "kept": REMEMBERED - 1})


def _earlier(user: User) -> list[str]:
    earlier = PasswordHistory.objects.filter(user_id=user.pk)
    return list(earlier.values_list("password", flat=True)[: REMEMBERED - 1])


def _is_of(password: str, stored: str) -> bool:
    if not is_password_usable(stored):
        return False
    return check_password(password if is_imported(stored) else normalize_password(password), stored)
