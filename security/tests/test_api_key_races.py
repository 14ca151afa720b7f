"""Keys under parallel calls, with real threads on real transactions."""

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Membership
from accounts.tests.factories import access_token
from conftest import ApiClient
from security.api_keys.authentication import touch_key
from security.api_keys.services import IssuedKey
from security.models import ApiKey
from security.request.touch import TOUCH_INTERVAL
from tests.threads import at_once

THREADS = 8
pytestmark = pytest.mark.django_db(transaction=True)


def test_of_parallel_rotations_one_succeeds(alice: Membership, key: IssuedKey) -> None:
    authorization = f"Bearer {access_token(alice)}"
    path = f"/v1/api-keys/{key.api_key.pk}/rotate"

    def rotate(_: int) -> int:
        return int(ApiClient(authorization).post_json(path, {}).status_code)

    assert Counter(at_once(THREADS, rotate)) == {201: 1, 409: THREADS - 1}
    assert ApiKey.objects.filter(rotated_from=key.api_key).count() == 1


def test_a_rotation_beside_a_revocation_leaves_no_old_key(
    alice: Membership, key: IssuedKey
) -> None:
    authorization = f"Bearer {access_token(alice)}"
    path = f"/v1/api-keys/{key.api_key.pk}"

    def act(number: int) -> int:
        client = ApiClient(authorization)
        if number % 2:
            return int(client.post_json(f"{path}/rotate", {}).status_code)
        return int(client.delete(path).status_code)

    assert set(at_once(THREADS, act)) <= {200, 201, 409}
    assert ApiClient(f"Bearer {key.written}").get("/v1/clients").status_code == 401
    assert ApiKey.objects.filter(rotated_from=key.api_key).count() <= 1


def test_parallel_first_uses_are_all_answered_and_noted_once(key: IssuedKey) -> None:
    def use(_: int) -> int:
        return int(ApiClient(f"Bearer {key.written}").get("/v1/clients").status_code)

    assert at_once(THREADS, use) == [200] * THREADS
    first = ApiKey.objects.get(pk=key.api_key.pk).last_used_at
    assert first is not None
    assert use(0) == 200
    assert ApiKey.objects.get(pk=key.api_key.pk).last_used_at == first


def test_a_key_is_touched_once_however_many_try(key: IssuedKey) -> None:
    now = timezone.now()
    moments = [now + timedelta(milliseconds=number) for number in range(THREADS)]
    at_once(THREADS, lambda number: touch_key(key.api_key.pk, moments[number]))
    first = ApiKey.objects.get(pk=key.api_key.pk).last_used_at
    assert first in moments
    touch_key(key.api_key.pk, first + TOUCH_INTERVAL - timedelta(seconds=1))
    assert ApiKey.objects.get(pk=key.api_key.pk).last_used_at == first
    touch_key(key.api_key.pk, first + TOUCH_INTERVAL)
    assert ApiKey.objects.get(pk=key.api_key.pk).last_used_at == first + TOUCH_INTERVAL
