"""The ids of rows."""

import uuid

import uuid_utils.compat


def uuid7() -> uuid.UUID:
    """Return a time-ordered id (RFC 9562, version 7), so that new rows are neighbours."""
    return uuid_utils.compat.uuid7()
