"""What the environment gives, completes and refuses."""

import dataclasses
import json
from datetime import timedelta
from pathlib import Path

import pytest

from crm.env import declared_variables, read_environment
from crm.env.variables import Environment

STRONG = "Zk3v9QwX7bN2mR5tY8pL1cF4hJ6dG0sA-"


def production(**changes: str) -> dict[str, str]:
    """Return an environment that starts in production, with changes."""
    values = {
        "SECRET_KEY": STRONG,
        "JWT_KEYS": f"one:{STRONG[::-1]}",
        "ALLOWED_HOSTS": "crm.example.com",
        "DATABASE_URL": "postgresql://crm_app:p@db/crm",
        "DATABASE_OWNER_URL": "postgresql://crm_owner:p@db/crm",
    }
    return values | changes


def problems_of(source: dict[str, str]) -> list[str]:
    with pytest.raises(SystemExit) as stop:
        read_environment(source)
    return str(stop.value).splitlines()


def test_production_starts_with_what_it_needs() -> None:
    env = read_environment(production())
    assert env.debug is False
    assert env.cookie_secure is True
    assert env.jwt_access_token_expiry == timedelta(minutes=15)
    assert str(env.rate_limit_api) == "600/1m"
    assert env.jwt_keys == (("one", STRONG[::-1]),)


def test_the_environment_cannot_be_changed() -> None:
    env = read_environment(production())
    with pytest.raises(dataclasses.FrozenInstanceError):
        env.debug = True  # type: ignore[misc]  # the point of the test


def test_blanks_and_nothing_are_unset() -> None:
    env = read_environment(production(PORT=" ", WEB_THREADS="", HOST=" 0.0.0.0 "))
    assert (env.port, env.web_threads, env.host) == (8000, 32, "0.0.0.0")  # noqa: S104 (no socket)


def test_development_makes_its_own_secrets_and_keeps_them(tmp_path: Path) -> None:
    first, second = (
        read_environment({"DEBUG": "true", "DATA_DIR": str(tmp_path)}) for _ in range(2)
    )
    assert first == second
    assert first.cookie_secure is False
    assert len(first.secret_key) >= 32
    assert "crm_app" in first.database_url
    assert "crm_owner" in first.database_owner_url
    stored = json.loads((tmp_path / "secrets.json").read_text(encoding="utf-8"))
    assert stored["SECRET_KEY"] == first.secret_key


def test_one_database_url_serves_both_roles() -> None:
    env = read_environment(production(DATABASE_OWNER_URL=""))
    assert env.database_owner_url == env.database_url


def test_one_jwt_secret_is_a_ring_of_one() -> None:
    env = read_environment(production(JWT_KEYS="", JWT_SECRET=STRONG[::-1]))
    assert env.jwt_keys == (("default", STRONG[::-1]),)


def test_peppers_are_derived_from_the_secret_key_unless_set() -> None:
    derived = read_environment(production()).api_key_peppers
    assert derived[0][1] not in {STRONG, STRONG[::-1]}
    own = f"new:{STRONG[5:]}abcde"
    assert read_environment(production(API_KEY_PEPPERS=own)).api_key_peppers[0][0] == "new"


def test_links_and_the_sender_of_mails_follow_the_first_host_unless_set() -> None:
    env = read_environment(production(ALLOWED_HOSTS="crm.example,b.example"))
    assert (env.app_base_url, env.email_from) == ("https://crm.example", "no-reply@crm.example")
    env = read_environment(production(APP_BASE_URL="https://app.example:8443/x"))
    assert env.email_from == "no-reply@app.example"


def test_every_problem_has_its_own_line() -> None:
    problems = problems_of(production(PORT="http", DEBUG="maybe", LOCKOUT_DURATION="30"))
    assert [line.partition(":")[0] for line in problems] == ["DEBUG", "PORT", "LOCKOUT_DURATION"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY: required outside development"),
        ({"JWT_KEYS": ""}, "JWT_KEYS: required outside development"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY: shorter than 32 characters"),
        ({"SECRET_KEY": "ab" * 20}, "SECRET_KEY: fewer than 8 different characters"),
        ({"SECRET_KEY": f"changeme-{STRONG}"}, "SECRET_KEY: looks like a placeholder"),
        ({"SECRET_KEY": f"django-insecure-{STRONG}"}, "SECRET_KEY: looks like a placeholder"),
        ({"JWT_KEYS": f"one:{STRONG}"}, "JWT_KEYS one: the same secret as SECRET_KEY"),
        ({"JWT_KEYS": f"a:{STRONG[::-1]},b:short"}, "JWT_KEYS b: shorter than 32 characters"),
        ({"JWT_KEYS": "", "JWT_SECRET": "short"}, "JWT_KEYS default: shorter than 32 characters"),
        ({"API_KEY_PEPPERS": f"x:{STRONG}"}, "API_KEY_PEPPERS x: the same secret as SECRET_KEY"),
        ({"ADMIN_REQUIRE_2FA": "false"}, "ADMIN_REQUIRE_2FA: the staff admin is never open"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS: required outside development"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS: a wildcard"),
        ({"ALLOWED_HOSTS": "a.example,*.example.com"}, "ALLOWED_HOSTS: a wildcard"),
        ({"CORS_ALLOWED_ORIGINS": "http://app.example.com"}, "CORS_ALLOWED_ORIGINS: an http://"),
        (
            {"COOKIE_SAMESITE": "None", "COOKIE_SECURE": "false"},
            "COOKIE_SAMESITE: None needs COOKIE_SECURE",
        ),
        ({"APP_BASE_URL": "http://app.example"}, "APP_BASE_URL: mails would carry tokens"),
        ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "TRUSTED_PROXIES: trusting every address"),
        ({"TRUSTED_PROXIES": "10.0.0.0/8,::/0"}, "TRUSTED_PROXIES: trusting every address"),
    ],
)
def test_production_refuses_what_opens_it(
    changes: dict[str, str], problem: str, tmp_path: Path
) -> None:
    problems = problems_of(production(**changes))
    assert len(problems) == 1
    assert problems[0].startswith(problem)
    assert STRONG not in problems[0]
    allowed = {**production(**changes), "DEBUG": "true", "DATA_DIR": str(tmp_path)}
    assert read_environment(allowed).debug is True


def test_every_variable_says_what_it_is_for_in_one_line() -> None:
    assert len(declared_variables()) == len(dataclasses.fields(Environment))
    for name, group, help_text, _ in declared_variables():
        assert name == name.upper()
        assert group
        assert help_text.endswith(".")
        assert "\n" not in help_text
        assert "=" not in help_text, f"{name}: tests/database.py reads lines with = as variables"
