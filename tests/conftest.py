"""Fixtures of the contracts."""

import pytest

from accounts.models import Membership
from conftest import EVERY_SCOPE, ApiClient
from security.api_keys.services import issue_key


@pytest.fixture
def as_mallorys_key(mallory: Membership) -> ApiClient:
    """A key of team B that may do everything a key can."""
    issued = issue_key(
        team_id=mallory.team_id, owner_id=mallory.user_id, name="Key", scopes=EVERY_SCOPE
    )
    return ApiClient(f"Bearer {issued.written}")
