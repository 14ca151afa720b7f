"""Secrets that a development machine makes for itself."""

import json
import os
import secrets
import tempfile
from pathlib import Path

from crm.embedded_postgres.data_dir import create_data_dir

FILE_NAME = "secrets.json"


def development_secrets(data_dir: Path) -> dict[str, str]:
    """Return the secrets kept in `data_dir`, created at the first call.

    Keys: SECRET_KEY, JWT_KEYS, POSTGRES_APP_PASSWORD, POSTGRES_OWNER_PASSWORD,
    POSTGRES_SUPERUSER_PASSWORD.
    """
    path = data_dir / FILE_NAME
    if not path.exists():
        create_data_dir(data_dir)
        _create_once(path, _new_secrets())
    stored: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return stored


def _new_secrets() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "JWT_KEYS": f"dev{secrets.token_hex(4)}:{secrets.token_urlsafe(64)}",
        "POSTGRES_APP_PASSWORD": secrets.token_urlsafe(32),
        "POSTGRES_OWNER_PASSWORD": secrets.token_urlsafe(32),
        "POSTGRES_SUPERUSER_PASSWORD": secrets.token_urlsafe(32),
    }


def _create_once(path: Path, content: dict[str, str]) -> None:
    """Write the whole file or nothing; of two processes that do so at once, the first one wins."""
    handle, temporary = tempfile.mkstemp(
        dir=path.parent, prefix=".secrets-"
    )  # mkstemp gives mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        Path(temporary).unlink()
