"""The folder that holds what one installation in development keeps between two starts."""

import os
from pathlib import Path


def create_data_dir(data_dir: Path) -> None:
    """Create `data_dir` unless it exists; a folder that exists is never changed."""
    if data_dir.is_dir():
        return
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    data_dir.mkdir(exist_ok=True)
    # Started by root, PostgreSQL runs under an account of its own and has to pass through this
    # folder to the one it owns. Passing is all that 0711 allows to it.
    data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
