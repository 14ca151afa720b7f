"""A new password that is hashed once: to be compared with those before it, and to be stored.

The hashes of one person share a salt (docs/adr/0012-one-hash.md).
"""

from dataclasses import dataclass, field

from django.contrib.auth.hashers import get_hasher, make_password
from django.utils.crypto import constant_time_compare

from accounts.models.user import normalize_password


@dataclass(frozen=True, slots=True)
class HashedPassword:
    """A new password as it is stored; what was typed is not in it."""

    encoded: str = field(repr=False)

    def shares_salt_with(self, stored: str) -> bool:
        """Tell whether a stored hash has the same algorithm, parameters and salt."""
        return _terms(stored) == _terms(self.encoded)

    def is_same_as(self, stored: str) -> bool:
        """Tell whether a stored hash is this one, which only the same password makes it."""
        return constant_time_compare(stored, self.encoded)


def hash_password(password: str, *, present: str) -> HashedPassword:
    """Hash a user's new password under the salt of their present hash, or under a new one.

    A new one is taken where the present hash is none of the preferred hasher, was made with other
    parameters, or has a salt that is too short; an empty `present` is that of a new user.
    """
    # SECURITY: only a person's own hashes may share a salt. With a dump, a guess at one of their
    # five passwords is a guess at all five; it helps against nobody else.
    salt = _salt_to_share(present)
    return HashedPassword(make_password(normalize_password(password), salt=salt))


def _salt_to_share(present: str) -> str | None:
    hasher = get_hasher()
    if not present.startswith(f"{hasher.algorithm}$") or hasher.must_update(present):
        return None
    salt: str = hasher.decode(present)["salt"]
    # Django reads a salt as Latin-1 and writes it as UTF-8: any other would not stay the same.
    return salt if salt.isascii() else None


def _terms(encoded: str) -> str:
    """Return what stands before the digest."""
    return encoded.rpartition("$")[0]
