"""Password hashers: argon2id first; bcrypt hashes made elsewhere verify and are then replaced."""

import bcrypt
from django.contrib.auth.hashers import Argon2PasswordHasher, BasePasswordHasher

BCRYPT_INPUT_BYTES = 72


class Argon2idHasher(Argon2PasswordHasher):
    """Argon2id at 19 MiB, two passes, one lane (ASVS v5.0.0-11.4.2): about 23 ms."""

    memory_cost = 19_456  # KiB
    time_cost = 2
    parallelism = 1


class ImportedBcryptHasher(BasePasswordHasher):
    """Verifies `$2a$`, `$2b$` and `$2y$` hashes as other systems wrote them; makes none.

    Django finds a hasher by what stands before the first `$`: nothing, in such a hash. Since it is
    not the preferred hasher, the next sign-in stores an argon2id hash instead.
    """

    algorithm = ""

    def verify(self, password: str, encoded: str) -> bool:
        # bcrypt reads 72 bytes and always has: the hash knows nothing of what came after them.
        return bcrypt.checkpw(password.encode()[:BCRYPT_INPUT_BYTES], encoded.encode())

    def encode(self, password: str, salt: str) -> str:
        raise NotImplementedError("New passwords are hashed with argon2id.")

    def must_update(self, encoded: str) -> bool:  # noqa: ARG002
        return True

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Do nothing: the work factor in the hash is what it is."""

    def safe_summary(self, encoded: str) -> dict[str, str]:
        return {"algorithm": "bcrypt (imported)", "work factor": encoded.split("$")[2]}
