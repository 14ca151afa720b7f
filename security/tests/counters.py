"""Fixtures of the counters: none is carried from test to test, both stores, rates of one's own."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from django.db import connection

from crm.db.counter_cache import connections
from crm.env import env
from crm.env.rate import Rate
from security.api_keys.usage import usage_counter
from security.rate_limits.refusals import forget_refusals
from security.rate_limits.settled import settled_counter
from security.rate_limits.store import outage
from security.rate_limits.table import LIMITS

SetRate = Callable[[str, str], None]


@pytest.fixture(scope="session")
def counter_connections(django_db_setup: None) -> Iterator[None]:
    """Hold the counters' connections to the test database, and let go of it at the end."""
    connections.disconnect()
    yield
    settled_counter.stop()
    usage_counter.stop()
    connections.disconnect()


@pytest.fixture(autouse=True)
def fresh_counters(request: pytest.FixtureRequest) -> Iterator[None]:
    """Start every test with no call counted."""
    has_database = _uses_database(request)
    if has_database:
        request.getfixturevalue("counter_connections")
    yield
    settled_counter.forget()
    usage_counter.forget()
    forget_refusals()
    outage.end()
    if has_database:
        caches["counters"].clear()


@pytest.fixture(params=["postgresql", "redis"])
def counters(request: pytest.FixtureRequest, settings: Any) -> Iterator[Any]:
    """The store of the counters, once in PostgreSQL and once in Redis."""
    request.getfixturevalue("counter_connections")
    if request.param == "redis":
        url = request.getfixturevalue("redis_server").url
        options = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
        backend = "django.core.cache.backends.redis.RedisCache"
        counters = {"BACKEND": backend, "LOCATION": url, "OPTIONS": options}
        settings.CACHES = {**settings.CACHES, "counters": counters}
    caches["counters"].clear()
    yield caches["counters"]
    settled_counter.stop()
    caches["counters"].clear()


@pytest.fixture
def set_rate(monkeypatch: pytest.MonkeyPatch) -> SetRate:
    """Give a named limit another rate, as the environment would: `set_rate("api", "5/1m")`."""

    rates: dict[str, Any] = {}

    def set_rate(name: str, rate: str) -> None:
        rates[LIMITS[name].env_attribute] = Rate.parse(rate)
        monkeypatch.setattr("security.rate_limits.table.env", dataclasses.replace(env, **rates))

    return set_rate


@pytest.fixture
def counting_environment(counters: Any) -> dict[str, str]:
    """The environment of another process that counts in the same store as this test."""
    location = urlsplit(env.database_url)._replace(path=f"/{connection.settings_dict['NAME']}")
    redis_url = ""
    if isinstance(counters, RedisCache):
        redis_url = str(settings.CACHES["counters"]["LOCATION"])
    return {
        "DATABASE_URL": location.geturl(),
        "REDIS_URL": redis_url,
        "DJANGO_SETTINGS_MODULE": "crm.settings",
    }


@pytest.fixture
def broken_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every connection of the counters to the database fail."""
    connections.disconnect()
    broken = {**connection.settings_dict["OPTIONS"], "host": "/nowhere"}
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "OPTIONS", broken)
        yield
    settled_counter.forget()


def _uses_database(request: pytest.FixtureRequest) -> bool:
    fixtures = {"db", "transactional_db", "counters", "counter_connections"}
    is_asked_for = bool(fixtures.intersection(request.fixturenames))
    return is_asked_for or request.node.get_closest_marker("django_db") is not None
