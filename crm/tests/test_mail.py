"""Mail: HTML and text, sent once, links from the configuration, files in development."""

import email
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.template import engines
from pytest_django import Settings

from crm.env import env
from crm.mail import MailKind, all_mail_kinds, app_link
from crm.mail.kinds import send_mail
from crm.mail.message import LONGEST_VALUE, render, safe_value
from crm.mail_server import mail_settings
from crm.plain_text import has_unseen

KINDS = pytest.mark.parametrize("kind", all_mail_kinds(), ids=lambda kind: kind.name)


@pytest.fixture
def kind() -> MailKind:
    return all_mail_kinds()[0]


def rendered(kind: MailKind) -> EmailMultiAlternatives:
    return render(kind.name, subject=kind.subject, to="a@example.com", context=kind.sample)


def html_of(message: EmailMultiAlternatives) -> str:
    return str(message.alternatives[0][0])


@KINDS
def test_every_mail_says_the_same_as_text_and_as_html(kind: MailKind) -> None:
    message = rendered(kind)
    html = html_of(message)
    for text in (str(message.body), html):
        assert kind.subject in text
        assert "{{" not in text
        assert "{%" not in text
    links = re.findall(r"https?://[^\s\"<]+", str(message.body))
    assert all(link.replace("&", "&amp;") in html for link in links)


@KINDS
def test_every_mail_names_all_values_of_its_sample(kind: MailKind, settings: Settings) -> None:
    # A template that names a value which the sample lacks shows this mark.
    options = {**settings.TEMPLATES[0]["OPTIONS"], "string_if_invalid": "MISSING-VALUE"}
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "OPTIONS": options}]
    assert "MISSING-VALUE" in engines["django"].from_string("{{ absent }}").render()
    message = rendered(kind)
    assert "MISSING-VALUE" not in str(message.body) + html_of(message)


@KINDS
def test_no_mail_loads_anything(kind: MailKind) -> None:
    html = html_of(rendered(kind))
    assert not re.search(r"<(img|script|link|iframe|video|object)\b|src=|url\(|@import", html, re.I)


def test_a_strangers_text_is_one_line_without_links() -> None:
    text = "Evil\r\n\u2028\u202ewww.evil.example https://evil.example/x" + "x" * 5000
    link = f"{env.app_base_url}/x?token=a"
    for value in (text, link + text, f"{env.app_base_url}.evil.example/", f"{link}\n{text}"):
        shown = safe_value({"a": [{"b": value}], "n": 1})["a"][0]["b"]
        assert not has_unseen(shown)
        assert "www. evil. example" in shown or "evil. example/" in shown
        assert "://" not in shown
        assert len(shown) <= 2 * LONGEST_VALUE
    assert safe_value(link) == link


@KINDS
def test_every_text_of_a_mail_is_cleaned(kind: MailKind) -> None:
    links = [value for value in kind.sample.values() if str(value).startswith(env.app_base_url)]
    context = {
        name: value if value in links or not isinstance(value, str) else "x\ny.evil.example"
        for name, value in kind.sample.items()
    }
    message = render(kind.name, subject=kind.subject, to="a@example.com", context=context)
    assert "y.evil" not in str(message.body) + html_of(message)
    assert all(str(link) in str(message.body) for link in links)


def test_text_in_html_is_escaped() -> None:
    template = engines["django"].from_string(
        '{% extends "mail/layout.html" %}{% block body %}{{ name }}{% endblock %}'
    )
    assert "&lt;b&gt;" in template.render({"name": "<b>", "subject": "s"})


def test_link_has_the_configured_host_and_a_quoted_token() -> None:
    assert app_link("/reset-password", token="a&b") == (
        f"{env.app_base_url}/reset-password?token=a%26b"
    )


def test_queued_mail_goes_out_once(kind: MailKind, run_jobs: Callable[[], list[str]]) -> None:
    kind.queue(to="alice@example.com", context=kind.sample)
    assert mail.outbox == []
    assert run_jobs() == [send_mail.name]
    assert [message.to for message in mail.outbox] == [["alice@example.com"]]


@pytest.mark.usefixtures("db")
def test_mail_job_that_runs_twice_sends_one_mail(kind: MailKind) -> None:
    arguments = {"to": "a@example.com", "context": dict(kind.sample), "key": "k"}
    send_mail(kind=kind.name, **arguments)
    send_mail(kind=kind.name, **arguments)
    assert len(mail.outbox) == 1
    assert mail.outbox[0].extra_headers["Message-ID"].startswith("<")


def test_development_mail_is_a_file_that_only_its_owner_reads(
    tmp_path: Path, settings: Settings, kind: MailKind
) -> None:
    settings.EMAIL_BACKEND = "crm.mail.outbox.OutboxBackend"
    settings.OUTBOX_DIR = tmp_path / "outbox"
    kind.deliver(to="alice@example.com", context=kind.sample)
    (path,) = settings.OUTBOX_DIR.glob("*.eml")
    message = email.message_from_bytes(path.read_bytes())
    assert (message["To"], message["Subject"]) == ("alice@example.com", kind.subject)
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert path.stat().st_mode & 0o777 == 0o600


def test_line_breaks_in_an_address_are_refused(kind: MailKind) -> None:
    with pytest.raises(ValueError, match="newlines"):
        kind.deliver(to="a@example.com\nBcc: b@example.com", context=kind.sample)


def test_two_kinds_of_one_name_are_refused(kind: MailKind) -> None:
    with pytest.raises(ValueError, match="another kind"):
        MailKind(kind.name, subject="s", sample={})


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("smtp+tls://me:p%40ss@mail.example.com", "mail.example.com", 587, True),
        ("smtp://mail.example.com:2525", "mail.example.com", 2525, False),
        (None, "localhost", 25, False),
    ],
)
def test_mail_server_comes_from_the_url(url: str | None, host: str, port: int, tls: bool) -> None:
    found = mail_settings(url, development=False)
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"], found["EMAIL_USE_TLS"]) == (host, port, tls)


def test_password_of_the_mail_server_may_hold_any_character() -> None:
    assert (
        mail_settings("smtp://me:p%40ss@host", development=False)["EMAIL_HOST_PASSWORD"] == "p@ss"
    )


def test_previews_show_every_kind(tmp_path: Path) -> None:
    call_command("preview_mails", tmp_path)
    index = (tmp_path / "index.html").read_text()
    assert all(f"{kind.name}.html" in index for kind in all_mail_kinds())
    assert all((tmp_path / f"{kind.name}.txt").exists() for kind in all_mail_kinds())
