"""The security page of the admin: for superusers, drawn without scripts and styles."""

import re
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from accounts.tests.factories import make_user
from security.events.collector import record_event
from security.events.types import EventType
from security.report import figures
from security.tests.events import stored_events
from staff.tests.admin_browser import admin_browser
from staff.tests.admin_calls import page, text_of

ADDRESS = reverse("admin:app_list", args=["security"])
CHART = re.compile(r'<svg class="chart".*?</svg>', re.DOTALL)


@pytest.fixture
def failures(alice: Membership, mallory: Membership) -> None:
    for member in (alice, mallory):
        record_event(EventType.SIGN_IN_FAILED, user_id=member.user_id, team_id=member.team_id)
    record_event(EventType.TOKEN_REUSED, user_id=alice.user_id, team_id=alice.team_id)


def test_a_superuser_sees_the_figures_of_all_teams(failures: None, as_staff: Any) -> None:
    answer = as_staff.get(ADDRESS)
    assert answer.context["report"].totals["failures"] == 2
    assert "alice@example.com" in text_of(answer)
    assert stored_events(EventType.ALL_TEAMS_OPENED)[-1].metadata["reason"].endswith("7 days")


def test_staff_who_are_no_superusers_see_their_lists_only(failures: None) -> None:
    helper = make_user("helper@example.com", is_staff=True)
    assert admin_browser(helper).get(ADDRESS).status_code == 404
    helper.user_permissions.set(Permission.objects.filter(content_type__app_label="security"))
    text = text_of(admin_browser(helper).get(ADDRESS))
    assert "API keys" in text
    assert "Failed sign-ins" not in text
    assert stored_events(EventType.ALL_TEAMS_OPENED) == []


def test_a_stranger_is_sent_to_the_sign_in(as_stranger: Any) -> None:
    assert as_stranger.get(ADDRESS)["Location"].startswith(page("login"))


def test_the_first_page_leads_there(as_staff: Any) -> None:
    assert f'href="{ADDRESS}">Security:' in text_of(as_staff.get(page("index")))


def test_nothing_needs_a_script_or_a_style(failures: None, as_staff: Any) -> None:
    answer = as_staff.get(ADDRESS)
    content = text_of(answer).partition('id="content-main"')[2].partition("<footer")[0]
    assert not re.search(r"\bstyle=|<style|<script|\bon\w+=", content)
    assert "unsafe-inline" not in answer["Content-Security-Policy"]


def test_every_chart_says_what_it_shows(failures: None, as_staff: Any) -> None:
    found = CHART.findall(text_of(as_staff.get(ADDRESS)))
    charts = [Xml.fromstring(chart) for chart in found]  # noqa: S314 (what the page itself wrote)
    named = [chart for chart in charts if chart.get("role") == "img"]
    assert len(named) == 1 + len(figures.KINDS)
    for chart in named:
        ids = [element.get("id") for element in (*chart.iter("title"), *chart.iter("desc"))]
        assert chart.get("aria-labelledby") == " ".join(filter(None, ids))
        assert all(element.text for element in chart.iter("desc"))
    assert sum(len(chart.findall(".//rect")) for chart in named) == 3


def test_a_table_has_the_figures_too(failures: None, as_staff: Any) -> None:
    (stretch,) = as_staff.get(ADDRESS).context["stretches"]
    assert stretch[0] <= timezone.now()
    assert stretch[1] == [0, 2, 0, 0, 1, 0, 0, 0]


@pytest.mark.parametrize(("asked", "days"), [("30", 30), ("31", 7), ("-1", 7), ("x", 7), ("", 7)])
def test_the_period_is_one_of_a_few(as_staff: Any, asked: str, days: int) -> None:
    assert as_staff.get(ADDRESS, {"days": asked}).context["report"].period.days == days


def test_every_link_leads_to_a_list(failures: None, as_staff: Any) -> None:
    text = text_of(as_staff.get(ADDRESS)).partition('id="content-main"')[2].partition("<footer")[0]
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/[^"]+)"', text)}
    assert len(links) > len(figures.KINDS)
    for link in links:
        assert as_staff.get(link).status_code == 200, link
    chosen = next(link for link in links if "event_type=sign_in.failed" in link)
    assert len(as_staff.get(chosen).context["cl"].result_list) == 2


def test_too_many_events_are_said_to_be_cut(
    failures: None, as_staff: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "MOST_COUNTED", 1)
    assert "There are too many events" in text_of(as_staff.get(ADDRESS))
