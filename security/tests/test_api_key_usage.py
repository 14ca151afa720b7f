"""How often keys are used, by day: counted without a statement, right with several writers."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Membership
from conftest import ApiClient
from crm.db.isolation import isolation_problems
from crm.db.tenancy import context, team_context
from security.api_keys.services import IssuedKey, issue_key
from security.api_keys.usage import UsageCounter, UsedKey, usage_by_day, usage_counter
from security.models import ApiKey, ApiKeyUsage
from security.tests.counters import SetRate
from tests.plain_sql import fetch_all
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def path_of(key: IssuedKey) -> str:
    return f"/v1/api-keys/{key.api_key.pk}/usage"


def used(key: IssuedKey) -> tuple[int, int]:
    """Return today's calls of the key and those that were refused."""
    usage_counter.flush()
    team_id, key_id = key.api_key.team_id, key.api_key.pk
    with team_context(team_id):
        (today,) = usage_by_day(team_id=team_id, api_key_id=key_id, days=1)
    return today.requests, today.refused


def test_calls_of_a_key_are_shown_by_day(
    as_alice: ApiClient, as_key: ApiClient, key: IssuedKey
) -> None:
    with time_machine.travel(datetime.now(tz=UTC) - timedelta(days=2)):
        as_key.get("/v1/clients")
        usage_counter.flush()
    for path in ("/v1/clients", "/v1/leads", "/v1/api-keys"):
        as_key.get(path)
    usage_counter.flush()
    days = as_alice.get(f"{path_of(key)}?days=3").json()["data"]
    today = timezone.now().date()
    assert days == [
        {"date": str(today - timedelta(days=2)), "requests": 1, "refused": 0},
        {"date": str(today - timedelta(days=1)), "requests": 0, "refused": 0},
        {"date": str(today), "requests": 3, "refused": 1},
    ]


def test_thirty_days_are_shown_unless_another_number_is_asked_for(
    as_alice: ApiClient, key: IssuedKey
) -> None:
    assert len(as_alice.get(path_of(key)).json()["data"]) == 30
    assert len(as_alice.get(f"{path_of(key)}?days=90").json()["data"]) == 90
    for days in ("0", "91", "-1", "1.5", "x"):
        answer = as_alice.get(f"{path_of(key)}?days={days}")
        assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, ["days"])


def test_refusals_of_a_right_secret_count_and_wrong_secrets_do_not(
    as_key: ApiClient, key: IssuedKey, set_rate: SetRate
) -> None:
    ApiKey.objects.update(allowed_ips=["203.0.113.0/24"])
    assert as_key.get("/v1/clients").status_code == 403
    ApiKey.objects.update(allowed_ips=[], revoked_at=timezone.now())
    assert as_key.get("/v1/clients").status_code == 401
    ApiKey.objects.update(revoked_at=None)
    set_rate("api", "1/1d")
    assert [as_key.get("/v1/clients").status_code for _ in range(2)] == [200, 429]
    wrong = issue_key(
        team_id=key.api_key.team_id, owner_id=key.api_key.owner_id, name="Other", scopes={}
    )
    ApiKey.objects.filter(pk=wrong.api_key.pk).update(secret_hash="0" * 64)
    assert ApiClient(f"Bearer {wrong.written}").get("/v1/clients").status_code == 401
    assert used(key) == (4, 3)
    assert used(wrong) == (0, 0)


def test_counters_of_several_processes_add_up(key: IssuedKey) -> None:
    place = UsedKey(key.api_key.team_id, key.api_key.pk)
    counters = [UsageCounter() for _ in range(8)]

    def count(number: int) -> None:
        for _ in range(50):
            counters[number].count(place, is_refused=number == 0)
            counters[number].flush()
        counters[number].stop()

    at_once(8, count)
    assert used(key) == (400, 50)


def test_what_a_broken_database_did_not_take_is_written_later(
    key: IssuedKey, broken_database: None
) -> None:
    place = UsedKey(key.api_key.team_id, key.api_key.pk)
    usage_counter.count(place, is_refused=False)
    usage_counter.flush()
    usage_counter.count(place, is_refused=True)
    assert list(usage_counter._counts.values()) == [(2, 1)]


def test_a_process_that_ends_writes_what_it_counted(as_key: ApiClient, key: IssuedKey) -> None:
    as_key.get("/v1/clients")
    usage_counter.stop()
    assert used(key) == (1, 0)


def add_use(member: Membership, day: date) -> None:
    with team_context(member.team_id):
        ApiKeyUsage.objects.create(
            team_id=member.team_id,
            api_key_id=uuid.uuid4(),
            day=day,
            request_count=1,
            refused_count=0,
        )


def test_a_team_sees_the_use_of_its_own_keys_alone(alice: Membership, mallory: Membership) -> None:
    for member in (alice, mallory):
        add_use(member, timezone.now().date())
    with context(team_id="", all_teams=""):
        assert fetch_all("SELECT 1 FROM security_apikeyusage") == []
    with team_context(alice.team_id):
        seen: list[Any] = fetch_all("SELECT team_id FROM security_apikeyusage")
    assert seen == [(alice.team_id,)]
    assert isolation_problems() == []
