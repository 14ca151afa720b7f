"""The account of the system under which the embedded PostgreSQL runs: it refuses to be root."""

import contextlib
import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

NAME = "crm-postgres"
# Fallbacks where no account can be created (a read-only /etc, a system without useradd).
FALLBACK_NAMES = ("postgres", "nobody")
CREATE_ATTEMPTS = 10
ACCOUNT_OPTIONS = (
    "--system",
    "--user-group",
    "--no-create-home",
    "--home-dir=/nonexistent",
    "--shell=/usr/sbin/nologin",
)


class ServerAccount(NamedTuple):
    """A user and its group."""

    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """Tell whether the account may pass through every folder down to `folder`, by trying it."""
        result = subprocess.run(
            ["/bin/sh", "-c", 'cd -- "$1"', "sh", os.fspath(folder)],
            cwd="/",
            stderr=subprocess.DEVNULL,
            check=False,
            user=self.user,
            group=self.group,
            extra_groups=self.extra_groups,
        )
        return result.returncode == 0

    # What subprocess needs to start a program as the account: nothing when it is the caller's own.
    @property
    def user(self) -> int | None:
        """The user to change to."""
        return self.uid if os.geteuid() == 0 else None

    @property
    def group(self) -> int | None:
        """The group to change to."""
        return self.gid if os.geteuid() == 0 else None

    @property
    def extra_groups(self) -> list[int] | None:
        """Further groups: none of root's may be kept."""
        return [] if os.geteuid() == 0 else None


def server_account() -> ServerAccount:
    """Return the caller, or for root an unprivileged account that is made for the purpose."""
    if os.geteuid() != 0:
        return ServerAccount(os.geteuid(), os.getegid())
    for _ in range(CREATE_ATTEMPTS):
        if account := _account_named(NAME):
            return account
        if not _create_account():
            break
        time.sleep(
            0.3
        )  # Somebody else holds the lock on /etc/passwd, perhaps to create this very account.
    for name in FALLBACK_NAMES:
        if account := _account_named(name):
            return account
    raise RuntimeError(
        f"PostgreSQL cannot run as root and no account for it was found; create one named {NAME}."
    )


def owner_of(folder: Path) -> ServerAccount:
    """Return the account that owns `folder`."""
    status = folder.lstat()
    return ServerAccount(status.st_uid, status.st_gid)


def _account_named(name: str) -> ServerAccount | None:
    with contextlib.suppress(KeyError):
        entry = pwd.getpwnam(name)
        if entry.pw_uid != 0:
            return ServerAccount(entry.pw_uid, entry.pw_gid)
    return None


def _create_account() -> bool:
    """Try to create the account; False when this system has no means to do so."""
    program = shutil.which("useradd") or shutil.which("useradd", path="/usr/sbin:/sbin")
    if program is None:
        return False
    subprocess.run(
        [program, *ACCOUNT_OPTIONS, NAME],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return True
