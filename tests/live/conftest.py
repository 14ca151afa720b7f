"""One server for all live tests, and a second process on the same database."""

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome

from tests.live.browser import headless_chromium
from tests.live.server import LiveServer, live_server


@pytest.fixture(scope="session")
def server() -> Iterator[LiveServer]:
    with live_server() as started:
        yield started


@pytest.fixture(scope="session")
def second_server(server: LiveServer) -> Iterator[LiveServer]:
    second = LiveServer(server.data_dir)
    try:
        second.start()
        yield second
    finally:
        second.stop()


@pytest.fixture
def browser() -> Iterator[Chrome]:
    with headless_chromium() as chrome:
        yield chrome
