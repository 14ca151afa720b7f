"""What the worker does by the clock: seals, proves, makes and deletes."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import Membership, User
from clients.models import Client
from crm.db.counter_cache import CounterCache
from crm.db.tenancy import context
from crm.env import env
from security import jobs, upkeep
from security.api_keys.services import IssuedKey
from security.audit.models import AuditLink, AuditVerification
from security.models import ApiKeyNotice, ApiKeyUsage, Finding
from security.tests.audit_chains import make_chain, of_team, tamper
from tests.plain_sql import fetch_all
from tests.team_records import make_record

RunJobs = Callable[[], list[str]]
pytestmark = pytest.mark.django_db(transaction=True)


def links_of(member: Membership) -> int:
    with context(all_teams="on"):
        return int(AuditLink.objects.filter(team_id=member.team_id).count())


def test_the_trail_is_sealed_and_proved(alice: Membership, staff: User, run_jobs: RunJobs) -> None:
    make_record(Client, alice)
    jobs.seal_audit_trail()
    assert links_of(alice) >= 1
    jobs.prove_audit_trail()
    assert AuditVerification.objects.get().problems == 0
    run_jobs()
    assert mail.outbox == []


def test_a_broken_trail_is_mailed_to_superusers_and_stops_no_other_teams_chain(
    alice: Membership,
    mallory: Membership,
    staff: User,
    run_jobs: RunJobs,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, other = sorted((alice, mallory), key=lambda member: member.team_id)
    for member in (broken, other):
        make_chain(member)
    tamper(
        of_team("DELETE FROM security_auditentry WHERE action = 'create'")(broken),
        of_team("UPDATE security_audithead SET position = position - 1 WHERE true")(broken),
    )
    make_record(Client, broken)
    make_record(Client, other)
    before = links_of(broken), links_of(other)
    jobs.seal_audit_trail()
    assert (links_of(broken), links_of(other)) == (before[0], before[1] + 1)
    assert "Not all of the audit trail is sealed" in caplog.text
    jobs.prove_audit_trail()
    run_jobs()
    assert AuditVerification.objects.get().problems > 0
    assert [message.to for message in mail.outbox] == [["staff@example.com"]]
    assert str(broken.team_id) in mail.outbox[0].body


def test_months_and_retention_run_as_the_owner(alice: Membership) -> None:
    jobs.keep_event_partitions()
    jobs.prune_audit_trail()


def test_without_an_owner_nothing_is_done_and_the_log_says_why(
    alice: Membership, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    without = dataclasses.replace(env, database_owner_url=env.database_url)
    monkeypatch.setattr(upkeep, "env", without)
    make_record(Client, alice)
    for job in (jobs.seal_audit_trail, jobs.prune_audit_trail, jobs.keep_event_partitions):
        job()
    assert links_of(alice) == 0
    assert caplog.text.count("DATABASE_OWNER_URL") == 3


def test_counts_past_their_time_are_deleted(key: IssuedKey) -> None:
    team_id, now = key.api_key.team_id, timezone.now()
    counters = CounterCache("", {})
    with context(all_teams="on"):
        for days in (99, 101):
            ApiKeyUsage.objects.create(
                team_id=team_id,
                api_key_id=key.api_key.pk,
                day=(now - timedelta(days=days)).date(),
                request_count=1,
                refused_count=0,
            )
        for days in (364, 366):
            moment = now - timedelta(days=days)
            values = {"rule": "theft", "subject": str(uuid4()), "count": 1, "hour": moment}
            Finding.objects.create(created_at=moment, happened_at=moment, **values)
    for days in (-1, 1):
        end = now + timedelta(days=days)
        ApiKeyNotice.objects.create(api_key=key.api_key, expires_at=end, days=1)
    counters.set("over", 1, timeout=0)
    jobs.delete_old_counts()
    with context(all_teams="on"):
        left = [model.objects.count() for model in (ApiKeyUsage, Finding, ApiKeyNotice)]
    assert left == [1, 1, 1]
    assert fetch_all("SELECT 1 FROM crm_counter WHERE expires_at <= now()") == []
