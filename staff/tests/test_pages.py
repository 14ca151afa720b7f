"""Every page of the admin: a fixed number of queries, headers, readable errors, its address."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.guards.failure_counter import note_lock, standing_of
from accounts.models import Membership, Team
from accounts.models.lockout import counter_name
from accounts.tests.calls import fail_to_sign_in
from accounts.tests.factories import make_device, make_member, open_session
from clients.models import Client as CrmClient
from conftest import ApiClient
from leads.models import Lead
from security.access.roles import Role
from security.api_keys.services import issue_key
from staff.tests.admin_calls import page, text_of
from tests.team_records import make_record

LISTS = [
    "accounts_device",
    "accounts_lockout",
    "accounts_membership",
    "accounts_session",
    "accounts_team",
    "accounts_user",
    "axes_accessattempt",
    "clients_client",
    "leads_lead",
    "security_apikey",
]
INLINE = re.compile(r"<style|<script(?![^>]*\bsrc=)|\son[a-z]+=|\sstyle=", re.IGNORECASE)


@pytest.fixture
def fill(team_a: Team) -> Callable[[str], Membership]:
    """Make one more row on every list."""

    def make(name: str) -> Membership:
        member = make_member(team_a, f"{name}@example.com", Role.AGENT)
        open_session(member)
        issue_key(team_id=team_a.pk, owner_id=member.user_id, name=name, scopes={})
        fail_to_sign_in(ApiClient(), f"{name}@nowhere.example")
        counter = counter_name(make_device(member.user).pk)
        note_lock(counter, standing_of(counter))
        AccessAttempt.objects.create(
            username=counter, ip_address="127.0.0.1", failures_since_start=1
        )
        make_record(CrmClient, member)
        make_record(Lead, member)
        return member

    return make


def queries_of(browser: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert browser.get(address).status_code == 200
    return len(captured)


def test_lists_cost_the_same_whatever_they_hold(
    as_staff: Client, fill: Callable[[str], Membership]
) -> None:
    fill("first")
    for name in LISTS:  # What is asked once a process is asked.
        queries_of(as_staff, page(f"{name}_changelist"))
    before = {name: queries_of(as_staff, page(f"{name}_changelist")) for name in LISTS}
    for number in range(4):
        fill(f"more{number}")
    after = {name: queries_of(as_staff, page(f"{name}_changelist")) for name in LISTS}
    assert after == before
    assert max(after.values()) <= 14


def test_pages_hold_nothing_that_the_policy_blocks(
    as_staff: Client, fill: Callable[[str], Membership]
) -> None:
    member = fill("first")
    addresses = [page("index"), page("accounts_user_change", member.user_id)]
    addresses += [page(f"{name}_changelist") for name in LISTS]
    addresses += [page(f"{name}_add") for name in ("security_apikey", "clients_client")]
    for address in addresses:
        answer = as_staff.get(address)
        assert answer.status_code == 200
        assert "'unsafe-inline'" not in answer["Content-Security-Policy"]
        assert answer["Cache-Control"] == "no-store"
        assert answer["Referrer-Policy"] == "same-origin"
        assert not INLINE.search(text_of(answer)), address


def test_every_page_has_search_and_an_order(as_staff: Client) -> None:
    for model_page in admin.site._registry.values():
        assert model_page.search_fields
        # A bar of dates reads every row of its table; a filter by age uses the index.
        assert model_page.date_hierarchy or "created_at" in model_page.list_filter
        assert model_page.ordering or model_page.opts.ordering


@pytest.mark.parametrize("path", ["nothing/", "accounts/nothing/", "clients/client/x/y/z/"])
def test_unknown_addresses_are_readable(as_staff: Client, path: str) -> None:
    answer = as_staff.get(page("index") + path)
    assert answer.status_code in {302, 404}
    if answer.status_code == 404:
        assert answer["Content-Type"].startswith("text/html")
        assert "There is nothing here" in text_of(answer)


def test_a_fault_is_a_readable_page_without_a_trace(
    as_staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(admin.site._registry[Team], "get_queryset", fail)
    as_staff.raise_request_exception = False
    answer = as_staff.get(page("accounts_team_changelist"))
    assert answer.status_code == 500
    assert "Something went wrong" in text_of(answer)
    assert "secret detail" not in text_of(answer)
    assert "Traceback" not in text_of(answer)


def test_the_path_of_the_admin_comes_from_the_environment() -> None:
    code = (
        "import django; django.setup(); from django.urls import reverse, get_urlconf;"
        "print(reverse('admin:login'))"
    )
    variables = {
        **os.environ,
        "ADMIN_PATH": "office-7/",
        "DJANGO_SETTINGS_MODULE": "crm.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "/office-7/login/"
