"""Password hashers: argon2id first; bcrypt hashes made elsewhere verify and are then replaced."""

import bcrypt
from django.contrib.auth.hashers import Argon2PasswordHasher, BCryptPasswordHasher

BCRYPT_INPUT_BYTES = 72
BCRYPT_PREFIXES = ("$2a$", "$2b$", "$2y$")


class Argon2idHasher(Argon2PasswordHasher):
    """Argon2id at 19 MiB, four passes, one lane (ASVS v5.0.0-11.4.2): about 35 ms.

    The memory is what sixteen sign-ins at once take sixteen times; passes cost time alone.
    """

    memory_cost = 19_456  # KiB
    time_cost = 4
    parallelism = 1


class ImportedBcryptHasher(BCryptPasswordHasher):
    """Verifies bcrypt hashes that another system wrote; the next sign-in replaces them."""

    def verify(self, password: str, encoded: str) -> bool:
        _, _, bcrypt_hash = encoded.partition("$")
        # bcrypt reads 72 bytes and always has: the hash knows nothing of what came after them.
        secret = password.encode()[:BCRYPT_INPUT_BYTES]
        try:
            return bcrypt.checkpw(secret, bcrypt_hash.encode())
        except ValueError:
            # A hash that was cut off or garbled on its way here opens nothing.
            return False


def is_imported(encoded: str) -> bool:
    """Tell whether another system made the hash."""
    return encoded.startswith(f"{ImportedBcryptHasher.algorithm}$")


def django_form(stored: str) -> str:
    """Return a bare bcrypt hash (`$2b$…`) in Django's form, any other hash as it is."""
    if stored.startswith(BCRYPT_PREFIXES):
        return f"{ImportedBcryptHasher.algorithm}${stored}"
    return stored
